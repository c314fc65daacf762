/** Digests of memory contents, as devices and records give them. */
import { createHash } from "node:crypto";
import { toHex } from "./bytes.ts";

/** Lower-case hex digits of an MD5 (32) or SHA-256 (64). Compared as text. */
export type Digest = string;

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
