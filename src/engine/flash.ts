/**
 * One flash of a board with memory: ask what is there, plan, write, verify, start the program. The plan is made elsewhere;
 * the loop that carries it out decides nothing.
 */
import { equalBytes } from "../core/bytes.ts";
import { planDelta, type DeltaPlanner } from "../core/delta.ts";
import { FlashError } from "../core/errors.ts";
import { imageBytes, type Address } from "../core/image.ts";
import {
  blankNeighbours,
  estimateMs,
  planWrites,
  type FlashCosts,
  type MemoryStep,
  type Plan,
  type WriteStep,
} from "../core/plan.ts";
import { sectorsOf, uncovered, type Sector } from "../core/sectors.ts";
import { checkStop, StoppedBetweenRequests, type MemorySession } from "../targets/target.ts";
import type { FlashJob } from "./flash-job.ts";
import type { KnownSector } from "./history.ts";
import { blankBeside, clearDoubts, surveyRight, withSurroundings } from "./survey.ts";

/** @throws FlashError; `job.progress` then tells how far it got, and the record which sectors are no longer known */
export async function flashMemory(job: FlashJob): Promise<"flashed" | "unchanged" | "planned"> {
  const { session, image, context, progress, options } = job;
  checkStop(context);
  context.trace.enter("plan", "sectors of the image");
  const sectors = sectorsOf(image, session.map);
  progress.image = { bytes: imageBytes(image), sectors: sectors.length };
  const right = options.full ? new Set<Address>() : await surveyRight(job, sectors);

  const cleared = await clearDoubts(job, sectors, right);
  const wrong = sectors.filter((sector) => !right.has(sector.address));
  const toWrite = new Map<Address, Sector>();
  for (const sector of wrong) toWrite.set(sector.address, await withSurroundings(job, sector));

  context.trace.enter("plan", "steps");
  const costs = costsFor(job, toWrite);
  const beside = await blankBeside(job, blankNeighbours(sectors, toWrite, session.map, costs));
  const plan = planWrites(byAddress([...sectors, ...beside]), toWrite, session.map, costs);
  progress.plan = plan;
  progress.estimateMs = estimateMs(plan, costs);
  if (options.dryRun) return "planned";

  await carryOut(job, plan, beside);
  const isStopped = context.stop?.aborted === true; // from here on nobody else can go on with this session
  if (options.reset && !isStopped) {
    context.trace.enter("reset", "start the program");
    await job.beforeReset?.();
    await session.reset();
  }
  // Confirmed sectors are as good as written ones: the board has just said so.
  const fullyKnown = sectors.filter((sector) => right.has(sector.address) && uncovered(sector).length === 0);
  await remember(job, plan, [...fullyKnown, ...cleared]);
  if (options.reset && isStopped) throw new StoppedBetweenRequests();
  return plan.sectorsToWrite === 0 ? "unchanged" : "flashed";
}

function byAddress<T extends { readonly address: Address }>(list: readonly T[]): readonly T[] {
  return [...list].sort((a, b) => a.address - b.address);
}

/** What is recorded, and what the board has just said of other sectors. */
function merged(recorded: readonly KnownSector[], found: readonly KnownSector[]): readonly KnownSector[] {
  const there = new Set(found.map(({ address }) => address));
  return [...recorded.filter(({ address }) => !there.has(address)), ...found];
}

/** What is sent as a patch costs less on the wire: as much as the record knows of the sectors that are to be written. */
function costsFor({ session, record }: FlashJob, toWrite: ReadonlyMap<Address, Sector>): FlashCosts {
  const { costs } = session;
  const { patchWireRatio } = costs;
  if (patchWireRatio === undefined || toWrite.size === 0) return costs;
  const known = [...toWrite.values()].filter((sector) => record.known(sector) !== undefined).length;
  const share = known / toWrite.size;
  return { ...costs, wireRatio: share * patchWireRatio + (1 - share) * costs.wireRatio };
}

async function carryOut(job: FlashJob, plan: Plan, beside: readonly Sector[]): Promise<void> {
  const { session, record, context, progress } = job;
  const writes = plan.steps.filter((step) => step.kind === "write");
  if (writes.length === 0) return;
  checkStop(context);
  context.trace.enter("plan", "journal");
  const old = byAddress(merged(record.contents(), beside));
  const touched = writes.flatMap((step) => sectorsIn(step, session));
  await record.strikeOut(touched.map(({ address, data }) => ({ address, size: data.length })));
  progress.dirty = true;
  if (session.patch === undefined) await runSteps(job, plan, writes);
  else await patchAll(job, writes, old, beside);
  progress.dirty = false;
}

