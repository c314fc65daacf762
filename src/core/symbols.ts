/**
 * Reads the symbol table of a linked program: its functions and objects with their places. Knows nothing of types, lines or
 * languages. Source of every number: System V ABI, generic part (gABI 4.1, chapter 4, "Symbol Table").
 */
import { hex } from "./bytes.ts";
import type { Elf } from "./elf.ts";
import { FlashError } from "./errors.ts";
import type { Address } from "./image.ts";
import { viewOf } from "./struct.ts";

export interface ElfSymbol {
  /** As the linker knows it; C++ and Rust names are mangled. */
  readonly name: string;
  readonly kind: "function" | "object";
  /** Where the program sees its first byte; without the bit that marks Thumb code. */
  readonly address: Address;
  /** Bytes, more than 0. */
  readonly size: number;
}

const SYMBOL_TABLE = 2; // SHT_SYMTAB
const SYMBOL_SIZE = 16;
const OBJECT = 1; // STT_OBJECT
const FUNCTION = 2; // STT_FUNC
const UNDEFINED = 0; // SHN_UNDEF
/** More than any firmware has; a table beyond it is damaged. */
const mostSymbols = 2_000_000;

/**
 * Functions and objects that are defined here and have a size, by address; empty for a program that was stripped.
 * @throws FlashError `bad-image` when the table does not fit the file
 */
export function readSymbols(elf: Elf): readonly ElfSymbol[] {
  const view = viewOf(elf.bytes);
  const table = findTable(elf, view);
  if (table === undefined) return [];
  const nameAt = namesIn(elf, table.names);
  const symbols: ElfSymbol[] = [];
  for (let at = table.offset; at + SYMBOL_SIZE <= table.offset + table.size; at += SYMBOL_SIZE) {
    const type = view.getUint8(at + 12) & 0xf;
    const [value, size] = [view.getUint32(at + 4, true), view.getUint32(at + 8, true)];
    if ((type !== OBJECT && type !== FUNCTION) || size === 0 || view.getUint16(at + 14, true) === UNDEFINED) continue;
    const isFunction = type === FUNCTION;
    symbols.push({
      name: nameAt(view.getUint32(at, true)),
      kind: isFunction ? "function" : "object",
      address: isFunction && elf.machine === "arm" ? (value & ~1) >>> 0 : value,
      size,
    });
  }
  return symbols.sort((a, b) => a.address - b.address || (a.name < b.name ? -1 : 1));
}

/** The bytes of a symbol as the file holds them; undefined where it holds none: zeroed memory. */
export function contentsOf(elf: Elf, symbol: Pick<ElfSymbol, "address" | "size">): Uint8Array | undefined {
  const { address, size } = symbol;
  const home = elf.sections.find(
    (section) =>
      section.data.length > 0 &&
      (section.flags & 2) !== 0 &&
      address >= section.address &&
      address + size <= section.address + section.data.length,
  );
  return home?.data.subarray(address - home.address, address - home.address + size);
}

interface Place {
  readonly offset: number;
  readonly size: number;
}

/** The section headers once more, because only they tell which table of names belongs to it. */
function findTable(elf: Elf, view: DataView): (Place & { readonly names: Place }) | undefined {
  const [tableOffset, entrySize, count] = [
    view.getUint32(32, true),
    view.getUint16(46, true),
    view.getUint16(48, true),
  ];
  const word = (index: number, field: number) => view.getUint32(tableOffset + index * entrySize + field * 4, true);
  for (let index = 0; index < count; index += 1) {
    if (word(index, 1) !== SYMBOL_TABLE) continue;
    const link = word(index, 6);
    const table = { offset: word(index, 4), size: word(index, 5) };
    if (link >= count || table.size / SYMBOL_SIZE > mostSymbols) {
      throw new FlashError("bad-image", `${elf.name}: the symbol table at file offset ${hex(table.offset)} is damaged`);
    }
    return { ...table, names: { offset: word(link, 4), size: word(link, 5) } };
  }
  return undefined;
}

/** A name that runs out of its table is cut at its end. */
function namesIn(elf: Elf, { offset, size }: Place): (start: number) => string {
  const names = Buffer.from(elf.bytes.buffer, elf.bytes.byteOffset + offset, size);
  return (start) => {
    const end = names.indexOf(0, start);
    return names.toString("utf8", start, end < 0 ? names.length : end);
  };
}
