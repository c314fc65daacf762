/**
 * One flash of a board with memory: ask what is there, plan, write, verify, start the program. The plan is made elsewhere;
 * the loop that carries it out decides nothing.
 */
import { filled, equalBytes } from "../core/bytes.ts";
import { planDelta, type DeltaPlanner } from "../core/delta.ts";
import type { Digest } from "../core/digest.ts";
import { FlashError } from "../core/errors.ts";
import { imageBytes, type Address, type Image, type Range } from "../core/image.ts";
import { estimateMs, planWrites, type FlashCosts, type MemoryStep, type Plan, type WriteStep } from "../core/plan.ts";
import { sectorsOf, uncovered, type Sector } from "../core/sectors.ts";
import {
  compareWithRecord,
  questionsPerRun,
  questionsPerSector,
  sampleOf,
  type KnownContents,
  type Question,
} from "../core/survey.ts";
import { checkStop, StoppedBetweenRequests, type Context, type MemorySession } from "../targets/target.ts";
import type { KnownSector } from "./history.ts";

/** The part of a board's record that a flash needs. */
export interface SectorRecord {
  readonly known: KnownContents;
  /** All that is known, sorted by address. */
  contents(): readonly KnownSector[];
  readonly interrupted: readonly Range[];
  strikeOut(sectors: readonly Range[]): Promise<void>;
  enter(sectors: readonly KnownSector[]): Promise<void>;
}

export interface FlashOptions {
  /** Write every sector of the image, whatever the board holds. */
  readonly full: boolean;
  /** Stop before the first erase. */
  readonly dryRun: boolean;
  /** Start the program at the end. */
  readonly reset: boolean;
}

/** What the flash has got to; filled while it runs, so that a failure can still be reported. */
export interface FlashProgress {
  image: { bytes: number; sectors: number };
  plan: Plan | undefined;
  estimateMs: number;
  /** Runs that were wholly written, whether or not verified. */
  written: { bytes: number; sectors: number; erasedBytes: number };
  /** True from the first erase until the last verification. */
  dirty: boolean;
  notes: string[];
}

export function noProgress(): FlashProgress {
  return {
    image: { bytes: 0, sectors: 0 },
    plan: undefined,
    estimateMs: 0,
    written: { bytes: 0, sectors: 0, erasedBytes: 0 },
    dirty: false,
    notes: [],
  };
}

export interface FlashJob {
  readonly session: MemorySession;
  readonly image: Image;
  readonly record: SectorRecord;
  readonly options: FlashOptions;
  readonly context: Context;
  readonly progress: FlashProgress;
  /** Plans patches elsewhere than on this thread. */
  readonly planDelta?: DeltaPlanner;
  /** Called before the program is started. */
  beforeReset?(): Promise<void>;
}

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
  const plan = planWrites(sectors, toWrite, session.map, costs);
  progress.plan = plan;
  progress.estimateMs = estimateMs(plan, costs);
  if (options.dryRun) return "planned";

  await carryOut(job, plan);
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

/** The sectors that hold the image already, as the board itself confirms. */
async function surveyRight(job: FlashJob, sectors: readonly Sector[]): Promise<ReadonlySet<Address>> {
  const { record, context, progress } = job;
  const { digestOf } = job.session;
  const opinion = compareWithRecord(sectors, record.known);
  const doubts = sectors.filter((sector) => isInDoubt(record, sector)).length;
  if (doubts > 0) {
    progress.notes.push(`An earlier flash was cut short; ${doubts} sectors were left in doubt and looked at again.`);
  }
  context.trace.enter("survey", `confirm ${opinion.same.length} sectors`);
  const confirmed = await ask(
    job,
    (job.session.digestsBySector ? questionsPerSector : questionsPerRun)(opinion.same, digestOf),
  );
  const suspects = opinion.same.filter((sector) => !confirmed.has(sector.address));
  if (suspects.length > 0) {
    progress.notes.push(
      "Something else has written to this board since the last flash; what differs is written again.",
    );
  }

  const unknown = [...suspects, ...opinion.unknown].sort((a, b) => a.address - b.address);
  if (unknown.length === 0) return confirmed;
  context.trace.enter("survey", `look at ${unknown.length} sectors`);
  const sample = sampleOf(unknown);
  const found = await ask(job, questionsPerSector(sample, digestOf));
  const worthIt = found.size > 0 || suspects.length > 0;
  const rest = worthIt ? unknown.filter((sector) => !sample.includes(sector)) : [];
  const foundLater = await ask(job, questionsPerSector(rest, digestOf));
  return new Set([...confirmed, ...found, ...foundLater]);
}

