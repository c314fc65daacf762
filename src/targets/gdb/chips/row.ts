/**
 * What Deltaflash knows of a chip behind a GDB server: data, and the functions that make its memory map out of words that it reads. Knows
 * nothing of servers and loaders. Numbers come from reference manuals (RM, PM), datasheets (DS) and what public tools say; the rows name them.
 * Addresses, IDs and sizes were checked against the tools that `source` names; the manuals themselves were at hand in part only, so the number of
 * a chapter or table may be off.
 */
import type { FlashMap, Region } from "../../../core/flash-map.ts";
import type { Address, Range } from "../../../core/image.ts";

export type CortexCore = "M0" | "M0+" | "M3" | "M4" | "M7";

/** True of a chip whose 32-bit word at `address`, as far as `mask` shows it, is one of `values`. */
export interface Fact {
  readonly address: Address;
  readonly mask: number;
  readonly values: readonly number[];
}

/** A fact that has to be true before our loader may touch the flash. */
export interface Precondition extends Fact {
  /** For the user when it is not: what is the matter, and what can be done. */
  readonly otherwise: string;
  /** Where it is not true, nobody can read or write the flash through a debugger, the GDB server's own driver neither. */
  readonly locks?: true;
}

/** A driver of `stubs/cortex-m`, and where it may be used. */
export interface DriverChoice {
  /** As in the blob's name: `cortex-m-<name>`. */
  readonly name: string;
  /** Absent: everywhere. */
  readonly where?: Fact;
}

export interface EraseTime {
  /** Of the unit. */
  readonly bytes: number;
  readonly typicalMs: number;
  readonly maxMs: number;
}

/** At 3.3 V and room temperature; for estimates and, times some, for deadlines. */
export interface FlashTimes {
  /** Every size of unit, the smallest first. */
  readonly erase: readonly EraseTime[];
  readonly program: { readonly bytes: number; readonly typicalUs: number; readonly maxUs: number };
  /** "not looked up again": the table was not at hand when the row was written. */
  readonly source: string;
}

/** What a row makes of its words. */
export interface ChipMemory {
  readonly flash: FlashMap;
  /** Where the loader may stand, from its start on; not all of the RAM. */
  readonly ram: Range;
  /** Arguments of the driver, words 18 … of the mailbox. */
  readonly driverWords: readonly number[];
}

export type Evidence = "measured on emulator" | "from source, untested";

/** What our driver was tried on, for tables and pickers; `stubs/cortex-m/README.md` has the whole table. */
export const triedOnWords: Readonly<Record<Evidence, string>> = {
  "measured on emulator": "third party's emulator",
  "from source, untested": "model of ours only",
};

export interface ChipRow {
  /** The catalogue's name: `stm32f405`. One for all chips that look the same from outside. */
  readonly name: string;
  /** As people write it. */
  readonly title: string;
  readonly core: CortexCore;
  /** All of them are true of the chip, and together of no other one. */
  readonly identify: readonly Fact[];
  /** Words that `memory` wants, in this order. All can be read even where the flash is protected. */
  readonly reads: readonly Address[];
  /** Undefined when the words make no sense. */
  memory(words: readonly number[]): ChipMemory | undefined;
  /** The flash's size is what such boards usually have, not what was read. */
  readonly sizeIsAssumed?: true;
  /** The first that fits. */
  readonly drivers: readonly DriverChoice[];
  /** Bytes that are programmed at a time: address and length are multiples. */
  readonly programUnit: number;
  /** True: what was programmed is never programmed again before an erase, not even to clear more bits. */
  readonly mustEraseFirst: boolean;
  readonly times: FlashTimes;
  /** Words that together no other chip has; empty where the chip has none that can be read by address. */
  readonly uniqueId: readonly Address[];
  readonly resetClockHz: number;
  readonly preconditions: readonly Precondition[];
  /** What a watchdog that runs already does to us. */
  readonly watchdog: string;
  readonly evidence: Evidence;
  /** Where the numbers come from that are not said to be from elsewhere. */
  readonly source: string;
  /** To be set once where the words of `identify` read 0: the clock of what they belong to. */
  readonly wake?: { readonly address: Address; readonly bits: number };
}

export const KIB = 1024;

export function ramAt(address: Address, kib: number): Range {
  return { address, size: kib * KIB };
}

/** A run of equal erase units; nothing where there are none. */
export function units(start: Address, size: number, sectorSize: number): readonly Region[] {
  return size === 0 ? [] : [{ name: "flash", start, size, sectorSize, erasedByte: 0xff }];
}

/** The half-word that holds a size in KiB: `undefined` where nobody has written one, or nothing that flash chips have. */
export function sizeIn(word: number | undefined, shift: 0 | 16, mostKib: number): number | undefined {
  const kib = ((word ?? 0) >>> shift) & 0xffff;
  return kib === 0 || kib > mostKib ? undefined : kib * KIB;
}

/** DEV_ID of an STM32's DBGMCU_IDCODE. */
export function deviceId(address: Address, ...values: readonly number[]): Fact {
  return { address, mask: 0xfff, values };
}

/** Where the STM32 with a Cortex-M3, M4 or M7 have DBGMCU_IDCODE; the H7 has not. */
export const dbgmcuIdcode = 0xe0042000;

/** The three words of an STM32's unique number. */
export function threeWords(address: Address): readonly Address[] {
  return [address, address + 4, address + 8];
}

const readProtected = (level: string, remedy: string) => ({
  otherwise: `The chip is read protected (${level}): a debugger may neither read nor write its flash. ${remedy}`,
  locks: true as const,
});

/** Of an STM32 with three levels of protection (RDP) in byte `shift` of an option register: level 0 is AA. */
export function rdpIsOff(address: Address, shift: 0 | 8): Precondition {
  return {
    address,
    mask: 0xff << shift,
    values: [0xaa << shift],
    ...readProtected(
      "RDP is not level 0",
      "STM32CubeProgrammer can set RDP back to AA, unless it is level 2; that erases the whole flash.",
    ),
  };
}

/** Of an STM32F1, which has one level. */
export const rdprtIsOff: Precondition = {
  // FLASH_OBR, RDPRT: PM0075 3.7.
  address: 0x4002201c,
  mask: 2,
  values: [0],
  ...readProtected("RDPRT", "STM32CubeProgrammer can remove that; it erases the whole flash."),
};

/** The banks of an STM32 stand where they are numbered. */
export function banksInOrder(address: Address, mask: number, value: number): Precondition {
  return {
    address,
    mask,
    values: [value],
    otherwise:
      "The chip starts from its second flash bank, or may: banks that have changed places are left to the GDB server's own flash driver.",
  };
}

/** The independent watchdog of all STM32. */
export const stm32Watchdog =
  "An independent watchdog that an option byte or the firmware has started is fed while the flash is busy, not during digests.";
