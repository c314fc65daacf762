/** Which memory a target has, and in which units it is erased. */
import { hex } from "./bytes.ts";
import { FlashError } from "./errors.ts";
import { endOf, type Address, type Image } from "./image.ts";

export interface Region {
  readonly name: string;
  readonly start: Address;
  /** Bytes, a multiple of `sectorSize`. */
  readonly size: number;
  /** Bytes of the smallest erase unit; `start` is a multiple of it. */
  readonly sectorSize: number;
  /** Bytes of a larger erase unit that is faster for its size, aligned to itself; absent when there is none. */
  readonly blockSize?: number;
  /** What a byte reads as after an erase: 0xff on NOR flash. */
  readonly erasedByte: number;
}

/** Sorted by address, disjoint. An STM32F4 is three regions: 4 x 16, 1 x 64, 7 x 128 KiB. */
export type FlashMap = readonly Region[];

/** The region that holds `address`, or undefined. */
function regionAt(map: FlashMap, address: Address): Region | undefined {
  return map.find((region) => address >= region.start && address < region.start + region.size);
}

/** @throws FlashError `does-not-fit` naming the segment and the first byte outside the map. */
export function checkFits(image: Image, map: FlashMap): void {
  for (const segment of image.segments) {
    let at = segment.address;
    while (at < endOf(segment)) {
      const region = regionAt(map, at);
      if (region === undefined) {
        throw new FlashError(
          "does-not-fit",
          `${segment.name} (${hex(segment.address)} to ${hex(endOf(segment))}) lies outside the flash at ${hex(at)}; there is ${describeMap(map)}`,
        );
      }
      at = region.start + region.size;
    }
  }
}

function describeMap(map: FlashMap): string {
  return map.map((region) => `${region.name} ${hex(region.start)} to ${hex(region.start + region.size)}`).join(", ");
}
