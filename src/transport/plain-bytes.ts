/** Node hands out Buffers, whose `slice` shares memory where a Uint8Array's copies: they stop at the border. */

/** The same memory, seen as a Uint8Array and nothing more. */
export function plainBytes(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
