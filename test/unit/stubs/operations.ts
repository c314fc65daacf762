/** Operations of the stub as bytes, in the words of `stubs/README.md`. */
import { crc32 } from "node:zlib";
import { v, z } from "./frames.ts";

export const hash = (address: number, n: number, unit: number): number[] => [0x11, ...v(address), ...v(n), ...v(unit)];
export const read = (address: number, length: number): number[] => [0x12, ...v(address), ...v(length)];
export const copy = (length: number, step: number): number[] => [0x21, ...v(length), ...z(step)];
export const ins = (bytes: Iterable<number>): number[] => {
  const all = [...bytes];
  return [0x23, ...v(all.length), ...all];
};
export const fill = (length: number, byte: number): number[] => [0x24, ...v(length), ...v(byte)];
export const saved = (offset: number, length: number): number[] => [0x25, ...v(offset), ...v(length)];
export const save = (offset: number, length: number, step: number): number[] => [
  0x29,
  ...v(offset),
  ...v(length),
  ...z(step),
];
export const commit = (blockFrom = 0): number[] => [0x28, ...v(blockFrom)];
export const erase = (sector: number, sectors: number): number[] => [0x30, ...v(sector), ...v(sectors)];
export const packed = (deflated: Uint8Array): number[] => [0x33, ...v(deflated.length), ...deflated];

export function blk(sector: number, contents: Uint8Array, crc = crc32(contents)): number[] {
  return [0x20, ...v(sector), ...v(contents.length / 0x1000), ...v(crc)];
}

/** @param runs bytes to skip, bytes to put there */
export function add(length: number, step: number, runs: readonly (readonly [number, readonly number[]])[]): number[] {
  const coded = runs.flatMap(([skip, bytes]) => [
    Math.min(skip, 31) | (Math.min(bytes.length - 1, 7) << 5),
    ...(skip >= 31 ? v(skip - 31) : []),
    ...(bytes.length >= 8 ? v(bytes.length - 8) : []),
    ...bytes,
  ]);
  return [0x22, ...v(length), ...z(step), ...v(runs.length), ...coded];
}

/** Bytes that look like nothing, the same every time. */
export function noise(count: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: count }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state >>> 16;
  });
}