/** Between two questions a newer flash may take over; so many sectors take a fifth of a second. */
const sectorsAtOnce = 64;

function isInDoubt({ interrupted }: SectorRecord, { address }: Sector): boolean {
  return interrupted.some((range) => range.address === address);
}

/** Sectors of an interrupted flash that hold the image, but not the image alone: with what else is in them, so that they can be remembered. */
async function clearDoubts(
  job: FlashJob,
  sectors: readonly Sector[],
  right: ReadonlySet<Address>,
): Promise<readonly Sector[]> {
  const doubtful = sectors.filter((sector) => right.has(sector.address) && isInDoubt(job.record, sector));
  const cleared: Sector[] = [];
  for (const sector of doubtful) if (uncovered(sector).length > 0) cleared.push(await withSurroundings(job, sector));
  return cleared;
}

/** Sectors all of whose questions the board answered as expected. */
async function ask(job: FlashJob, questions: readonly Question[]): Promise<ReadonlySet<Address>> {
  if (questions.length === 0) return new Set();
  const answers: Digest[] = [];
  const atOnce = job.session.digestsBySector ? sectorsAtOnce : 1;
  for (let from = 0; from < questions.length; from += atOnce) {
    checkStop(job.context);
    answers.push(...(await job.session.digests(questions.slice(from, from + atOnce).map(({ range }) => range))));
  }
  const asked = new Set<Address>();
  const wrong = new Set<Address>();
  questions.forEach((question, index) => {
    for (const sector of question.sectors) {
      asked.add(sector.address);
      if (answers[index] !== question.expected) wrong.add(sector.address);
    }
  });
  return new Set([...asked].filter((address) => !wrong.has(address)));
}

/**
 * A sector that must be erased, with the bytes that the image does not cover as they stand on the board now: the record or
 * the erased value if the board confirms it by digest, else read back.
 */
async function withSurroundings(job: FlashJob, sector: Sector): Promise<Sector> {
  const gaps = uncovered(sector);
  if (gaps.length === 0) return sector;
  const { session, record, context } = job;
  checkStop(context);
  context.trace.enter("survey", "what stands beside the image");
  const data = sector.data.slice();
  const recorded = record.known({ address: sector.address, size: sector.size });
  const found = await session.digests(gaps);
  for (const [index, gap] of gaps.entries()) {
    const from = gap.address - sector.address;
    const erased = filled(gap.size, sector.erasedByte);
    const guesses = recorded === undefined ? [erased] : [recorded.subarray(from, from + gap.size), erased];
    const guess = guesses.find((bytes) => session.digestOf(bytes) === found[index]);
    data.set(guess ?? (await session.read(gap)), from);
  }
  return { ...sector, data };
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

async function carryOut(job: FlashJob, plan: Plan): Promise<void> {
  const { session, record, context, progress } = job;
  const writes = plan.steps.filter((step) => step.kind === "write");
  if (writes.length === 0) return;
  checkStop(context);
  context.trace.enter("plan", "journal");
  const old = record.contents();
  const touched = writes.flatMap((step) => sectorsIn(step, session));
  await record.strikeOut(touched.map(({ address, data }) => ({ address, size: data.length })));
  progress.dirty = true;
  if (session.patch === undefined) await runSteps(job, plan, writes);
  else await patchAll(job, writes, old);
  progress.dirty = false;
}

const planHere: DeltaPlanner = (request) => Promise.resolve(planDelta(request));

async function patchAll(
  { session, record, progress, planDelta: plan = planHere }: FlashJob,
  writes: readonly WriteStep[],
  old: readonly KnownSector[],
): Promise<void> {
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
        progress.written.bytes += size;
        progress.written.sectors += sectors.length;
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