const planHere: DeltaPlanner = (request) => Promise.resolve(planDelta(request));

async function patchAll(
  { session, record, progress, planDelta: plan = planHere }: FlashJob,
  writes: readonly WriteStep[],
  old: readonly KnownSector[],
  beside: readonly Sector[],
): Promise<void> {
  const blank = new Set(beside.map(({ address }) => address));
  const written: KnownSector[] = [];
  try {
    await session.patch?.({
      writes,
      old,
      planDelta: plan,
      onWritten: ({ address, size }, erasedBytes) => {
        const sectors = writes
          .flatMap((step) => sectorsIn(step, session))
          .filter((sector) => sector.address >= address && sector.address < address + size);
        written.push(...sectors);
        const programmed = sectors.filter((sector) => !blank.has(sector.address));
        progress.written.bytes += programmed.reduce((sum, { data }) => sum + data.length, 0);
        progress.written.sectors += programmed.length;
        progress.written.erasedBytes += erasedBytes;
      },
      note: (text) => progress.notes.push(text),
    });
  } catch (error) {
    if (error instanceof StoppedBetweenRequests) await record.enter(written);
    throw error;
  }
}

async function runSteps(job: FlashJob, plan: Plan, writes: readonly WriteStep[]): Promise<void> {
  const { session, record, context } = job;
  const written: KnownSector[] = [];
  for (const [index, step] of plan.steps.entries()) {
    try {
      if (step.kind === "write") checkStop(context);
      await runOnceMoreIfWrong(job, writes, { step, next: plan.steps[index + 1] });
    } catch (error) {
      if (error instanceof StoppedBetweenRequests)
        await record.enter([...written, ...beginningOf(step, error, session)]);
      throw error;
    }
    if (step.kind === "write") written.push(...sectorsIn(step, session));
  }
}

/** What a step that was stopped has written; not verified, but whoever goes on asks for a digest anyway. */
function beginningOf(
  step: MemoryStep,
  { writtenBytes }: StoppedBetweenRequests,
  session: MemorySession,
): readonly KnownSector[] {
  if (step.kind !== "write") return [];
  return sectorsIn(step, session).filter(({ address, data }) => address + data.length <= step.address + writtenBytes);
}

/** A run that reads back wrongly is written once more before the flash is given up. */
async function runOnceMoreIfWrong(
  job: FlashJob,
  writes: readonly WriteStep[],
  { step, next }: { readonly step: MemoryStep; readonly next: MemoryStep | undefined },
): Promise<void> {
  const { session, progress, context } = job;
  try {
    await session.run(step, next);
  } catch (error) {
    const again = step.kind === "verify" ? writes.find((write) => write.address === step.range.address) : undefined;
    if (again === undefined || !(error instanceof FlashError && error.code === "verify-failed")) throw error;
    context.log(`${error.message}; writing it once more`);
    await session.run(again);
    await session.run(step);
    progress.notes.push(
      `The first attempt at ${again.data.length / 1024} KiB read back wrongly and was repeated; watch this board.`,
    );
  }
  if (step.kind === "write") {
    progress.written.bytes += step.data.length;
    progress.written.sectors += sectorsIn(step, session).length;
    progress.written.erasedBytes += step.erases.reduce((sum, erase) => sum + erase.size, 0);
  }
}

/** The written run, sector by sector. */
function sectorsIn(step: WriteStep, session: MemorySession): readonly KnownSector[] {
  const sectors: KnownSector[] = [];
  let at = step.address;
  const end = step.address + step.data.length;
  while (at < end) {
    const region = session.map.find((one) => at >= one.start && at < one.start + one.size);
    const size = region?.sectorSize ?? end - at;
    sectors.push({ address: at, data: step.data.subarray(at - step.address, at - step.address + size) });
    at += size;
  }
  return sectors;
}

async function remember(job: FlashJob, plan: Plan, confirmed: readonly Sector[]): Promise<void> {
  const { record, session } = job;
  const written = plan.steps.flatMap((step) => (step.kind === "write" ? sectorsIn(step, session) : []));
  const news = confirmed.filter((sector) => {
    const old = record.known({ address: sector.address, size: sector.size });
    return old === undefined || !equalBytes(old, sector.data);
  });
  if (written.length + news.length > 0) await record.enter([...written, ...news]);
}
