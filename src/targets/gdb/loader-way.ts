/**
 * Flash that our own loader writes: units as they are, or as patches where what the chip holds is known, the RAM has room to compose
 * them, and they save something on the wire.
 */
import { formatBytes, hex } from "../../core/bytes.ts";
import type { Digest } from "../../core/digest.ts";
import { FlashError } from "../../core/errors.ts";
import type { FlashMap } from "../../core/flash-map.ts";
import type { Address, Range } from "../../core/image.ts";
import type { WriteStep } from "../../core/plan.ts";
import { checkStop, StoppedBetweenRequests, type Context, type PatchWork } from "../target.ts";
import type { FlashWay } from "./flash-way.ts";
import { loaderDigest, loaderFlag, loaderStatus, sizeOfTarget, type LoaderRecord } from "./loader-abi.ts";
import { recordsOf } from "./loader-batches.ts";
import { LoaderFailed } from "./loader-errors.ts";
import type { Loader } from "./loader.ts";

export interface LoaderWayParts {
  readonly loader: Loader;
  readonly context: Context;
  readonly map: FlashMap;
  /** For labels: whether data travel while the loader works. */
  readonly streams: boolean;
}

/** A patch that is not shorter than this share of its contents is not worth composing. */
const worthShare = 0.5;
/** What a patch takes on the wire of what it makes, as a rule; measured over the corpus (`npm run bench`). */
const usualPatchRatio = 0.06;
const deltaSectorBytes = 0x1000;

/** Records that belong together: all of them done means that the range holds what it should. */
interface Unit extends Range {
  readonly contents: Uint8Array;
  readonly records: readonly LoaderRecord[];
  /** What to send instead when a patch does not compose. */
  readonly whole: readonly LoaderRecord[];
  readonly wasTried: boolean;
}

export class LoaderWay implements FlashWay {
  readonly #parts: LoaderWayParts;

  constructor(parts: LoaderWayParts) {
    this.#parts = parts;
  }

  get label(): string {
    return this.overlaps ? "Deltaflash's loader, streamed" : "Deltaflash's loader, in batches";
  }

  get overlaps(): boolean {
    return this.#parts.streams;
  }

  get patchWireRatio(): number | undefined {
    return this.#parts.loader.patchLimits === undefined ? undefined : usualPatchRatio;
  }

  digests(ranges: readonly Range[]): Promise<readonly Digest[]> {
    return this.#parts.loader.digests(ranges);
  }

  release(): Promise<void> {
    return this.#parts.loader.release();
  }

