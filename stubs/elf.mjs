/** As much of an ELF file as the build wants: sections that are loaded, and symbols. 32 bits, little-endian. */

const TYPE_SYMBOLS = 2;
const TYPE_NO_BYTES = 8;
const FLAG_ALLOCATED = 2;

/** @returns {{ entry: number, sections: { name: string, address: number, bytes: Buffer }[], symbols: Map<string, number> }} */
export function readElf(file) {
  if (file.toString("latin1", 0, 5) !== "\x7fELF\x01") throw new Error("not a 32-bit ELF file");
  const headers = [];
  for (let index = 0; index < file.readUInt16LE(0x30); index++) {
    const at = file.readUInt32LE(0x20) + index * file.readUInt16LE(0x2e);
    const [name, type, flags, address, offset, size, link] = [0, 1, 2, 3, 4, 5, 6].map((word) =>
      file.readUInt32LE(at + 4 * word),
    );
    headers.push({ name, type, flags, address, size, link, bytes: file.subarray(offset, offset + size) });
  }
  const names = headers[file.readUInt16LE(0x32)].bytes;
  const sections = headers
    .filter(({ type, flags, size }) => type !== TYPE_NO_BYTES && (flags & FLAG_ALLOCATED) !== 0 && size > 0)
    .map(({ name, address, bytes }) => ({ name: textAt(names, name), address, bytes }));
  const symbols = new Map();
  for (const table of headers.filter(({ type }) => type === TYPE_SYMBOLS)) {
    for (let at = 0; at < table.size; at += 16) {
      symbols.set(textAt(headers[table.link].bytes, table.bytes.readUInt32LE(at)), table.bytes.readUInt32LE(at + 4));
    }
  }
  return { entry: file.readUInt32LE(0x18), sections, symbols };
}

function textAt(bytes, from) {
  return bytes.toString("latin1", from, bytes.indexOf(0, from));
}
