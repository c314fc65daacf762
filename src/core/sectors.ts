/** Cuts an image into the erase units that it touches. */
import { filled } from "./bytes.ts";
import { checkFits, type FlashMap, type Region } from "./flash-map.ts";
import { endOf, type Address, type Image, type Range } from "./image.ts";

/** One erase unit that the image touches. */
export interface Sector {
  readonly address: Address;
  readonly size: number;
  /** `size` bytes: the image's where `covered`, the erased value elsewhere. */
  readonly data: Uint8Array;
  /** Which parts the image fills, in absolute addresses: sorted, disjoint, not touching. */
  readonly covered: readonly Range[];
  readonly erasedByte: number;
}

/** The sectors of the map that hold at least one byte of the image, by address. @throws FlashError `does-not-fit` */
export function sectorsOf(image: Image, map: FlashMap): readonly Sector[] {
  checkFits(image, map);
  const sectors: Sector[] = [];
  let first = 0;
  for (const region of map) {
    const regionEnd = region.start + region.size;
    let at = region.start;
    for (;;) {
      while (first < image.segments.length && endAt(image, first) <= at) first++;
      const segment = image.segments[first];
      if (segment === undefined || segment.address >= regionEnd) break;
      at = Math.max(at, alignDown(segment.address, region));
      sectors.push(sectorAt(image, first, at, region));
      at += region.sectorSize;
      if (at >= regionEnd) break;
    }
  }
  return sectors;
}

function endAt(image: Image, index: number): Address {
  const segment = image.segments[index];
  return segment === undefined ? Infinity : endOf(segment);
}

function alignDown(address: Address, region: Region): Address {
  return address - ((address - region.start) % region.sectorSize);
}

function sectorAt(image: Image, firstSegment: number, address: Address, region: Region): Sector {
  const size = region.sectorSize;
  const end = address + size;
  const covered: { address: Address; size: number }[] = [];
  let data: Uint8Array | undefined;
  for (let index = firstSegment; index < image.segments.length; index++) {
    const segment = image.segments[index];
    if (segment === undefined || segment.address >= end) break;
    const from = Math.max(address, segment.address);
    const to = Math.min(end, endOf(segment));
    const piece = segment.data.subarray(from - segment.address, to - segment.address);
    if (piece.length === size) data = piece;
    else {
      data ??= filled(size, region.erasedByte);
      data.set(piece, from - address);
    }
    const last = covered.at(-1);
    if (last !== undefined && last.address + last.size === from) last.size += piece.length;
    else covered.push({ address: from, size: piece.length });
  }
  return { address, size, data: data ?? filled(size, region.erasedByte), covered, erasedByte: region.erasedByte };
}

/** The parts of a sector that the image leaves alone, in absolute addresses. */
export function uncovered(sector: Sector): readonly Range[] {
  const gaps: Range[] = [];
  let at = sector.address;
  for (const range of sector.covered) {
    if (range.address > at) gaps.push({ address: at, size: range.address - at });
    at = range.address + range.size;
  }
  const end = sector.address + sector.size;
  if (at < end) gaps.push({ address: at, size: end - at });
  return gaps;
}

/** The bytes of `range`, which lies inside the sector. */
export function partOf(sector: Sector, range: Range): Uint8Array {
  const from = range.address - sector.address;
  return sector.data.subarray(from, from + range.size);
}
