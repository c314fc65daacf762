/** CRC-32 as Ethernet, zlib and PNG have it (polynomial EDB88320, reflected, inverted at both ends). */

const tables = makeTables();

/** @param crc of what came before; 0 for the beginning @returns unsigned 32 bits */
export function crc32(bytes: Uint8Array, crc = 0): number {
  const [t0, t1, t2, t3] = tables;
  let rest = ~crc;
  let at = 0;
  for (const end = bytes.length - 3; at < end; at += 4) {
    rest ^= byte(bytes, at) | (byte(bytes, at + 1) << 8) | (byte(bytes, at + 2) << 16) | (byte(bytes, at + 3) << 24);
    rest = entry(t3, rest) ^ entry(t2, rest >>> 8) ^ entry(t1, rest >>> 16) ^ entry(t0, rest >>> 24);
  }
  for (; at < bytes.length; at++) rest = entry(t0, rest ^ byte(bytes, at)) ^ (rest >>> 8);
  return ~rest >>> 0;
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

function entry(table: Int32Array, index: number): number {
  return table[index & 0xff] ?? 0;
}

/** Four tables, so that four bytes take one step ("slicing by 4"). */
function makeTables(): readonly [Int32Array, Int32Array, Int32Array, Int32Array] {
  const first = Int32Array.from({ length: 256 }, (_, index) => {
    let crc = index;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    return crc;
  });
  const following = (table: Int32Array) => table.map((crc) => entry(first, crc) ^ (crc >>> 8));
  const second = following(first);
  const third = following(second);
  return [first, second, third, following(third)];
}
