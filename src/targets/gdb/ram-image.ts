/**
 * Is a linked program one that runs from RAM alone, where does it start, and the few instructions that start it.
 * Knows the rules of Cortex-M; of the chip only where its RAM lies, and nothing of servers.
 */
import { concat, hex } from "../../core/bytes.ts";
import { loadSegments, type Elf } from "../../core/elf.ts";
import { FlashError } from "../../core/errors.ts";
import { endOf, makeImage, type Address, type Range, type Segment } from "../../core/image.ts";
import { viewOf } from "../../core/struct.ts";

export interface RamChip {
  /** For messages. */
  readonly title: string;
  /** Sorted by address. */
  readonly ram: readonly Range[];
  /** A Cortex-M0 takes its interrupts from address 0 whatever is in RAM. */
  readonly hasVectorTableOffset: boolean;
}

export interface RamProgram {
  /** By address, disjoint, whole words; the trampoline is one of them. */
  readonly segments: readonly Segment[];
  /** Where the core begins, without bit 0: sets the vector table, the stack and goes to the reset handler. */
  readonly start: Address;
  readonly vectorTable: Address;
  readonly stackTop: Address;
  /** Sentences for the user. */
  readonly notes: readonly string[];
}

const wordBytes = 4;
/** ARMv7-M, B3.2.5: bits 6:0 of VTOR are zero. */
const tableAlignment = 128;
const vtor = 0xe000_ed08;
/** VTOR = table; MSP = table[0]; go to table[1]. A debugger's own write to VTOR is lost on QEMU. Two literals follow. */
// prettier-ignore
const trampolineCode = Uint8Array.of(
  0x05, 0x48, // ldr r0, table
  0x06, 0x4a, // ldr r2, vtor
  0x10, 0x60, // str r0, [r2]
  0xbf, 0xf3, 0x4f, 0x8f, // dsb
  0xbf, 0xf3, 0x6f, 0x8f, // isb
  0x01, 0x68, // ldr r1, [r0]
  0x81, 0xf3, 0x08, 0x88, // msr msp, r1
  0x40, 0x68, // ldr r0, [r0, #4]
  0x00, 0x47, // bx r0
);
const trampolineBytes = trampolineCode.length + 2 * wordBytes;

/**
 * @throws FlashError `wrong-chip` when it is for another processor; `refused` naming the sections that are not stored in RAM, or elsewhere
 * than they run; `bad-image` when there is no usable vector table; `does-not-fit` when no RAM is left for the trampoline.
 */
export function checkRamProgram(elf: Elf, chip: RamChip): RamProgram {
  if (elf.machine !== "arm") {
    throw new FlashError("wrong-chip", `${elf.name} is a program for ${elf.machine}, the ${chip.title} is ARM`);
  }
  const segments = loadSegments(elf);
  checkPlaces(elf, segments, chip);
  checkStaysWhereStored(elf);
  const table = findVectorTable(elf, segments, chip);
  const padded = makeImage(segments.map(padToWord)).segments;
  const start = placeOfTrampoline(elf, padded, chip);
  const trampoline = { address: start, data: trampolineTo(table.address), name: "the start in RAM" };
  return {
    segments: makeImage([...padded, trampoline]).segments,
    start,
    vectorTable: table.address,
    stackTop: table.stackTop,
    notes: chip.hasVectorTableOffset
      ? []
      : [`The ${chip.title} takes interrupts from address 0, not from the program in RAM: leave them off, or remap.`],
  };
}

function checkPlaces(elf: Elf, segments: readonly Segment[], chip: RamChip): void {
  const outside = segments.filter(({ address, data }) => !isIn(chip.ram, address, data.length));
  if (outside.length === 0) return;
  const places = outside.map(({ name, address }) => `${name} at ${hex(address)}`).join(", ");
  const verb = outside.length === 1 ? "is" : "are";
  throw new FlashError(
    "refused",
    `${elf.name} is no RAM program: ${places} ${verb} outside the RAM of the ${chip.title} (${describe(chip.ram)})`,
    { remedy: "Flash it without --ram, or link it for RAM alone." },
  );
}

