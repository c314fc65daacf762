/**
 * The loader in a Cortex-M's RAM as seen from the host: puts it there, asks it for digests, hands it what is to be written, in batches or
 * as a stream. How code is started on each server is `run.ts`'s; what is to be written, the session's. The core is halted before and after.
 */
import type { Digest } from "../../core/digest.ts";
import { FlashError } from "../../core/errors.ts";
import type { Range } from "../../core/image.ts";
import type { FlashTimes } from "./chips/row.ts";
import type { GdbClient } from "./client.ts";
import {
  abortAt,
  decodeDigests,
  digestRangeBytes,
  encodeMailbox,
  encodeRanges,
  encodeRecords,
  loaderCommand,
  loaderFlag,
  loaderStatus,
  mailboxBytes,
  progressOf,
  type LoaderJob,
  type LoaderProgress,
  type LoaderRecord,
} from "./loader-abi.ts";
import { portionsOf } from "./loader-batches.ts";
import type { LoaderProgram } from "./loader-blobs.ts";
import { LoaderFailed } from "./loader-errors.ts";
import { layOut, layOutForPatches, type LoaderSpace } from "./loader-space.ts";
import { feed, firstSlots, isShort, streamPortions, type Portions } from "./loader-stream.ts";
import { digestLimitMs, recordsLimitMs, travelsMeanwhile } from "./loader-times.ts";
import type { Block } from "./memory.ts";
import { LoaderRunner, type LoaderEntry } from "./run.ts";

export interface LoaderSetup {
  readonly program: LoaderProgram;
  /** All of it may be used. */
  readonly ram: Range;
  /** What may be written, and what patches may copy from. */
  readonly flash: Range;
  /** The driver's arguments. */
  readonly driverWords: readonly number[];
  /** For deadlines; undefined where nobody knows them. */
  readonly times?: FlashTimes | undefined;
}

export interface WriteOptions {
  /** `loaderFlag`: verify, skipEqual, eraseOnlyRising. */
  readonly flags: number;
  /** In order; writes may come in pieces. A record that is not told of may be half done when the job fails. */
  onDone(record: LoaderRecord): void;
  /** True: nothing more is to be begun. */
  shouldStop(): boolean;
}

/** For patches: what `planDelta` may reckon with. */
export interface PatchLimits {
  readonly blockBytes: number;
  readonly saveBytes: number;
}

/** How much is loaded at once where the core halts in between: all the RAM there is, but a cancel is to be heard. */
const mostBatchBytes = 0x40000;
/** Behind the mailbox, in one answer with it; read at each look. */
const mostAnswerBytes = 128;
/** A loader that is told to stop does so after at most one erase. */
const abortMs = 3_000;

export class Loader {
  readonly #client: GdbClient;
  readonly #runner: LoaderRunner;
  readonly #setup: LoaderSetup;
  readonly #space: LoaderSpace;
  readonly #patchSpace: LoaderSpace | undefined;
  /** Bytes of the code that are known to stand in RAM. */
  #installedBytes = 0;
  /** Into RAM, latencies and all, as the loader's own upload showed. */
  #bytesPerMs: number | undefined;

  /** @throws FlashError `does-not-fit` when the RAM is too small */
  constructor(client: GdbClient, setup: LoaderSetup) {
    this.#client = client;
    this.#runner = new LoaderRunner(client);
    this.#setup = setup;
    this.#space = layOut(setup.ram, setup.program);
    this.#patchSpace = layOutForPatches(setup.ram, setup.program);
  }

