/**
 * Plans how our RAM stub composes new sectors from what the flash holds: which operations, in which order. Pure, and plain data
 * on both sides, so that another thread can do it. Knows nothing of the wire, and does not deflate: the caller compares.
 */
import { crc32 } from "./crc32.ts";
import { Encoder, type Contents } from "./delta-encode.ts";
import { Matcher, type Segment } from "./delta-match.ts";
import { OpWriter, type BlockHeader, type Operations } from "./delta-ops.ts";
import { orderBlocks, type Read, type Turn } from "./delta-order.ts";
import { knownFlash, knownParts, SeedIndex, type KnownFlash, type KnownPiece } from "./delta-source.ts";
import { hex } from "./bytes.ts";
import { FlashError } from "./errors.ts";
import type { Address } from "./image.ts";
import type { Erase } from "./plan.ts";

const sectorBytes = 0x1000;
/** What the stub can erase at once. */
const eraseBlockBytes = 0x10000;

/** Whole sectors that are written again, as a write step of `planWrites` has them. */
export interface DeltaWrite {
  /** A multiple of 4096. */
  readonly address: Address;
  /** A multiple of 4096 bytes. */
  readonly data: Uint8Array;
  readonly erases: readonly Erase[];
}

export interface DeltaLimits {
  /** The largest block that the stub composes: at least 4096. Blocks are aligned to what of it is a power of two, 64 KiB at most. */
  readonly blockBytes: number;
  /** Size of the stub's save area; 0 where there is none. */
  readonly saveBytes: number;
  /** From so many sectors on erasing their block is quicker; as many as the plan erases if not given. */
  readonly blockPaysFrom?: number;
}

export interface DeltaRequest {
  /** Disjoint. */
  readonly writes: readonly DeltaWrite[];
  /** What the flash holds, as far as that is known: everything in it is a source, also what is not written. */
  readonly old: readonly KnownPiece[];
  readonly limits: DeltaLimits;
}

/** One BLK … COMMIT: the operations, and what they are about. */
export interface DeltaBlock extends Operations {
  readonly address: Address;
  /** Bytes, a multiple of 4096; inside one 64 KiB aligned window. */
  readonly size: number;
  /** Of `contents`. */
  readonly crc32: number;
  /** Sectors that need an erase from which the whole 64 KiB may be erased at once; 0 = never. */
  readonly blockFrom: number;
  /** What shall stand there: a view of the write's data. */
  readonly contents: Uint8Array;
  /** BLK, and the SAVEs that later blocks rely on: with what `ops` begins. */
  readonly opening: Operations;
  /** True when `ops` compose the same whatever the flash holds. */
  readonly literal: boolean;
  /** Bytes of `contents` that come out of the flash or the save area, and those that come over the wire. */
  readonly copiedBytes: number;
  readonly literalBytes: number;
}

export interface DeltaPlan {
  /** In the order in which they must be sent: a block may have overwritten what those before it read. */
  readonly blocks: readonly DeltaBlock[];
}

/** `planDelta`, here or on another thread. */
export type DeltaPlanner = (request: DeltaRequest) => Promise<DeltaPlan>;

/** @throws FlashError `bad-image` if a write is not made of whole sectors */
export function planDelta(request: DeltaRequest): DeltaPlan {
  const { limits } = request;
  const flash = knownFlash(request.old);
  const blockBytes = Math.min(eraseBlockBytes, 2 ** Math.floor(Math.log2(limits.blockBytes)));
  const blocks = request.writes.flatMap((write) => cut(write, { ...limits, blockBytes }, flash));
  const matcher = new Matcher(flash, new SeedIndex(flash), blockBytes);
  const segments = blocks.map((block) => matcher.match(block.address, block.data));
  const turns = orderBlocks(blocks.length, readsOf(blocks, segments, flash), limits.saveBytes);
  const encoder = new Encoder(flash);
  return {
    blocks: turns.flatMap((turn) => {
      const block = blocks[turn.block];
      return block === undefined ? [] : [encoded(encoder, block, segments[turn.block] ?? [], turn)];
    }),
  };
}

