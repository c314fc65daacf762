/** Digests of memory contents, as devices and records give them. */
import { createHash } from "node:crypto";
import { concat, toHex } from "./bytes.ts";
import { crc32 } from "./crc32.ts";

/** Lower-case hex digits of an MD5 (32), a SHA-256 (64), or of CRC-32s one behind the other (8 each). Compared as text. */
export type Digest = string;

/** Of all parts, one behind the other. Which one a board uses is its own affair; only digests by the same function compare. */
export type DigestFunction = (...parts: readonly Uint8Array[]) => Digest;

/** Of all parts, one behind the other. */
export function md5(...parts: readonly Uint8Array[]): Digest {
  const hash = createHash("md5");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(bytes).digest();
}

export function sha256Hex(bytes: Uint8Array): Digest {
  return toHex(sha256(bytes));
}

/** Bytes of contents that one entry of `crcTable` stands for. */
export const crcTableUnit = 0x1000;

/** CRC-32 of every 4 KiB from the first byte on, and of the rest. */
export function crcTable(...parts: readonly Uint8Array[]): Digest {
  const bytes = parts.length === 1 && parts[0] !== undefined ? parts[0] : concat(parts);
  const crcs: number[] = [];
  for (let at = 0; at < bytes.length; at += crcTableUnit) crcs.push(crc32(bytes.subarray(at, at + crcTableUnit)));
  return crcDigits(crcs);
}

export function crcDigits(crcs: readonly number[]): Digest {
  return crcs.map((crc) => crc.toString(16).padStart(8, "0")).join("");
}