/** Nobody copies what a start-up from flash would copy. */
function checkStaysWhereStored(elf: Elf): void {
  const moved = elf.sections.filter(
    ({ flags, data, address, loadAddress }) => (flags & 2) !== 0 && data.length > 0 && address !== loadAddress,
  );
  if (moved.length === 0) return;
  const places = moved.map((one) => `${one.name} at ${hex(one.loadAddress)} for ${hex(one.address)}`).join(", ");
  throw new FlashError("refused", `${elf.name} stores sections elsewhere than they run: ${places}`, {
    remedy: "Leave AT> away in the linker script of a program for RAM.",
  });
}

interface VectorTable {
  readonly address: Address;
  readonly stackTop: Address;
}

/** A section that is named so, else the beginning of the lowest segment. */
function findVectorTable(elf: Elf, segments: readonly Segment[], chip: RamChip): VectorTable {
  const lowest = segments[0];
  const named = segments.find(({ name }) => /vector/i.test(name)) ?? lowest;
  const wrong = (what: string): FlashError =>
    new FlashError("bad-image", `${elf.name} has no vector table at ${hex(named?.address ?? 0)}: ${what}`, {
      remedy: "Put the vector table first in the linker script, or into a section .vectors of its own.",
    });
  if (named === undefined || named.data.length < 2 * wordBytes) throw wrong("there are no two words");
  const view = viewOf(named.data);
  const [stackTop, reset] = [view.getUint32(0, true), view.getUint32(wordBytes, true)];
  if (stackTop % wordBytes !== 0 || !isIn(chip.ram, stackTop - wordBytes, wordBytes)) {
    throw wrong(`the stack at ${hex(stackTop)} is not in RAM (${describe(chip.ram)})`);
  }
  const isCode = segments.some(({ address, data }) => reset > address && reset < address + data.length);
  if (reset % 2 === 0 || !isCode) throw wrong(`the reset handler ${hex(reset)} is no Thumb code of this program`);
  if (chip.hasVectorTableOffset && named.address % tableAlignment !== 0) {
    throw wrong(`it would have to begin at a multiple of ${tableAlignment}`);
  }
  return { address: named.address, stackTop };
}

/** Behind the program, else before it. It has done its work when the program clears its .bss or uses its stack. */
function placeOfTrampoline(elf: Elf, segments: readonly Segment[], chip: RamChip): Address {
  const aligned = (address: Address): Address => Math.ceil(address / wordBytes) * wordBytes;
  const candidates = [
    ...segments.map(endOf).reverse(),
    ...segments.map(({ address }) => address - trampolineBytes),
    ...chip.ram.map(({ address }) => address),
  ].map(aligned);
  const found = candidates.find(
    (at) =>
      isIn(chip.ram, at, trampolineBytes) &&
      segments.every((segment) => at + trampolineBytes <= segment.address || at >= endOf(segment)),
  );
  if (found !== undefined) return found;
  throw new FlashError(
    "does-not-fit",
    `${elf.name} fills the RAM of the ${chip.title}: ${trampolineBytes} bytes have to stay free to start it`,
  );
}

function trampolineTo(table: Address): Uint8Array {
  const literals = new Uint8Array(2 * wordBytes);
  const view = viewOf(literals);
  view.setUint32(0, table, true);
  view.setUint32(wordBytes, vtor, true);
  return concat([trampolineCode, literals]);
}

/** Ranges that touch are one. */
function isIn(ram: readonly Range[], address: Address, bytes: number): boolean {
  let at = address;
  const end = address + bytes;
  for (const range of ram) {
    if (at >= range.address && at < range.address + range.size) at = range.address + range.size;
    if (at >= end) return at > address;
  }
  return false;
}

function describe(ram: readonly Range[]): string {
  return ram.map(({ address, size }) => `${hex(address)} to ${hex(address + size)}`).join(", ");
}

function padToWord(segment: Segment): Segment {
  const surplus = segment.data.length % wordBytes;
  if (surplus === 0) return segment;
  return { ...segment, data: concat([segment.data, new Uint8Array(wordBytes - surplus)]) };
}
