/**
 * In which order blocks are written, so that as few as possible lose what they copy, and what goes into the save area first.
 * A block reads the flash before it is written itself, so what it reads of its own place is never lost.
 */

/** Block `reader` copies bytes `from` … `to` of the known flash, indices, that block `owner` overwrites. */
export interface Read {
  readonly reader: number;
  readonly owner: number;
  /** Number of the run of known bytes in the owner: what is not in one run does not stand together in the flash. */
  readonly run: number;
  readonly from: number;
  readonly to: number;
}

/** Bytes of the known flash, indices, that stand in the save area from `offset` on. */
export interface Kept {
  readonly from: number;
  readonly to: number;
  readonly offset: number;
}

export interface Turn {
  readonly block: number;
  /** To be saved before this block is committed. */
  readonly saves: readonly Kept[];
  /** What the save area holds for this block. */
  readonly kept: readonly Kept[];
}

/** Reads that are this close are saved together, bytes. */
const saveGap = 16;
/** What a SAVE and its SAVED cost on the wire at least; shorter reads travel themselves. */
const savedCost = 14;

/**
 * Block by block the one whose writing costs the others least.
 * @param blocks numbered from 0
 * @param saveBytes size of the save area
 */
export function orderBlocks(blocks: number, reads: readonly Read[], saveBytes: number): readonly Turn[] {
  const waiting = new Set(Array.from({ length: blocks }, (_, block) => block));
  const harm = new Float64Array(blocks);
  const readsOf = Array.from({ length: blocks }, (): Read[] => []);
  const readsFrom = Array.from({ length: blocks }, (): Read[] => []);
  for (const read of reads) {
    readsOf[read.reader]?.push(read);
    readsFrom[read.owner]?.push(read);
    harm[read.owner] = (harm[read.owner] ?? 0) + harmOf(read, saveBytes);
  }
  const area = new SaveArea(saveBytes);
  const turns: Turn[] = [];
  while (waiting.size > 0) {
    const block = leastHarmful(waiting, harm);
    waiting.delete(block);
    for (const read of readsOf[block] ?? []) harm[read.owner] = (harm[read.owner] ?? 0) - harmOf(read, saveBytes);
    const lost = (readsFrom[block] ?? []).filter((read) => waiting.has(read.reader));
    const kept = area.keptFor(block);
    const saves = area.keep(lost);
    area.release(block);
    turns.push({ block, saves, kept });
  }
  return turns;
}

/** Bytes on the wire if the read is lost; of two that can be saved, the shorter one is the better to lose. */
function harmOf({ from, to }: Read, saveBytes: number): number {
  const size = to - from;
  return size > saveBytes ? size : Math.min(size, savedCost) + size / 0x10000;
}

function leastHarmful(waiting: ReadonlySet<number>, harm: Float64Array): number {
  let chosen = -1;
  let least = Infinity;
  for (const block of waiting) {
    const here = harm[block] ?? 0;
    if (here >= least) continue;
    least = here;
    chosen = block;
  }
  return chosen;
}

/** Who holds which bytes of the save area. */
class SaveArea {
  private readonly bytes: number;
  private held: { readonly kept: Kept; readonly readers: Set<number> }[] = [];

  constructor(bytes: number) {
    this.bytes = bytes;
  }

  keptFor(block: number): readonly Kept[] {
    return this.held.filter((one) => one.readers.has(block)).map((one) => one.kept);
  }

  /** The longest first, cut to what is free. */
  keep(lost: readonly Read[]): readonly Kept[] {
    const saves: Kept[] = [];
    const wanted = joined(lost).filter(({ from, to }) => to - from > savedCost);
    for (const want of wanted.sort((a, b) => b.to - b.from - (a.to - a.from))) {
      const gap = this.largestGap(want.to - want.from);
      const size = Math.min(want.to - want.from, gap.size);
      if (size <= savedCost) continue;
      const kept = { from: want.from, to: want.from + size, offset: gap.offset };
      this.held.push({ kept, readers: want.readers });
      saves.push(kept);
    }
    return saves;
  }

  release(block: number): void {
    for (const one of this.held) one.readers.delete(block);
    this.held = this.held.filter((one) => one.readers.size > 0);
  }

  /** The first gap of `wanted` bytes, else the largest. */
  private largestGap(wanted: number): { offset: number; size: number } {
    const taken = this.held.map((one) => one.kept).sort((a, b) => a.offset - b.offset);
    let best = { offset: 0, size: 0 };
    let free = 0;
    for (const { offset, from, to } of [...taken, { offset: this.bytes, from: 0, to: 0 }]) {
      if (offset - free > best.size && best.size < wanted) best = { offset: free, size: offset - free };
      free = offset + to - from;
    }
    return best;
  }
}

interface Wanted {
  readonly run: number;
  from: number;
  to: number;
  readonly readers: Set<number>;
}

/** Reads that overlap or nearly touch become one. */
function joined(reads: readonly Read[]): Wanted[] {
  const all: Wanted[] = [];
  for (const { from, to, reader, run } of [...reads].sort((a, b) => a.from - b.from)) {
    const last = all.at(-1);
    if (last?.run === run && from <= last.to + saveGap) {
      last.to = Math.max(last.to, to);
      last.readers.add(reader);
    } else all.push({ run, from, to, readers: new Set([reader]) });
  }
  return all;
}
