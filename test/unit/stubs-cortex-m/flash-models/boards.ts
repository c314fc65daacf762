/**
 * Chips for the tests of drivers: what a row reads of them, and a register model whose table of units is written from the reference manual a
 * second time. Row and driver agree with each other, and with the manual, if every unit that is erased is the one that was meant.
 */
import type { FlashModel, Run } from "./array.ts";
import { Fpec } from "./fpec.ts";
import { Nvmctrl } from "./nvmctrl.ts";
import { Stm32F4 } from "./stm32f4.ts";
import { Stm32H7 } from "./stm32h7.ts";
import { Stm32L4 } from "./stm32l4.ts";

export interface TestBoard {
  readonly title: string;
  /** Name of the chip's row. */
  readonly chip: string;
  /** What the row's `reads` give. */
  readonly words: readonly number[];
  make(): FlashModel;
}

const K = 1024;
const run = (start: number, kib: number, count: number): Run => ({ start, size: kib * K, count });

/** RM0090 tables 5 and 6. */
const f4Bank = (start: number, large: number): readonly Run[] => [
  run(start, 16, 4),
  run(start + 0x10000, 64, 1),
  run(start + 0x20000, 128, large),
];
/** RM0385 table 3, RM0410 table 3. */
const f7Bank = (large: number): readonly Run[] => [
  run(0x08000000, 32, 4),
  run(0x08020000, 128, 1),
  run(0x08040000, 256, large),
];
const optcr = 0x0fffaaed;

const f4 = (title: string, chip: string, words: readonly number[], ...banks: readonly Run[][]): TestBoard => ({
  title,
  chip,
  words,
  make: () => new Stm32F4({ family: chip.startsWith("stm32f7") ? "f7" : "f4", banks }),
});

interface Pages {
  readonly kib: number;
  readonly options: number;
  /** Of each bank. */
  readonly pages: number;
  readonly pageBytes?: number;
  readonly second?: number;
}

const l4 = (title: string, chip: string, { kib, options, pages, pageBytes = 2048, second }: Pages): TestBoard => ({
  title,
  chip,
  words: [0xffff0000 + kib, options],
  make: () => {
    const family = chip.startsWith("stm32l4") ? "l4" : chip.startsWith("stm32g0") ? "g0" : "g4";
    return new Stm32L4({ family, pageBytes, pages, ...(second === undefined ? {} : { second }) });
  },
});

const other = (title: string, chip: string, words: readonly number[], make: () => FlashModel): TestBoard => ({
  title,
  chip,
  words,
  make,
});

export const testBoards: readonly TestBoard[] = [
  other("STM32F103C8", "stm32f103-medium", [0xffff0040], () => new Fpec(64, 1024)),
  other("STM32F103C6", "stm32f103-low", [0xffff0020], () => new Fpec(32, 1024)),
  other("STM32F103RE", "stm32f103-high", [0xffff0200], () => new Fpec(256, 2048)),
  f4("STM32F401CB", "stm32f401-256k", [0x00800000, optcr], [run(0x08000000, 16, 4), run(0x08010000, 64, 1)]),
  f4("STM32F407VG", "stm32f405", [0x04000000, optcr], [...f4Bank(0x08000000, 7)]),
  f4("STM32F429ZG, one bank", "stm32f429", [0x04000000, optcr], [...f4Bank(0x08000000, 7)]),
  f4(
    "STM32F429ZG, two banks",
    "stm32f429",
    [0x04000000, optcr | 0x40000000],
    [...f4Bank(0x08000000, 3)],
    [...f4Bank(0x08080000, 3)],
  ),
  f4("STM32F429ZI", "stm32f429", [0x08000000, optcr], [...f4Bank(0x08000000, 7)], [...f4Bank(0x08100000, 7)]),
  f4("STM32F746ZG", "stm32f746", [0x04000000, 0xc0ffaafd], [...f7Bank(3)]),
  f4("STM32F767ZI, one bank", "stm32f767", [0x08000000, 0xffffaafd], [...f7Bank(7)]),
  f4(
    "STM32F767ZI, two banks",
    "stm32f767",
    [0x08000000, 0xdfffaafd],
    [...f4Bank(0x08000000, 7)],
    [...f4Bank(0x08100000, 7)],
  ),
  l4("STM32L432KC", "stm32l432", { kib: 256, options: 0xffeff8aa, pages: 128 }),
  l4("STM32L476RG", "stm32l476", { kib: 1024, options: 0xffeff8aa, pages: 256, second: 0x08080000 }),
  l4("STM32L476RE, two banks", "stm32l476", { kib: 512, options: 0xffeff8aa, pages: 128, second: 0x08040000 }),
  l4("STM32L476RE, one bank", "stm32l476", { kib: 512, options: 0xffcff8aa, pages: 256 }),
  l4("STM32G031K8", "stm32g030", { kib: 64, options: 0xfffffeaa, pages: 32 }),
  l4("STM32G071RB", "stm32g070", { kib: 128, options: 0xfffffeaa, pages: 64 }),
  l4("STM32G0B1RE", "stm32g0b1", { kib: 512, options: 0xfffffeaa, pages: 128, second: 0x08040000 }),
  l4("STM32G0B1RC", "stm32g0b1", { kib: 256, options: 0xfffffeaa, pages: 64, second: 0x08020000 }),
  l4("STM32G431KB", "stm32g431", { kib: 128, options: 0xffeff8aa, pages: 64 }),
  l4("STM32G474RE, two banks", "stm32g474", { kib: 512, options: 0xffeff8aa, pages: 128, second: 0x08040000 }),
  l4("STM32G474RC, two banks", "stm32g474", { kib: 256, options: 0xffeff8aa, pages: 64, second: 0x08040000 }),
  l4("STM32G474RE, one bank", "stm32g474", { kib: 512, options: 0xffaff8aa, pages: 128, pageBytes: 4096 }),
  other("STM32H743ZI", "stm32h743", [0xffff0800], () => new Stm32H7(8)),
  other("STM32H743ZG", "stm32h743", [0xffff0400], () => new Stm32H7(4)),
  other("SAMD21G18A", "samd21", [0x00031000], () => new Nvmctrl(1024)),
];
