/**
 * The ESP image format on its own: structures, magic numbers, checksum. Reading and writing images both stand on this.
 * Source: "Firmware Image Format" in the esptool documentation and `esp_app_format.h`, `esp_app_desc.h` of ESP-IDF (Apache-2.0).
 */
import { raw, struct, u16, u32, u8 } from "../../core/struct.ts";

export const IMAGE_MAGIC = 0xe9;
/** First byte of an ESP8266 image of version 2, whose code in flash stands in front of a usual image. */
export const IMAGE_MAGIC_8266_V2 = 0xea;

export const imageHeader = struct({ magic: u8, segments: u8, mode: u8, sizeAndFrequency: u8, entry: u32 });

/** Follows `imageHeader` on every chip but the ESP8266. */
export const extendedHeader = struct({
  wpPin: u8,
  drive: raw(3),
  chipId: u16,
  /** Revision in the old counting; `minRevision` is what counts since ESP-IDF 4.4.3. */
  oldMinRevision: u8,
  minRevision: u16,
  maxRevision: u16,
  reserved: raw(4),
  hashAppended: u8,
});

export const segmentHeader = struct({ address: u32, size: u32 });

export const HEADER_SIZE = imageHeader.size;
export const FULL_HEADER_SIZE = imageHeader.size + extendedHeader.size;
export const MAX_SEGMENTS = 16;
export const MAX_SEGMENT_SIZE = 16 * 1024 * 1024;
export const CHECKSUM_LINE_SIZE = 16;
export const HASH_SIZE = 32;
export const WP_PIN_UNUSED = 0xee;

/** First bytes of `.flash.appdesc`, which stands at the start of the first mapped segment. */
export const APP_DESCRIPTION_MAGIC = 0xabcd5432;
export const appDescription = struct({
  magic: u32,
  secureVersion: u32,
  reserved: raw(8),
  version: raw(32),
  project: raw(32),
  time: raw(16),
  date: raw(16),
  idfVersion: raw(32),
  elfSha256: raw(32),
  minEfuseRevision: u16,
  maxEfuseRevision: u16,
  /** Base-two logarithm of the page size that the program was linked for; 0 when not said. */
  pageSizeLog2: u8,
});
/** Bytes of the whole description; what follows the known fields is reserved. */
export const APP_DESCRIPTION_SIZE = 256;
export const ELF_SHA256_AT = 144;

const CHECKSUM_SEED = 0xef;

/** 0xef, exclusive-or all bytes of all parts. */
export function checksumOf(parts: readonly Uint8Array[]): number {
  let checksum = CHECKSUM_SEED;
  for (const part of parts) for (const byte of part) checksum ^= byte;
  return checksum;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0xedb88320;
  return crc;
});

/** The CRC-32 of zip and Ethernet (polynomial 0xEDB88320, reflected), 0 … 2^32 - 1. */
export function crc32(bytes: Uint8Array, seed = 0): number {
  let crc = ~seed;
  for (const byte of bytes) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0);
  return ~crc >>> 0;
}

/** What the ESP8266's boot loader stores: the CRC-32, inverted when its top bit is set, else one more. */
export function crc32Of8266(bytes: Uint8Array): number {
  const crc = crc32(bytes);
  return (crc & 0x8000_0000) === 0 ? (crc + 1) >>> 0 : ~crc >>> 0;
}
