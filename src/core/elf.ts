/**
 * Reads ELF32 little-endian programs for ARM, RISC-V and Xtensa: headers, sections, and what is loaded where.
 * All data are views of the file. Knows nothing of symbols, of debug information, or of what a board does with the bytes.
 * Source of every number: System V ABI, generic part (gABI 4.1, chapters 4 and 5) and its registry of machines.
 */
import { hex } from "./bytes.ts";
import { FlashError } from "./errors.ts";
import { makeImage, type Address, type Segment } from "./image.ts";
import { viewOf } from "./struct.ts";

export type ElfMachine = "arm" | "riscv" | "xtensa";

export interface ElfSection {
  readonly name: string;
  /** `sh_type`; see `sectionTypes`. */
  readonly type: number;
  /** `sh_flags`: 1 written, 2 in memory, 4 executed. */
  readonly flags: number;
  /** Where the program sees it (VMA). */
  readonly address: Address;
  /** Where it is stored before the program runs (LMA): `address` mapped through the load segment that holds the section. */
  readonly loadAddress: Address;
  /** Bytes in memory. */
  readonly size: number;
  readonly fileOffset: number;
  /** View of the file; empty for sections without contents (`noBits`). */
  readonly data: Uint8Array;
}

export interface ElfProgramHeader {
  /** `p_type`; 1 is a load segment. */
  readonly type: number;
  readonly fileOffset: number;
  readonly virtualAddress: Address;
  readonly physicalAddress: Address;
  readonly fileSize: number;
  readonly memorySize: number;
  readonly flags: number;
}

export interface Elf {
  /** File name for messages. */
  readonly name: string;
  /** The whole file. */
  readonly bytes: Uint8Array;
  readonly machine: ElfMachine;
  readonly entry: Address;
  /** In file order, the empty section 0 left out. */
  readonly sections: readonly ElfSection[];
  readonly programHeaders: readonly ElfProgramHeader[];
}

export const sectionTypes = { progBits: 1, noBits: 8, initArray: 14, finiArray: 15, preinitArray: 16 } as const;
const sectionFlags = { write: 1, alloc: 2, execute: 4 } as const;

const HEADER_SIZE = 52;
const SECTION_HEADER_SIZE = 40;
const PROGRAM_HEADER_SIZE = 32;
const LOAD_SEGMENT = 1; // PT_LOAD
const NULL_SECTION = 0; // SHT_NULL
const machines: ReadonlyMap<number, ElfMachine> = new Map([
  [40, "arm"],
  [94, "xtensa"],
  [243, "riscv"],
]);

const buildAgain = "Build again; if the file was copied, copy it once more and compare the sizes.";

/** True when the bytes begin with the ELF magic number, whatever the file is called. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

/** @throws FlashError `bad-image` when it is no program for a 32-bit little-endian controller, or when anything lies outside the file. */
export function readElf(bytes: Uint8Array, name: string): Elf {
  const view = checkIdentity(bytes, name);
  const machine = machines.get(view.getUint16(18, true));
  if (machine === undefined) {
    throw new FlashError("bad-image", `${name} is for machine number ${view.getUint16(18, true)}`, {
      remedy: "Give the ELF of an ARM, RISC-V or Xtensa build.",
    });
  }
  const programHeaders = readProgramHeaders(view, name);
  return {
    name,
    bytes,
    machine,
    entry: view.getUint32(24, true),
    sections: readSections(bytes, programHeaders, name),
    programHeaders,
  };
}

/**
 * What a loader stores, by load address: one segment per section with contents, named after the section; a file without
 * sections gives one segment per program header, named `segment 0` and so on.
 * @throws FlashError `bad-image` when two overlap or when there is nothing to load.
 */
