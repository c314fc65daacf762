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
import { chipMeant, type Chip } from "../targets/esp/chips.ts";
import { chipsThatHold } from "../targets/esp/elf-chips.ts";
import { flashSizeOf } from "../targets/esp/identify.ts";
import { espCosts, espFlashMap } from "../targets/esp/session.ts";
import type { MemorySession } from "../targets/target.ts";
import { usualBaud } from "./esp-family.ts";
import { chipOfArtifact, imageForEsp } from "./esp-image.ts";
import { noProgress, type FlashProgress } from "./flash-job.ts";
import { flashMemory } from "./flash.ts";
import type { BoardRecord, History } from "./history.ts";
import { runsOf } from "./offline-plan.ts";
import { changesBetween, programTable, type ProgramStore } from "./program-table.ts";
import { systemClock } from "./system-clock.ts";
import type { PlanView } from "./views.ts";

export interface PlanQuestion {
  readonly port: string;
  readonly chip: string | undefined;
  readonly baud: number | undefined;
  readonly artifact: Artifact;
}

/** Where the flash chip is not known: larger than any that maps directly, so that everything fits. */
const unknownFlashBytes = 16 * 1024 * 1024;

/** @throws FlashError `wrong-chip` when nobody says which chip it is, and whatever making the image may throw */
export async function planView(
  question: PlanQuestion,
  memory: { readonly history: History; readonly programs: ProgramStore },
): Promise<PlanView> {
  const { history, programs } = memory;
  const { identity, baud } = await history.portHints(question.port);
  const summary = (await history.boards()).find((board) => board.identity === identity);
  const chip = chipFor(question, summary?.chip);
  const record = await history.board(summary?.identity ?? "", chip.name);
  const speed = question.baud ?? baud ?? usualBaud;
  const session = new RecordedSession(record.known, {
    chip,
    identity: identity ?? "",
    flashId: record.flashId,
    baud: speed,
  });
  const changed = await planOn(session, { question, chip, record }, false);
  const full = await planOn(session, { question, chip, record }, true);
  const { plan } = changed;
  const elf = await elfOf(question.artifact);
  const old = identity === undefined ? undefined : await programs.read(identity);
  return {
    sectors: plan?.sectors ?? 0,
    sectorsToWrite: plan?.sectorsToWrite ?? 0,
    bytesToWrite: plan?.bytesToWrite ?? 0,
    estimateMs: changed.estimateMs,
    fullEstimateMs: full.estimateMs,
    boardKnown: (summary?.knownBytes ?? 0) > 0,
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
  { question, chip, record }: { question: PlanQuestion; chip: Chip; record: BoardRecord },
  full: boolean,
): Promise<FlashProgress> {
  const progress = noProgress();
  const nothing = () => Promise.resolve();
  const { known, interrupted } = record;
  const image = await imageForEsp({
    ...{ artifact: question.artifact, chip, session, known, notes: progress.notes },
    remember: nothing,
    appOffset: undefined,
  });
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

  constructor(
    known: KnownContents,
    board: {
      readonly chip: Chip;
      readonly identity: string;
      readonly flashId: number | undefined;
      readonly baud: number;
    },
  ) {
    this.#known = known;
    this.chip = board.chip.name;
    this.identity = board.identity;
    this.map = espFlashMap(board.flashId === undefined ? unknownFlashBytes : flashSizeOf(board.flashId));
    this.costs = espCosts(board.baud);
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
    const sectorSize = this.map[0]?.sectorSize ?? 0x1000;
    const first = address - (address % sectorSize);
    const parts: Uint8Array[] = [];
    for (let at = first; at < address + size; at += sectorSize) {
      const data = this.#known({ address: at, size: sectorSize });
      if (data === undefined) return undefined;
      parts.push(data);
    }
    return Buffer.concat(parts).subarray(address - first, address - first + size);
  }
}

function chipFor({ chip, artifact }: PlanQuestion, seen: string | undefined): Chip {
  const fitting = artifact.kind === "elf" ? chipsThatHold(artifact.elf) : [];
  const only = fitting.length === 1 ? fitting[0] : undefined;
  const name = chip ?? chipOfArtifact(artifact) ?? seen ?? only;
  const found = name === undefined ? undefined : chipMeant(name);
  if (found !== undefined) return found;
  throw new FlashError(
    "wrong-chip",
    name === undefined ? "nobody says which chip it is for" : `'${name}' is not a chip that Deltaflash knows`,
    {
      remedy: "Choose the board, or flash it once: then its chip is known.",
    },
  );
}
