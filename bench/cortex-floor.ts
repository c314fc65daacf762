/** The least that a simulated Cortex-M chip allows, and the chips without flash times, by which what a host does shows alone. */
import { simChips, type SimChip } from "../src/sim/cortex-m/chips.ts";

/** W25Q16JV, `typical`: a 64 KiB block is erased at once where all of it changes. */
const blockBytes = 0x10000;
const blockEraseMs = 150;
const pageBytes = 256;
/** Command, address and data of a page at six cycles a bit, which is what the boot ROM leaves the bus at. */
const pageCycles = (4 + pageBytes) * 8 * 6;

export function chipNamed(name: string): SimChip {
  const chip = simChips.find(({ id }) => id === name);
  if (chip === undefined) throw new Error(`no simulated chip ${name}`);
  return chip;
}

/** As chips are in emulators that model none. */
export function withoutFlashTimes(chip: SimChip): SimChip {
  const runs = chip.flash.runs.map((run) => ({ ...run, eraseMs: 0 }));
  return { ...chip, flash: { ...chip.flash, runs, programMs: 0, chipEraseMs: 0 } };
}

/** Time in which a page travels to a serial flash chip, ms; the peers' models leave it out. */
export function serialMs({ flash, clockHz }: SimChip, bytes: number): number {
  return flash.kind === "serial" ? (Math.ceil(bytes / pageBytes) * pageCycles * 1000) / clockHz : 0;
}

/** Erasing and programming the units that differ, ms. No link, no core's work, no comparison, no reset. */
export function flashFloorMs(chip: SimChip, old: Uint8Array, next: Uint8Array): number {
  const changed = unitsOf(chip).filter(
    ({ start, bytes }) => start < next.length && !same(old, next, start, Math.min(start + bytes, next.length)),
  );
  const { programBytes, programMs } = chip.flash;
  let eraseMs = 0;
  let programmed = 0;
  for (const { bytes, eraseMs: oneMs } of changed) {
    eraseMs += oneMs;
    programmed += bytes;
  }
  if (chip.flash.kind === "serial") eraseMs = eraseOfBlocksMs(changed, eraseMs / Math.max(1, changed.length));
  const last = changed.at(-1);
  if (last !== undefined) programmed -= Math.max(0, last.start + last.bytes - next.length);
  return eraseMs + Math.ceil(programmed / programBytes) * programMs + serialMs(chip, programmed);
}

function same(old: Uint8Array, next: Uint8Array, from: number, to: number): boolean {
  return Buffer.compare(old.subarray(from, to), next.subarray(from, to)) === 0;
}

interface Unit {
  readonly start: number;
  readonly bytes: number;
  readonly eraseMs: number;
}

export function unitsOf({ flash }: SimChip): readonly Unit[] {
  let start = 0;
  return flash.runs.flatMap(({ bytes, count, eraseMs }) =>
    Array.from({ length: count }, () => {
      start += bytes;
      return { start: start - bytes, bytes, eraseMs };
    }),
  );
}

function eraseOfBlocksMs(units: readonly Unit[], unitMs: number): number {
  const perBlock = new Map<number, number>();
  for (const { start } of units) {
    const block = Math.floor(start / blockBytes);
    perBlock.set(block, (perBlock.get(block) ?? 0) + 1);
  }
  return [...perBlock.values()].reduce((sum, count) => sum + Math.min(count * unitMs, blockEraseMs), 0);
}
