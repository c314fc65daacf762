/**
 * What a flash would write, from the record of the board that was last seen at the port. The same planner as a flash uses, on a
 * session that answers from the record; touches no board.
 */
import type { Artifact } from "../build/artifact.ts";
import { loadElf } from "../build/elf-file.ts";
import { filled } from "../core/bytes.ts";
import { md5, type Digest } from "../core/digest.ts";
import type { Elf } from "../core/elf.ts";
import { FlashError } from "../core/errors.ts";
import type { FlashMap } from "../core/flash-map.ts";
import type { Range } from "../core/image.ts";
import type { FlashCosts } from "../core/plan.ts";
import type { KnownContents } from "../core/survey.ts";
import { TraceRecorder } from "../core/trace.ts";
import type { MemorySession } from "../targets/target.ts";
import type { Family, OfflineBoard } from "./family.ts";
import { noProgress, type FlashProgress } from "./flash-job.ts";
import { flashMemory } from "./flash.ts";
import type { BoardRecord, History } from "./history.ts";
import { runsOf } from "./offline-plan.ts";
import { changesBetween, programTable, type ProgramStore } from "./program-table.ts";
import { systemClock } from "./system-clock.ts";
import type { PlanView } from "./views.ts";

export interface PlanQuestion {
  readonly family: Family;
  readonly port: string;
  readonly chip: string | undefined;
  readonly baud: number | undefined;
  readonly artifact: Artifact;
}

/** @throws FlashError `wrong-chip` when nobody says which chip it is, and whatever making the image may throw */
export async function planView(
  question: PlanQuestion,
  memory: { readonly history: History; readonly programs: ProgramStore },
): Promise<PlanView> {
  const { history, programs } = memory;
  const hints = await history.portHints(question.port);
  const { identity = "" } = hints;
  const seen = (await history.boards()).find((board) => board.identity === identity);
  const { family, chip, artifact, baud } = question;
  const board = family.offline({ meant: { chip, artifact }, baud, hints, seen });
  const record = await history.board(identity, board.chip);
  const session = new RecordedSession(record.known, board, identity);
  const changed = await planOn(session, { artifact, board, record }, false);
  const full = await planOn(session, { artifact, board, record }, true);
  const { plan } = changed;
  const elf = await elfOf(question.artifact);
  const old = identity === "" ? undefined : await programs.read(identity);
  return {
    sectors: plan?.sectors ?? 0,
    sectorsToWrite: plan?.sectorsToWrite ?? 0,
    bytesToWrite: plan?.bytesToWrite ?? 0,
    estimateMs: changed.estimateMs,
    fullEstimateMs: full.estimateMs,
    boardKnown: (seen?.knownBytes ?? 0) > 0,
    runs: plan === undefined ? [] : runsOf(plan),
    changed: elf === undefined ? [] : changesBetween(old, programTable(elf)),
  };
}

/** The linked program of an artifact; undefined where there is none that could be read. */
export async function elfOf(artifact: Artifact): Promise<Elf | undefined> {
  if (artifact.kind === "elf") return artifact.elf;
  if (artifact.elfPath === undefined) return undefined;
  return loadElf(artifact.elfPath, artifact.system).then(
    ({ elf }) => elf,
    () => undefined,
  );
}

async function planOn(
  session: RecordedSession,
  { artifact, board, record }: { artifact: Artifact; board: OfflineBoard; record: BoardRecord },
  full: boolean,
): Promise<FlashProgress> {
  const progress = noProgress();
  const nothing = () => Promise.resolve();
  const { known, interrupted } = record;
  const image = await board.image(
    { artifact, known, notes: progress.notes, remember: nothing, appOffset: undefined },
    session,
  );
  await flashMemory({
    ...{ session, image, progress },
    record: { known, contents: () => record.contents(), interrupted, strikeOut: nothing, enter: nothing },
    options: { full, dryRun: true, reset: false },
    context: {
      clock: systemClock,
      signal: new AbortController().signal,
      trace: new TraceRecorder(systemClock, { phase: "plan", label: "from the record" }),
      onProgress: () => undefined,
      log: () => undefined,
    },
  });
  return progress;
}

/** A board that says what the record says. Of what it does not know it says that it is erased, and that it is not as it should be. */
class RecordedSession implements MemorySession {
  readonly kind = "memory";
  readonly digestOf = md5;
  readonly digestsBySector = false;
  readonly chip: string;
  readonly identity: string;
  readonly map: FlashMap;
  readonly costs: FlashCosts;
  readonly #known: KnownContents;

  constructor(known: KnownContents, { chip, map, costs }: OfflineBoard, identity: string) {
    this.#known = known;
    this.chip = chip;
    this.identity = identity;
    this.map = map;
    this.costs = costs;
  }

  digests(ranges: readonly Range[]): Promise<readonly Digest[]> {
    return Promise.resolve(ranges.map((range) => this.#digest(range)));
  }

  read(range: Range): Promise<Uint8Array> {
    return Promise.resolve(this.#contents(range) ?? filled(range.size, 0xff));
  }

  run(): Promise<void> {
    return Promise.reject(new FlashError("refused", "a plan is not carried out"));
  }

  reset(): Promise<void> {
    return Promise.resolve();
  }

  #digest(range: Range): Digest {
    const contents = this.#contents(range);
    return contents === undefined ? "" : md5(contents);
  }

  /** undefined as soon as one sector of it is not known. */
  #contents({ address, size }: Range): Uint8Array | undefined {
    const region = this.map.find((one) => address >= one.start && address < one.start + one.size);
    const sectorSize = region?.sectorSize ?? 0x1000;
    const first = address - ((address - (region?.start ?? 0)) % sectorSize);
    const parts: Uint8Array[] = [];
    for (let at = first; at < address + size; at += sectorSize) {
      const data = this.#known({ address: at, size: sectorSize });
      if (data === undefined) return undefined;
      parts.push(data);
    }
    return Buffer.concat(parts).subarray(address - first, address - first + size);
  }
}