/** The same block for a flash that does not hold what was thought: needs nothing of it, and keeps the SAVEs. */
export function literalBlock(block: Pick<DeltaBlock, "address" | "blockFrom" | "contents" | "opening">): Operations {
  const writer = new OpWriter(block.address);
  writer.resume(block.opening);
  writer.literal(block.contents);
  writer.commit(block.blockFrom);
  return writer.taken();
}

/** A PACKED operation around others. @param deflated whole operations as a raw deflate stream */
export function packed(deflated: Uint8Array): Uint8Array {
  const writer = new OpWriter(0);
  writer.packed(deflated);
  return writer.taken().ops;
}

interface Block extends Contents, BlockHeader {
  readonly blockFrom: number;
}

function cut(write: DeltaWrite, limits: DeltaLimits, flash: KnownFlash): readonly Block[] {
  if (write.address % sectorBytes !== 0 || write.data.length % sectorBytes !== 0)
    throw new FlashError("bad-image", `${write.data.length} bytes at ${hex(write.address)} are not whole sectors`);
  const blocks: Block[] = [];
  const end = write.address + write.data.length;
  for (let address = write.address; address < end;) {
    const next = Math.min(end, address - (address % limits.blockBytes) + limits.blockBytes);
    const data = write.data.subarray(address - write.address, next - write.address);
    const erasedWhole = write.erases.some(
      (erase) => erase.unit === "block" && erase.address === address && erase.size === eraseBlockBytes,
    );
    const sectors = erasedWhole && data.length === eraseBlockBytes ? erasedSectors(flash, address, data) : 0;
    const blockFrom = Math.min(sectors, limits.blockPaysFrom ?? sectors);
    blocks.push({ address, size: data.length, data, crc32: crc32(data), blockFrom });
    address = next;
  }
  return blocks;
}

/** Sectors in which a bit has to rise, or of which nothing is known. */
function erasedSectors(flash: KnownFlash, address: Address, data: Uint8Array): number {
  let sectors = 0;
  for (let at = 0; at < data.length; at += sectorBytes) {
    const [part] = knownParts(flash, address + at, sectorBytes);
    if (part?.size !== sectorBytes || bitsRise(flash.bytes, part.at, data.subarray(at, at + sectorBytes))) sectors++;
  }
  return sectors;
}

function bitsRise(old: Uint8Array, at: number, fresh: Uint8Array): boolean {
  return fresh.some((byte, index) => (byte & ~(old[at + index] ?? 0)) !== 0);
}

/** What blocks read of other blocks' places. */
function readsOf(
  blocks: readonly Block[],
  segments: readonly (readonly Segment[])[],
  flash: KnownFlash,
): readonly Read[] {
  const places = blocks
    .flatMap(({ address, size }, owner) =>
      knownParts(flash, address, size).map((part) => ({ from: part.at, to: part.at + part.size, owner })),
    )
    .sort((a, b) => a.from - b.from);
  const reads: Read[] = [];
  segments.forEach((list, reader) => {
    for (const { from, to, source } of list) {
      if (source === undefined) continue;
      for (const [run, place] of places.entries()) {
        const read = {
          reader,
          owner: place.owner,
          run,
          from: Math.max(source, place.from),
          to: Math.min(source + to - from, place.to),
        };
        if (read.from < read.to && place.owner !== reader) reads.push(read);
      }
    }
  });
  return reads;
}

function encoded(encoder: Encoder, block: Block, segments: readonly Segment[], turn: Turn): DeltaBlock {
  const { writer, opening } = encoder.encode(block, segments, turn);
  const { address, size, crc32, blockFrom, data } = block;
  writer.commit(blockFrom);
  const delta = writer.taken();
  const common = { address, size, crc32, blockFrom, contents: data, opening };
  const plain = literalBlock(common);
  if (plain.ops.length <= delta.ops.length)
    return { ...common, ...plain, literal: true, copiedBytes: 0, literalBytes: size };
  return {
    ...common,
    ...delta,
    literal: false,
    copiedBytes: writer.copiedBytes,
    literalBytes: writer.literalBytes,
  };
}
