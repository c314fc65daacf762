/**
 * The least that physics allows: the bytes that must travel at the bit rate, and the erase and program times of the sectors that
 * must change, whichever is longer, since both can go on at once. No connection, no survey, no verification, no reset. What lies
 * behind the image in its last block counts as blank: erased with the block, and not programmed.
 */
import { deflate } from "pako";
import { concat } from "../src/core/bytes.ts";

/** The `typical` profile of the simulated flash chips: W25Q32JV and W25Q64JV, page program with at least 64 bytes a command. */
const sectorEraseMs = 45;
const blockEraseMs = 150;
const pageProgramMs = 0.5;
const sectorBytes = 0x1000;
const blockBytes = 0x10000;

export interface Floor {
  readonly ms: number;
  readonly wireMs: number;
  readonly flashMs: number;
  readonly sectors: number;
}

/** Indices of the 4 KiB sectors in which `next` differs from what the flash held; behind the end of `old` it held 0xff. */
export function changedSectors(old: Uint8Array, next: Uint8Array): readonly number[] {
  const changed: number[] = [];
  for (let at = 0; at < next.length; at += sectorBytes) {
    const now = next.subarray(at, at + sectorBytes);
    const before = new Uint8Array(now.length).fill(0xff);
    before.set(old.subarray(at, at + now.length));
    if (Buffer.compare(now, before) !== 0) changed.push(at / sectorBytes);
  }
  return changed;
}

/** @param address of the image's first byte, a multiple of the sector size */
export function floorOf(address: number, old: Uint8Array, next: Uint8Array, baud: number): Floor {
  const sectors = changedSectors(old, next);
  const data = concat(sectors.map((index) => next.subarray(index * sectorBytes, (index + 1) * sectorBytes)));
  const wireMs = sectors.length === 0 ? 0 : (deflate(data, { level: 9 }).length * 10_000) / baud;
  const blockOf = (index: number) => Math.floor((address + index * sectorBytes) / blockBytes);
  const changed = countBy(sectors, blockOf);
  const all = countBy(
    Array.from({ length: Math.ceil(next.length / sectorBytes) }, (_, index) => index),
    blockOf,
  );
  const pages = (count: number) => ((count * sectorBytes) / 256) * pageProgramMs;
  let flashMs = 0;
  for (const [block, count] of changed)
    flashMs += Math.min(count * sectorEraseMs + pages(count), blockEraseMs + pages(all.get(block) ?? 0));
  return { ms: Math.max(wireMs, flashMs), wireMs, flashMs, sectors: sectors.length };
}

function countBy(indices: readonly number[], keyOf: (index: number) => number): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const index of indices) counts.set(keyOf(index), (counts.get(keyOf(index)) ?? 0) + 1);
  return counts;
}