export function loadSegments(elf: Elf): readonly Segment[] {
  const segments =
    elf.sections.length > 0
      ? elf.sections
          .filter((s) => (s.flags & sectionFlags.alloc) !== 0 && s.data.length > 0)
          .map((s) => ({ address: s.loadAddress, data: s.data, name: s.name }))
      : elf.programHeaders
          .map((header, index) => ({ header, name: `segment ${index}` }))
          .filter(({ header }) => header.type === LOAD_SEGMENT)
          .map(({ header, name }) => ({ address: header.physicalAddress, data: contents(elf.bytes, header), name }));
  const image = makeImage(segments);
  if (image.segments.length === 0) {
    throw new FlashError("bad-image", `${elf.name} holds nothing that could be loaded`, {
      remedy: "Give the linked program, not a library, an object file or a file with debug information only.",
    });
  }
  return image.segments;
}

function contents(bytes: Uint8Array, header: ElfProgramHeader): Uint8Array {
  return bytes.subarray(header.fileOffset, header.fileOffset + header.fileSize);
}

function checkIdentity(bytes: Uint8Array, name: string): DataView {
  if (!isElf(bytes)) {
    throw new FlashError("bad-image", `${name} is not an ELF file: it does not begin with 7f 45 4c 46`, {
      remedy: "Give the .elf file that the linker wrote.",
    });
  }
  if (bytes.length < HEADER_SIZE) {
    throw new FlashError("bad-image", `${name} is cut off inside the ELF header: ${bytes.length} bytes`, {
      remedy: buildAgain,
    });
  }
  const foreign = foreignKind(bytes);
  if (foreign !== undefined) {
    throw new FlashError("bad-image", `${name} is ${foreign}; a 32-bit little-endian program is needed`, {
      remedy: "Give the linked program of the controller's build.",
    });
  }
  return viewOf(bytes);
}

function foreignKind(bytes: Uint8Array): string | undefined {
  if (bytes[4] === 2) return "a 64-bit ELF file"; // EI_CLASS
  if (bytes[4] !== 1) return `an ELF file of unknown class ${bytes[4]}`;
  if (bytes[5] !== 1) return "a big-endian ELF file"; // EI_DATA
  const type = viewOf(bytes).getUint16(16, true); // e_type: 1 relocatable, 2 executable, 3 shared, 4 core
  if (type === 1) return "an object file that was not linked yet";
  if (type === 3) return "a shared library or a position-independent program";
  return type === 2 ? undefined : `an ELF file of type ${type}`;
}

interface Table {
  readonly what: string;
  readonly offset: number;
  readonly count: number;
  readonly entrySize: number;
  readonly minimumEntrySize: number;
}

function checkTable(table: Table, fileLength: number, name: string): void {
  if (table.count === 0) return;
  if (table.entrySize < table.minimumEntrySize) {
    throw new FlashError("bad-image", `${name}: the ${table.what} has entries of ${table.entrySize} bytes`, {
      remedy: buildAgain,
    });
  }
  checkInside({ what: table.what, offset: table.offset, size: table.count * table.entrySize }, fileLength, name);
}

interface Part {
  readonly what: string;
  readonly offset: number;
  readonly size: number;
}

function checkInside(part: Part, fileLength: number, name: string): void {
  if (part.offset + part.size <= fileLength) return;
  throw new FlashError(
    "bad-image",
    `${name}: ${part.what} (${hex(part.size)} bytes at file offset ${hex(part.offset)}) ends past the end of the file (${fileLength} bytes)`,
    { remedy: buildAgain },
  );
}

function readProgramHeaders(view: DataView, name: string): readonly ElfProgramHeader[] {
  const table = {
    what: "program header table",
    offset: view.getUint32(28, true),
    count: view.getUint16(44, true),
    entrySize: view.getUint16(42, true),
    minimumEntrySize: PROGRAM_HEADER_SIZE,
  };
  checkTable(table, view.byteLength, name);
  return Array.from({ length: table.count }, (_, index) => {
    const at = table.offset + index * table.entrySize;
    const word = (field: number) => view.getUint32(at + field * 4, true);
    const header = {
      type: word(0),
      fileOffset: word(1),
      virtualAddress: word(2),
      physicalAddress: word(3),
      fileSize: word(4),
      memorySize: word(5),
      flags: word(6),
    };
    checkInside({ what: `segment ${index}`, offset: header.fileOffset, size: header.fileSize }, view.byteLength, name);
    return header;
  });
}

