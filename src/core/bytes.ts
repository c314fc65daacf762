/** Byte arrays: joining, comparing, hex. */

/** `0x` and at least `digits` lower-case hex digits. Negative numbers are taken as unsigned 32 bit. */
export function hex(value: number, digits = 1): string {
  const unsigned = value < 0 ? value >>> 0 : value;
  return `0x${unsigned.toString(16).padStart(digits, "0")}`;
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

/** True when every byte is `value`; true for no bytes at all. */
export function isFilledWith(bytes: Uint8Array, value: number): boolean {
  for (const byte of bytes) if (byte !== value) return false;
  return true;
}

export function filled(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}

/** Lower-case hex digits without separators, `aa00ff`. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}

/** A count of bytes for people: `812 B`, `8.0 KiB`, `1.50 MiB`. */
export function formatBytes(count: number): string {
  if (count < 1024) return `${count} B`;
  if (count < 1024 * 1024) return `${(count / 1024).toFixed(1)} KiB`;
  return `${(count / 1024 / 1024).toFixed(2)} MiB`;
}
