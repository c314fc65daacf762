/** Turns what a matcher found for a block into operations, by what the flash holds when the block's turn comes. */
import type { Address } from "./image.ts";
import { OpWriter, type BlockHeader, type Operations } from "./delta-ops.ts";
import type { Segment } from "./delta-match.ts";
import type { Kept, Turn } from "./delta-order.ts";
import { addressOf, knownParts, type KnownFlash } from "./delta-source.ts";

/** From so many equal bytes on a SAVED is shorter than the bytes. */
const savedFrom = 7;
/** What cutting a copy in two for saved bytes costs on the wire. */
const cutCost = 10;

/** A block of new contents. */
export interface Contents {
  readonly address: Address;
  readonly data: Uint8Array;
}

export interface OpenBlock {
  /** Has written everything but the COMMIT. */
  readonly writer: OpWriter;
  /** BLK and the SAVEs: with what the operations begin. */
  readonly opening: Operations;
}

export class Encoder {
  private readonly flash: KnownFlash;
  private readonly keptBytes = new Map<Kept, Uint8Array>();

  /** @param flash follows what is written: changes with each block */
  constructor(flash: KnownFlash) {
    this.flash = flash;
  }

  /** The operations up to the COMMIT, and what they leave behind in the flash. */
  encode(contents: Contents & BlockHeader, segments: readonly Segment[], turn: Turn): OpenBlock {
    const writer = new OpWriter(contents.address);
    writer.begin(contents);
    for (const kept of turn.saves) {
      this.keptBytes.set(kept, this.flash.bytes.slice(kept.from, kept.to));
      writer.save(kept.offset, kept.to - kept.from, addressOf(this.flash, kept.from));
    }
    const opening = writer.taken();
    const kept = [...turn.kept].sort((a, b) => a.from - b.from);
    for (const { from, to, source } of segments) {
      const fresh = contents.data.subarray(from, to);
      if (source === undefined) writer.literal(fresh);
      else this.copy(writer, { fresh, source }, kept);
    }
    for (const part of knownParts(this.flash, contents.address, contents.data.length)) {
      const from = part.address - contents.address;
      this.flash.bytes.set(contents.data.subarray(from, from + part.size), part.at);
    }
    return { writer, opening };
  }

  /** A copy of which parts may stand in the save area, since the flash does not hold them any more. @param kept ascending */
  private copy(writer: OpWriter, piece: Piece, kept: readonly Kept[]): void {
    const { fresh, source } = piece;
    let done = 0;
    for (const one of kept) {
      const from = Math.max(done, one.from - source);
      const to = Math.min(fresh.length, one.to - source);
      const bytes = this.keptBytes.get(one);
      if (from >= to || bytes === undefined) continue;
      const old = bytes.subarray(from + source - one.from, to + source - one.from);
      const part = fresh.subarray(from, to);
      if (this.differing(part, source + from) <= differing(part, old) + cutCost) continue;
      this.copyFlash(writer, fresh.subarray(done, from), source + done);
      copySaved(writer, part, { offset: one.offset + from + source - one.from, old });
      done = to;
    }
    this.copyFlash(writer, fresh.subarray(done), source + done);
  }

  private copyFlash(writer: OpWriter, fresh: Uint8Array, source: number): void {
    if (fresh.length === 0) return;
    const old = this.flash.bytes.subarray(source, source + fresh.length);
    writer.copy(addressOf(this.flash, source), fresh, old);
  }

  private differing(fresh: Uint8Array, source: number): number {
    return differing(fresh, this.flash.bytes.subarray(source, source + fresh.length));
  }
}

interface Piece {
  readonly fresh: Uint8Array;
  /** Index in the known flash. */
  readonly source: number;
}

function differing(a: Uint8Array, b: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) count++;
  return count;
}

/** Runs of equal bytes out of the save area, the rest over the wire. */
function copySaved(writer: OpWriter, fresh: Uint8Array, kept: { offset: number; old: Uint8Array }): void {
  let pending = 0;
  for (let at = 0; at < fresh.length;) {
    let end = at;
    while (end < fresh.length && fresh[end] === kept.old[end]) end++;
    if (end - at >= savedFrom) {
      writer.literal(fresh.subarray(pending, at));
      writer.saved(kept.offset + at, end - at);
      pending = end;
    }
    at = end + 1;
  }
  writer.literal(fresh.subarray(Math.min(pending, fresh.length)));
}