function readSections(
  bytes: Uint8Array,
  programHeaders: readonly ElfProgramHeader[],
  name: string,
): readonly ElfSection[] {
  const view = viewOf(bytes);
  const table = {
    what: "section header table",
    offset: view.getUint32(32, true),
    count: view.getUint16(48, true),
    entrySize: view.getUint16(46, true),
    minimumEntrySize: SECTION_HEADER_SIZE,
  };
  checkTable(table, bytes.length, name);
  const word = (index: number, field: number) =>
    view.getUint32(table.offset + index * table.entrySize + field * 4, true);
  const nameOf = sectionNames(bytes, table.count, word, name);
  const loads = programHeaders.filter((header) => header.type === LOAD_SEGMENT);
  const sections: ElfSection[] = [];
  for (let index = 0; index < table.count; index += 1) {
    const type = word(index, 1);
    if (type === NULL_SECTION) continue;
    const [address, fileOffset, size] = [word(index, 3), word(index, 4), word(index, 5)];
    const stored = type === sectionTypes.noBits ? 0 : size;
    const section = { name: nameOf(index), type, flags: word(index, 2), address, size, fileOffset };
    checkInside({ what: `section ${section.name}`, offset: fileOffset, size: stored }, bytes.length, name);
    const data = bytes.subarray(fileOffset, fileOffset + stored);
    sections.push({ ...section, data, loadAddress: loadAddressOf(section, loads) });
  }
  return sections;
}

/** Names come from the string table section; a name that runs out of it is an error. */
function sectionNames(
  bytes: Uint8Array,
  count: number,
  word: (index: number, field: number) => number,
  name: string,
): (index: number) => string {
  if (count === 0) return () => "";
  const stringsIndex = viewOf(bytes).getUint16(50, true);
  if (stringsIndex >= count) {
    throw new FlashError(
      "bad-image",
      `${name}: section ${stringsIndex} should hold the names, but there are ${count}`,
      {
        remedy: buildAgain,
      },
    );
  }
  const [offset, size] = [word(stringsIndex, 4), word(stringsIndex, 5)];
  checkInside({ what: "the table of section names", offset, size }, bytes.length, name);
  const strings = bytes.subarray(offset, offset + size);
  return (index) => {
    const start = word(index, 0);
    const end = strings.indexOf(0, start);
    if (start >= strings.length || end < 0) {
      if (stringsIndex === 0) return `number ${index}`; // the file says that it has no names
      throw new FlashError("bad-image", `${name}: the name of section ${index} lies outside the table of names`, {
        remedy: buildAgain,
      });
    }
    return Buffer.from(strings.buffer, strings.byteOffset + start, end - start).toString("latin1");
  };
}

/** A section belongs to the load segment whose memory holds it and, when it has contents, whose file range does too. */
function loadAddressOf(
  section: { type: number; flags: number; address: number; size: number; fileOffset: number },
  loads: readonly ElfProgramHeader[],
): Address {
  if ((section.flags & sectionFlags.alloc) === 0) return section.address;
  const load = loads.find((header) => {
    const inMemory =
      section.address >= header.virtualAddress &&
      section.address + section.size <= header.virtualAddress + header.memorySize;
    const inFile =
      section.type === sectionTypes.noBits ||
      (section.fileOffset >= header.fileOffset &&
        section.fileOffset + section.size <= header.fileOffset + header.fileSize);
    return inMemory && inFile;
  });
  return load === undefined ? section.address : load.physicalAddress + (section.address - load.virtualAddress);
}
