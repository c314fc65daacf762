/**
 * Writes a plan's runs block by block: each composed by the stub from what the flash holds and what comes over the wire, checked
 * before the erase, read back after it. Where the flash does not hold what the record said, the block is sent whole.
 */
import { deflateRaw } from "node:zlib";
import { promisify } from "node:util";
import { hex } from "../../../core/bytes.ts";
import { literalBlock, packed, type DeltaBlock } from "../../../core/delta.ts";
import type { Operations } from "../../../core/delta-ops.ts";
import { FlashError } from "../../../core/errors.ts";
import type { Share } from "../../../core/trace.ts";
import { StoppedBetweenRequests, type PatchWork } from "../../target.ts";
import type { StubChannel } from "./channel.ts";
import { commitReply, operation, OperationFailed, status } from "./operations.ts";
import type { Reply } from "./stream.ts";

const sectorBytes = 0x1000;
/** How many blocks are handed to the stub ahead of the one it writes: enough for the wire, little to wait for when cancelled. */
const blocksAhead = 2;
/** Firmware and operations deflate to about two thirds; below this much gain the stub's inflate part is not worth sending. */
const deflatedShare = 0.65;
/** How often one block is tried, and how often the stub is woken after it went silent, in one flash. */
const blockAttempts = 3;
const wakings = 8;

const deflated = promisify(deflateRaw);

interface Pending {
  readonly block: DeltaBlock;
  /** Without copies: after an attempt whose outcome nobody knows, or when the flash holds something else than was thought. */
  readonly isLiteral: boolean;
  readonly attempts: number;
}

/** @throws FlashError when a block could not be written; what was written until then has been told to `work` */
export async function writeBlocks(channel: StubChannel, work: PatchWork): Promise<void> {
  const { blockBytes, saveBytes } = channel.hello;
  channel.link.context.trace.enter("plan", "patches");
  const { blocks } = await work.planDelta({ writes: work.writes, old: work.old, limits: { blockBytes, saveBytes } });
  let pending: readonly Pending[] = blocks.map((block) => ({ block, isLiteral: block.literal, attempts: 0 }));
  const packs = worthInflating(channel, pending);
  let silences = 0;
  let skippedBytes = 0;
  while (pending.length > 0) {
    const round = new Round({ channel, work, packs, pending });
    try {
      await round.run();
      skippedBytes += round.skippedBytes;
      const allBytes = blocks.reduce((sum, block) => sum + block.size, 0);
      if (skippedBytes === allBytes) work.note("Every sector held its contents already, so nothing was erased.");
      return;
    } catch (error) {
      const isSilence = error instanceof FlashError && error.code === "timeout" && ++silences <= wakings;
      if (!isSilence && !(error instanceof OperationFailed)) throw error;
      skippedBytes += round.skippedBytes;
      pending = afterFailure({ channel, work }, round.left, error);
      await channel.restart();
    }
  }
}

/** The block that failed is next, without anything that its first attempt may have spoilt. @throws what cannot be helped */
function afterFailure(
  { channel, work }: Pick<RoundParts, "channel" | "work">,
  left: readonly Pending[],
  error: FlashError,
): readonly Pending[] {
  const [failed, ...rest] = left;
  if (failed === undefined) throw error;
  const { block } = failed;
  const mayHelp = !(error instanceof OperationFailed) || isCurable(error.status, failed);
  if (!mayHelp || failed.attempts + 1 >= blockAttempts) {
    throw new FlashError(
      error.code,
      `writing ${block.size / 1024} KiB at ${hex(block.address)} failed: ${error.message}`,
      { cause: error, remedy: error.remedy },
    );
  }
  channel.link.context.log(`block at ${hex(block.address)}: ${error.message}; it is sent whole`);
  if (error.code === "verify-failed") {
    work.note(`The first attempt at ${block.size / 1024} KiB read back wrongly and was repeated; watch this board.`);
  }
  return [{ block, isLiteral: true, attempts: failed.attempts + 1 }, ...rest];
}

/** Whether the same block, sent whole, may well succeed. */
function isCurable(code: number, { isLiteral }: Pending): boolean {
  switch (code) {
    case status.wrongContents:
    case status.verifyFailed:
    case status.badStream:
    case status.dropped:
      return true;
    case status.badArgument:
    case status.outsideFlash:
      return !isLiteral; // the patch itself was wrong, and nothing was erased
  }
  return false;
}

/** Whether operations are to be deflated. */
function worthInflating(channel: StubChannel, pending: readonly Pending[]): boolean {
  if (channel.has("inflate")) return true;
  const bytes = pending.reduce((sum, { block }) => sum + block.ops.length, 0);
  const partBytes = channel.partBytes("inflate");
  return partBytes > 0 && bytes * (1 - deflatedShare) >= partBytes;
}

interface RoundParts {
  readonly channel: StubChannel;
  readonly work: PatchWork;
  readonly packs: boolean;
  readonly pending: readonly Pending[];
}