  /** Undefined when the RAM is too small for patches. */
  get patchLimits(): PatchLimits | undefined {
    if (this.#patchSpace === undefined) return undefined;
    return { blockBytes: this.#patchSpace.work.size, saveBytes: this.#patchSpace.saveBytes };
  }

  /** Puts it into RAM ahead of its first job. @returns bytes of it that were not there yet */
  async install(): Promise<number> {
    const { clock } = this.#client.wire.context;
    const from = this.#installedBytes;
    const fromMs = clock.nowMs();
    await this.#install(this.#space);
    const bytes = this.#installedBytes - from;
    const ms = clock.nowMs() - fromMs;
    if (bytes > 0 && ms > 0) this.#bytesPerMs = bytes / ms;
    return bytes;
  }

  /**
   * True when so many bytes of one erase unit travel while the flash works on it: sent whole they cost nothing then, where
   * a patch would have to be composed before the erase.
   */
  hidesTransfer(bytes: number): boolean {
    return this.#streams && travelsMeanwhile(bytes, this.#bytesPerMs, this.#setup.times);
  }

  get #streams(): boolean {
    return this.#client.traits.loaderWay === "stream" && this.#runner.memoryWhileRunning;
  }

  /** Something else may have used the RAM: a program that ran, or the server's own flash driver. */
  invalidate(): void {
    this.#installedBytes = 0;
  }

  /** For the end of a session: nothing of ours stays in the server. */
  release(): Promise<void> {
    return this.#runner.release();
  }

  /** What stands in each range, as `loaderDigest` has it. @throws LoaderFailed, and what `LoaderRunner` throws */
  async digests(ranges: readonly Range[]): Promise<readonly Digest[]> {
    const space = this.#space;
    const most = Math.floor(space.buffer.size / digestRangeBytes);
    const digests: Digest[] = [];
    for (let at = 0; at < ranges.length; at += most) {
      const asked = ranges.slice(at, at + most);
      digests.push(...(await this.#digestsAtOnce(space, asked)));
    }
    return digests;
  }

  async #digestsAtOnce(space: LoaderSpace, ranges: readonly Range[]): Promise<readonly Digest[]> {
    const { address } = space.buffer;
    const job = { command: loaderCommand.digest, buffer: space.buffer, count: ranges.length };
    const limitMs = digestLimitMs(ranges.reduce((sum, { size }) => sum + size, 0));
    const tableBytes = ranges.length * digestRangeBytes;
    // The table stands right behind the mailbox: a short one comes along with it.
    const comesAlong = tableBytes <= mostAnswerBytes;
    const words = (mailboxBytes + tableBytes) / 4;
    let table: Uint8Array | undefined;
    await this.#run(space, job, {
      blocks: [{ address, data: encodeRanges(ranges) }],
      work: async (entry) => {
        if (!comesAlong) return this.#runner.finish(entry, limitMs);
        const answer = await this.#runner.finish(entry, limitMs, words);
        table = new Uint8Array(answer.buffer, answer.byteOffset + mailboxBytes, tableBytes);
        return answer;
      },
    });
    if (table === undefined) [table = new Uint8Array()] = await this.#client.read([{ address, size: tableBytes }]);
    return decodeDigests(table);
  }

  /**
   * Carries out records in order. Flash that they do not name stays as it is.
   * @returns false when it was stopped in between
   * @throws LoaderFailed naming the address, and what `LoaderRunner` throws
   */
  async write(records: readonly LoaderRecord[], options: WriteOptions): Promise<boolean> {
    if (records.length === 0) return true;
    const space = records.some(({ kind }) => kind === "patch") ? this.#patchSpace : this.#space;
    if (space === undefined) throw new FlashError("does-not-fit", "the RAM is too small to compose patches in");
    const { programUnit } = this.#setup.program;
    if (this.#streams && !isShort(records)) {
      const room = { bufferBytes: space.buffer.size, programUnit };
      const cut = streamPortions(records, room, (bytes) => this.hidesTransfer(bytes));
      if (cut.portions.length > 1) return this.#stream(space, cut, options);
    }
    const batches = portionsOf(records, Math.min(space.buffer.size, mostBatchBytes), programUnit);
    for (const batch of batches) {
      if (options.shouldStop()) return false;
      await this.#batch(space, batch, options);
    }
    return true;
  }

