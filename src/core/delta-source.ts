/** What the flash is known to hold, in one array, and where in it eight given bytes stand. */
import type { Address } from "./image.ts";

/** Bytes that stand in the flash. Plain data: it may come from another thread. */
export interface KnownPiece {
  readonly address: Address;
  readonly data: Uint8Array;
}

/** A run of known bytes: `size` bytes from `address` on stand at index `at` of the array. */
export interface Stretch {
  readonly address: Address;
  readonly at: number;
  readonly size: number;
}

/** `bytes` is a copy of its own, so that it can follow what is written. Stretches ascend by address and index, and do not touch. */
export interface KnownFlash {
  readonly bytes: Uint8Array;
  readonly stretches: readonly Stretch[];
}

/** Where pieces overlap, the one that begins first counts. */
export function knownFlash(pieces: readonly KnownPiece[]): KnownFlash {
  const sorted = [...pieces].sort((a, b) => a.address - b.address);
  const bytes = new Uint8Array(sorted.reduce((sum, piece) => sum + piece.data.length, 0));
  const stretches: { address: Address; at: number; size: number }[] = [];
  let used = 0;
  for (const { address, data } of sorted) {
    const last = stretches.at(-1);
    const end = last === undefined ? 0 : last.address + last.size;
    const news = address < end ? data.subarray(end - address) : data;
    if (news.length === 0) continue;
    bytes.set(news, used);
    if (last !== undefined && address <= end) last.size += news.length;
    else stretches.push({ address, at: used, size: news.length });
    used += news.length;
  }
  return { bytes: bytes.subarray(0, used), stretches };
}

/** The stretch that holds the byte at `index` of the array. */
export function stretchAt(flash: KnownFlash, index: number): Stretch | undefined {
  return search(
    flash.stretches,
    (stretch) => stretch.at <= index,
    (stretch) => index < stretch.at + stretch.size,
  );
}

/** The address of the byte at `index` of the array. */
export function addressOf(flash: KnownFlash, index: number): Address {
  const stretch = stretchAt(flash, index);
  return stretch === undefined ? index : stretch.address + index - stretch.at;
}

/** The parts of `size` bytes from `address` on that are known, ascending. */
export function knownParts(flash: KnownFlash, address: Address, size: number): readonly Stretch[] {
  const parts: Stretch[] = [];
  for (const stretch of flash.stretches) {
    const from = Math.max(address, stretch.address);
    const to = Math.min(address + size, stretch.address + stretch.size);
    if (from < to) parts.push({ address: from, at: stretch.at + from - stretch.address, size: to - from });
  }
  return parts;
}

/** The last stretch for which `before` is true, if `holds` is too. */
function search(
  stretches: readonly Stretch[],
  before: (stretch: Stretch) => boolean,
  holds: (stretch: Stretch) => boolean,
): Stretch | undefined {
  let low = 0;
  let high = stretches.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const stretch = stretches[middle];
    if (stretch !== undefined && before(stretch)) low = middle + 1;
    else high = middle;
  }
  const found = stretches[low - 1];
  return found !== undefined && holds(found) ? found : undefined;
}

/** Length of a seed, bytes: what must be equal before two places are looked at more closely. */
export const seedBytes = 8;

/** Every place of the known bytes by the eight bytes that stand there; eight equal bytes are left out, FILL does those. */
export class SeedIndex {
  private readonly shift: number;
  private readonly head: Int32Array;
  private readonly older: Int32Array;

  constructor(flash: KnownFlash) {
    const { bytes } = flash;
    const bits = Math.min(20, Math.max(8, Math.ceil(Math.log2(bytes.length + 1))));
    this.shift = 32 - bits;
    this.head = new Int32Array(2 ** bits).fill(-1);
    this.older = new Int32Array(bytes.length);
    for (const stretch of flash.stretches) this.add(bytes, stretch);
  }

  /** The last place in the array whose seed may be the one at `bytes[at]`, or -1. @param at at least 8 bytes before the end */
  last(bytes: Uint8Array, at: number): number {
    const low = word(bytes, at);
    const high = word(bytes, at + 4);
    return isUniform(low, high) ? -1 : (this.head[this.slot(low, high)] ?? -1);
  }

  /** The place before `place` in the same list, or -1. */
  previous(place: number): number {
    return this.older[place] ?? -1;
  }

  private add(bytes: Uint8Array, { at, size }: Stretch): void {
    const { head, older } = this;
    const end = at + size - seedBytes;
    if (end < at) return;
    let low = word(bytes, at) << 8; // the loop shifts the fourth byte in
    let high = word(bytes, at + 4) << 8;
    for (let place = at; place <= end; place++) {
      low = (low >>> 8) | ((bytes[place + 3] ?? 0) << 24);
      high = (high >>> 8) | ((bytes[place + 7] ?? 0) << 24);
      if (isUniform(low, high)) continue;
      const slot = this.slot(low, high);
      older[place] = head[slot] ?? -1;
      head[slot] = place;
    }
  }

  private slot(low: number, high: number): number {
    const mixed = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca77);
    return Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d) >>> this.shift;
  }
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}

function isUniform(low: number, high: number): boolean {
  return low === high && ((low >>> 8) | (low << 24)) === low;
}
