/** What the tests of wires have in common. */
import { concat } from "../../src/core/bytes.ts";
import { FlashError } from "../../src/core/errors.ts";
import type { Transport } from "../../src/transport/transport.ts";

export async function readExactly(port: Transport, count: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let size = 0; size < count;) {
    const bytes = await port.read(3_000);
    if (bytes.length === 0) throw new Error(`only ${size} of ${count} bytes came`);
    parts.push(bytes);
    size += bytes.length;
  }
  return concat(parts);
}

/** `code: message` of the error that ends `work`. */
export async function failureOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "no error";
  } catch (error) {
    return error instanceof FlashError ? `${error.code}: ${error.message}` : String(error);
  }
}

/** Every byte value, several times, in a mixed order: 0xff and its neighbours stand at many places. */
export function mixedBytes(count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, index) => (index * 167 + (index >> 8) * 13) & 0xff);
}