  async #batch(space: LoaderSpace, records: readonly LoaderRecord[], options: WriteOptions): Promise<void> {
    const job = { ...this.#jobOf(space, options.flags), command: loaderCommand.batch, count: records.length };
    const tell = tellerOf(records, options);
    await this.#run(space, job, {
      blocks: [{ address: space.buffer.address, data: encodeRecords(records) }],
      work: async (entry) => {
        const mailbox = await this.#runner.finish(entry, recordsLimitMs(records, this.#setup.times));
        tell(progressOf(mailbox));
        return mailbox;
      },
    });
  }

  async #stream(space: LoaderSpace, { portions, slotBytes }: Portions, options: WriteOptions): Promise<boolean> {
    const { address } = space.buffer;
    const slots = { mailbox: space.mailbox, first: address, bytes: slotBytes };
    const limitMs = (records: readonly LoaderRecord[]) => recordsLimitMs(records, this.#setup.times);
    const onProgress = tellerOf(portions.flat(), options);
    let stopped = false;
    const shouldStop = () => (stopped ||= options.shouldStop());
    const job = {
      ...this.#jobOf(space, options.flags),
      command: loaderCommand.stream,
      buffer: { address, size: slotBytes },
    };
    await this.#run(space, job, {
      blocks: firstSlots(slots, portions[0] ?? []),
      work: async (entry) => {
        const stallMs = Math.max(...portions.map(limitMs));
        const fed = await feed(this.#client, slots, portions, { stallMs, onProgress, shouldStop });
        if (fed === "stalled") throw await this.#runner.giveUp(entry, stallMs);
        const mailbox = await this.#runner.finish(entry, limitMs(portions.slice(-3).flat()));
        onProgress(progressOf(mailbox));
        return mailbox;
      },
    });
    return !stopped;
  }

  #jobOf(space: LoaderSpace, flags: number): Omit<LoaderJob, "command"> {
    const { flash, driverWords } = this.#setup;
    const patches = space === this.#patchSpace ? loaderFlag.patchLoaded : 0;
    const { buffer, work, saveBytes } = space;
    return { buffer, work, saveBytes, flash, flags: flags | patches, driverArguments: driverWords };
  }

  /** @throws LoaderFailed unless it ends well; the core is halted in any case, if the connection still is there */
  async #run(
    space: LoaderSpace,
    job: LoaderJob,
    {
      blocks,
      work,
    }: { readonly blocks: readonly Block[]; readonly work: (entry: LoaderEntry) => Promise<Uint32Array> },
  ): Promise<void> {
    const { code, mailbox, stackTop } = space;
    const entry = { code, end: code + 4, mailbox, stackTop };
    await this.#install(space);
    const box = encodeMailbox({ driverArguments: this.#setup.driverWords, ...job });
    let progress: LoaderProgress;
    try {
      await this.#runner.start(entry, joined([{ address: mailbox, data: box }, ...blocks]));
      progress = progressOf(await work(entry));
    } catch (error) {
      this.invalidate();
      if (this.#client.wire.broken === undefined) await this.#client.evenIfCancelled(() => this.#stop(entry));
      throw error;
    }
    if (progress.status !== loaderStatus.ok) throw new LoaderFailed(progress);
  }

  async #install({ code, codeBytes }: LoaderSpace): Promise<void> {
    const { program } = this.#setup;
    const from = this.#installedBytes;
    // What lies behind the code now may be overwritten by this job.
    this.#installedBytes = Math.min(from, codeBytes);
    if (from < codeBytes) {
      await this.#client.write([{ address: code + from, data: program.code.subarray(from, codeBytes) }]);
      this.#installedBytes = codeBytes;
    }
    await this.#runner.prepare(code + 4);
  }

  /** Ends what runs, at the end of an erase where it can; never throws, for there is an error already. */
  async #stop(entry: LoaderEntry): Promise<void> {
    try {
      if (this.#runner.memoryWhileRunning) {
        await this.#client.writeWords(entry.mailbox + abortAt, [1]);
        await this.#runner.finish(entry, abortMs);
      } else await this.#runner.stop();
    } catch (error) {
      this.#client.wire.context.log(`the core could not be stopped: ${String(error)}`);
    }
  }
}

/** Tells of each record once, as the loader's count goes up. */
function tellerOf(records: readonly LoaderRecord[], options: WriteOptions): (progress: LoaderProgress) => void {
  let told = 0;
  return ({ done }) => {
    for (const record of records.slice(told, Math.max(told, done))) options.onDone(record);
    told = Math.max(told, done);
  };
}

/** Blocks that touch become one, so that they travel in one packet. */
function joined(blocks: readonly Block[]): readonly Block[] {
  const all: Block[] = [];
  for (const block of blocks) {
    const last = all.at(-1);
    if (last !== undefined && last.address + last.data.length === block.address) {
      all[all.length - 1] = { address: last.address, data: Buffer.concat([last.data, block.data]) };
    } else all.push(block);
  }
  return all;
}