/** The blocks that are still to be written, in one stream of operations, up to the first error. */
class Round {
  readonly #parts: RoundParts;
  /** By place in the list of what is pending: how many operations the stream has with it. */
  readonly #ends: number[] = [];
  readonly #erased = new Map<DeltaBlock, number>();
  /** Bytes that stood there already. */
  skippedBytes = 0;
  #finished = 0;

  constructor(parts: RoundParts) {
    this.#parts = parts;
  }

  /** What is not certainly written. */
  get left(): readonly Pending[] {
    return this.#parts.pending.slice(this.#finished);
  }

  async run(): Promise<void> {
    const { channel, pending, packs } = this.#parts;
    const { stream } = channel;
    stream.onReply = (reply) => this.#take(reply);
    channel.load("write");
    if (packs) channel.load("inflate");
    channel.link.context.trace.enter("write", "first block on the wire");
    const encodings: Promise<Operations>[] = [];
    for (const [place] of pending.entries()) {
      if (channel.link.context.stop?.aborted === true) break;
      for (let next = encodings.length; next < Math.min(place + 2, pending.length); next++) {
        encodings.push(encode(pending[next], packs));
        encodings.at(-1)?.catch(() => undefined);
      }
      this.#ends.push(stream.append((await encodings[place]) ?? nothing));
      await this.#reach(place - blocksAhead);
    }
    await this.#reach(this.#ends.length - 1);
    if (this.#finished < pending.length) throw new StoppedBetweenRequests();
  }

  /** Waits until the block at this place is written. */
  async #reach(place: number): Promise<void> {
    const count = this.#ends[place];
    if (count === undefined) return;
    try {
      await this.#parts.channel.stream.reach(count);
    } finally {
      this.#settle();
    }
  }

  /** Tells of the blocks that the stub has done with, even if its own word on one of them was lost. */
  #settle(): void {
    const { channel, work, pending } = this.#parts;
    while ((this.#ends[this.#finished] ?? Infinity) <= channel.stream.done) {
      const block = pending[this.#finished]?.block;
      this.#finished++;
      if (block === undefined) continue;
      work.onWritten({ address: block.address, size: block.size }, this.#erased.get(block) ?? block.size);
      channel.link.context.onProgress(block.size);
    }
  }

  #take(reply: Reply): void {
    if (reply.op !== operation.commit || reply.status !== 0 || reply.data.length < commitReply.size) return;
    const place = this.#ends.indexOf(reply.index + 1);
    const block = this.#parts.pending[place]?.block;
    if (block === undefined) return;
    const { skipped, erased, blockErased } = commitReply.read(reply.data);
    this.skippedBytes += skipped * sectorBytes;
    this.#erased.set(block, blockErased === 0 ? erased * sectorBytes : block.size);
    const wire = { phase: "write", label: `${placeOf(block)} wire`, bytes: 0, waitsFor: "wire" } as const;
    this.#parts.channel.link.context.trace.divide(sharesOf(block, reply.data), wire);
  }
}

function placeOf(block: DeltaBlock): string {
  return `${hex(block.address)} ${block.size / 1024} KiB`;
}

/** Where the time of a block went, as the chip's own clock has it; the rest of it the chip waited for the wire. */
function sharesOf(block: DeltaBlock, data: Uint8Array): readonly Share[] {
  const times = commitReply.read(data);
  const at = placeOf(block);
  const bytes = block.size - times.skipped * sectorBytes;
  const flash = { waitsFor: "flash" } as const;
  const shares: readonly Share[] = [
    { phase: "write", label: `${at} compose`, durationMs: times.composeUs / 1000, bytes: 0, ...flash },
    { phase: "verify", label: `${at} compare`, durationMs: times.compareUs / 1000, bytes: 0, ...flash },
    { phase: "erase", label: at, durationMs: times.eraseUs / 1000, bytes: 0, ...flash },
    { phase: "write", label: at, durationMs: times.programUs / 1000, bytes, ...flash },
    { phase: "verify", label: `${at} read back`, durationMs: times.verifyUs / 1000, bytes, ...flash },
  ];
  return shares.filter((share) => share.durationMs > 0 || share.bytes > 0);
}

const nothing: Operations = { ops: new Uint8Array(0), operations: 0 };

/** The shortest of the ways to say it. */
async function encode(pending: Pending | undefined, packs: boolean): Promise<Operations> {
  if (pending === undefined) return nothing;
  const { block } = pending;
  const whole = literalBlock(block);
  const ways = pending.isLiteral ? [whole] : [block, whole];
  if (!packs) return shortest(ways);
  // Deflating takes time, and pays for the whole block only where nearly everything in it is new.
  const worthPacking = pending.isLiteral || block.ops.length < block.size / 2 ? ways.slice(0, 1) : ways;
  return shortest([...ways, ...(await Promise.all(worthPacking.map(pack)))]);
}

function shortest(ways: readonly Operations[]): Operations {
  return ways.reduce((best, one) => (one.ops.length < best.ops.length ? one : best), ways[0] ?? nothing);
}

async function pack({ ops, operations }: Operations): Promise<Operations> {
  return { ops: packed(await deflated(ops, { level: 9 })), operations: operations + 1 };
}
