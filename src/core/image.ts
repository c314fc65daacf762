/** What is to stand in a target's memory: pieces of bytes at load addresses. */
import { hex } from "./bytes.ts";
import { FlashError } from "./errors.ts";

/** Byte address in the target's own memory map; for ESP chips the offset in the flash chip. 0 … 2^32 - 1. */
export type Address = number;

export interface Range {
  readonly address: Address;
  /** Bytes. */
  readonly size: number;
}

export interface Segment {
  /** The load address (ELF: physical address). */
  readonly address: Address;
  readonly data: Uint8Array;
  /** Where it comes from, for messages: section or file names. */
  readonly name: string;
}

/** Segments are sorted by address, disjoint and not empty. Made by `makeImage` only. */
export interface Image {
  readonly kind: "image";
  readonly segments: readonly Segment[];
}

/**
 * Sorts, drops empty segments and checks that none overlap.
 * @param remedy what to do about an overlap, where building again would not help
 * @throws FlashError `bad-image` naming both segments when two overlap, or when one ends past 2^32.
 */
export function makeImage(segments: readonly Segment[], remedy?: string): Image {
  const sorted = segments.filter((segment) => segment.data.length > 0).sort((a, b) => a.address - b.address);
  let previous: Segment | undefined;
  for (const segment of sorted) {
    if (endOf(segment) > 0x1_0000_0000) {
      throw new FlashError(
        "bad-image",
        `${segment.name} at ${hex(segment.address)} ends past the 32-bit address space`,
      );
    }
    if (previous !== undefined && endOf(previous) > segment.address) {
      throw new FlashError(
        "bad-image",
        `${previous.name} (${hex(previous.address)} to ${hex(endOf(previous))}) overlaps ${segment.name}, which starts at ${hex(segment.address)}`,
        remedy === undefined ? {} : { remedy },
      );
    }
    previous = segment;
  }
  return { kind: "image", segments: sorted };
}

/** First address behind the segment. */
export function endOf(segment: Segment): Address {
  return segment.address + segment.data.length;
}

/** Bytes of contents, gaps not counted. */
export function imageBytes(image: Image): number {
  return image.segments.reduce((sum, segment) => sum + segment.data.length, 0);
}