  async write(work: PatchWork): Promise<void> {
    const { context } = this.#parts;
    context.trace.enter("plan", "patches");
    const units = await this.#unitsOf(work);
    await this.#writeUnits(units, work);
    const wrong = await this.#readsBackWrongly(work.writes);
    if (wrong.length === 0) return;
    const [first] = wrong;
    work.note(
      `${wrong.length} of the units that were written read back wrongly and were written again; watch this board.`,
    );
    await this.#writeUnits(wrong, { ...work, onWritten: () => undefined });
    if ((await this.#readsBackWrongly(work.writes)).length === 0) return;
    throw new FlashError(
      "verify-failed",
      `the flash at ${hex(first?.address ?? 0, 8)} does not keep what is written to it`,
    );
  }

  /** Each unit was compared when it was written; this finds what was spoilt by a later one. */
  async #readsBackWrongly(writes: readonly WriteStep[]): Promise<readonly Unit[]> {
    const { context, loader } = this.#parts;
    context.trace.enter("verify", "digests");
    const units = writes.flatMap(wholeUnits);
    const held = await loader.digests(units);
    for (const { size } of units) context.trace.addBytes(size);
    return units.filter(({ contents }, index) => held[index] !== loaderDigest(contents));
  }

  async #writeUnits(units: readonly Unit[], work: PatchWork): Promise<void> {
    const { context } = this.#parts;
    context.trace.enter("write", this.overlaps ? "streamed" : "in batches");
    let pending = units;
    while (pending.length > 0) {
      checkStop(context);
      const round = new Round(pending, work, context);
      try {
        const finished = await this.#parts.loader.write(
          pending.flatMap(({ records }) => records),
          {
            flags: loaderFlag.verify,
            onDone: (record) => round.done(record),
            shouldStop: () => context.stop?.aborted === true,
          },
        );
        if (!finished) throw new StoppedBetweenRequests();
        return;
      } catch (error) {
        pending = afterFailure(round.left, error, work, context);
      }
    }
  }

  /** Patches first: what is sent whole may overwrite what they are made of. */
  async #unitsOf(work: PatchWork): Promise<readonly Unit[]> {
    const limits = this.#parts.loader.patchLimits;
    const writes = work.writes.flatMap((step) => cutByRegions(step, this.#parts.map));
    const patchable = limits === undefined ? [] : writes.filter((step) => this.#isPatchable(step, limits.blockBytes));
    const rest = writes.filter((step) => !patchable.includes(step)).flatMap(wholeUnits);
    if (limits === undefined || patchable.length === 0 || work.old.length === 0) {
      return [...patchable.flatMap(wholeUnits), ...rest];
    }
    const { blocks } = await work.planDelta({ writes: patchable, old: work.old, limits });
    const patched = blocks.map(({ address, size, ops, literal, contents }): Unit => {
      const whole = recordsOf({ address, data: contents, erases: erasesWithin(patchable, address, size) });
      const pays = !literal && ops.length < size * worthShare;
      const records: readonly LoaderRecord[] = pays ? [{ kind: "patch", address, size, ops }] : whole;
      return { address, size, contents, whole, records, wasTried: false };
    });
    return [...patched, ...rest];
  }

  #isPatchable({ address, erases }: WriteStep, blockBytes: number): boolean {
    if (erases.every(({ size }) => this.#parts.loader.hidesTransfer(size))) return false;
    const region = this.#parts.map.find(({ start, size }) => address >= start && address < start + size);
    const sectorSize = region?.sectorSize ?? 0;
    return sectorSize >= deltaSectorBytes && sectorSize % deltaSectorBytes === 0 && sectorSize <= blockBytes;
  }
}

/** Units of one size only, so that what is composed at once is never a part of one. */
function cutByRegions(step: WriteStep, map: FlashMap): readonly WriteStep[] {
  const end = step.address + step.data.length;
  return map.flatMap((region): readonly WriteStep[] => {
    const from = Math.max(step.address, region.start);
    const to = Math.min(end, region.start + region.size);
    if (from >= to) return [];
    const erases = step.erases.filter(({ address }) => address >= from && address < to);
    return [{ ...step, address: from, data: step.data.subarray(from - step.address, to - step.address), erases }];
  });
}

function wholeUnits(step: WriteStep): readonly Unit[] {
  return step.erases.map((erase): Unit => {
    const from = erase.address - step.address;
    const data = step.data.subarray(from, from + erase.size);
    const records = recordsOf({ address: erase.address, data, erases: [erase] });
    return { address: erase.address, size: erase.size, contents: data, records, whole: records, wasTried: false };
  });
}

/** How the plan erases a block; a block erase is cut where patches are composed in smaller pieces. */
function erasesWithin(steps: readonly WriteStep[], address: Address, size: number) {
  const end = address + size;
  return steps
    .flatMap(({ erases }) => erases)
    .filter((erase) => erase.address < end && erase.address + erase.size > address)
    .map((erase) => {
      const from = Math.max(erase.address, address);
      return { unit: erase.unit, address: from, size: Math.min(erase.address + erase.size, end) - from };
    });
}

/** One run of the loader over what is pending. */
class Round {
  readonly #units: readonly Unit[];
  readonly #work: PatchWork;
  readonly #context: Context;
  #next = 0;

  constructor(units: readonly Unit[], work: PatchWork, context: Context) {
    this.#units = units;
    this.#work = work;
    this.#context = context;
  }

  /** What is not certainly written; the first of them may be half done. */
  get left(): readonly Unit[] {
    return this.#units.slice(this.#next);
  }

  /** Records come in order, writes maybe in pieces. */
  done(record: LoaderRecord): void {
    const unit = this.#units[this.#next];
    const last = unit?.records.at(-1);
    if (unit === undefined || last === undefined || (record.kind === "erase") !== (last.kind === "erase")) return;
    if (endOf(record) < endOf(last)) return;
    this.#next++;
    const { address, size } = unit;
    this.#context.trace.addBytes(size);
    this.#context.onProgress(size);
    this.#work.onWritten({ address, size }, size);
  }
}

function endOf(record: LoaderRecord): Address {
  return record.address + sizeOfTarget(record);
}

/** A patch that did not compose, or a unit that read back wrongly the first time, is sent whole. @throws what that does not help */
function afterFailure(left: readonly Unit[], error: unknown, work: PatchWork, context: Context): readonly Unit[] {
  const [failed, ...rest] = left;
  if (failed === undefined || !(error instanceof LoaderFailed) || error.code !== "verify-failed") throw error;
  if (failed.wasTried) throw error;
  context.log(`${formatBytes(failed.size)} at ${hex(failed.address, 8)}: ${error.message}; sent whole`);
  if (error.status !== loaderStatus.patchWrong) {
    work.note(`The first attempt at ${formatBytes(failed.size)} went wrong and was repeated; watch this board.`);
  }
  return [{ ...failed, records: failed.whole, wasTried: true }, ...rest];
}
