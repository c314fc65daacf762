/** Reads application and bootloader images out of flash, as the ROM and the second-stage bootloader do. */
import { equalBytes } from "../core/bytes.ts";
import { sha256 } from "../core/digest.ts";

const IMAGE_MAGIC = 0xe9;
const EXTENDED_HEADER_BYTES = 24;
const PLAIN_HEADER_BYTES = 8;
const MAX_SEGMENTS = 16;
const CHECKSUM_SEED = 0xef;
const DESCRIPTION_MAGIC = 0xabcd5432;

interface BootSegment {
  readonly address: number;
  readonly length: number;
}

export interface BootImage {
  readonly segments: readonly BootSegment[];
  readonly entry: number;
  readonly chipId: number;
  readonly checksum: { readonly wanted: number; readonly found: number };
  /** Undefined when the image carries no digest. */
  readonly digest?: { readonly wanted: Uint8Array; readonly found: Uint8Array };
  readonly description?: { readonly project: string; readonly version: string; readonly elfSha256: Uint8Array };
  /** Bytes, digest included. */
  readonly length: number;
}

/** An image, or why there is none. */
export type ImageReading =
  | { readonly kind: "image"; readonly image: BootImage }
  | { readonly kind: "no header"; readonly firstWord: number }
  | { readonly kind: "broken"; readonly reason: string };

/** `hasExtendedHeader`: everything but the ESP8266. */
export function readImage(flash: Uint8Array, at: number, hasExtendedHeader: boolean): ImageReading {
  const view = new DataView(flash.buffer, flash.byteOffset, flash.length);
  const headerBytes = hasExtendedHeader ? EXTENDED_HEADER_BYTES : PLAIN_HEADER_BYTES;
  if (at + headerBytes > flash.length) return { kind: "broken", reason: "it lies outside the flash chip" };
  const count = view.getUint8(at + 1);
  if (view.getUint8(at) !== IMAGE_MAGIC) return { kind: "no header", firstWord: view.getUint32(at, true) };
  if (count === 0 || count > MAX_SEGMENTS) return { kind: "broken", reason: `${count} segments` };
  const segments: BootSegment[] = [];
  let next = at + headerBytes;
  let found = CHECKSUM_SEED;
  for (let i = 0; i < count; i++) {
    if (next + 8 > flash.length) return { kind: "broken", reason: `segment ${i} lies outside the flash chip` };
    const length = view.getUint32(next + 4, true);
    if (length % 4 !== 0 || next + 8 + length > flash.length) {
      return { kind: "broken", reason: `segment ${i} has an invalid length 0x${length.toString(16)}` };
    }
    segments.push({ address: view.getUint32(next, true), length });
    for (const byte of flash.subarray(next + 8, next + 8 + length)) found ^= byte;
    next += 8 + length;
  }
  const end = at + (((next - at) | 15) + 1);
  const hasDigest = hasExtendedHeader && view.getUint8(at + 23) === 1;
  const digest = { wanted: flash.slice(end, end + 32), found: sha256(flash.subarray(at, end)) };
  const description = hasExtendedHeader ? readDescription(flash, at + EXTENDED_HEADER_BYTES + 8) : undefined;
  const image = {
    segments,
    entry: view.getUint32(at + 4, true),
    chipId: hasExtendedHeader ? view.getUint16(at + 12, true) : 0,
    checksum: { wanted: flash[end - 1] ?? 0, found },
    ...(hasDigest ? { digest } : {}),
    ...(description === undefined ? {} : { description }),
    length: end - at + (hasDigest ? 32 : 0),
  };
  return { kind: "image", image };
}

/** Why the image must not run, in the bootloader's words; undefined if it may. */
export function imageFault(image: BootImage): string | undefined {
  const { wanted, found } = image.checksum;
  if (wanted !== found) return `Checksum failed. Calculated 0x${found.toString(16)} read 0x${wanted.toString(16)}`;
  if (image.digest !== undefined && !equalBytes(image.digest.wanted, image.digest.found)) {
    return "Image hash failed - image is corrupt";
  }
  return undefined;
}

function readDescription(flash: Uint8Array, at: number): BootImage["description"] {
  const view = new DataView(flash.buffer, flash.byteOffset, flash.length);
  if (at + 256 > flash.length || view.getUint32(at, true) !== DESCRIPTION_MAGIC) return undefined;
  return {
    version: textAt(flash, at + 16, 32),
    project: textAt(flash, at + 48, 32),
    elfSha256: flash.slice(at + 144, at + 176),
  };
}

function textAt(bytes: Uint8Array, at: number, length: number): string {
  const field = bytes.subarray(at, at + length);
  const end = field.indexOf(0);
  return Buffer.from(field.subarray(0, end < 0 ? length : end)).toString("latin1");
}
