/**
 * The Cortex-M chips that can be simulated, as data. Times are typical ones at 3.3 V and room temperature; clocks are those after
 * reset, before firmware has changed anything, since that is what a loader meets. The core executes ARMv6-M whatever the chip.
 */
import type { UnitRun } from "./internal-flash.ts";
import type { UartKind } from "./uarts.ts";

const KIB = 1024;

export interface SimChip {
  readonly id: string;
  readonly title: string;
  /** CPUID as the core answers it. */
  readonly cpuid: number;
  readonly core: "cortex-m0" | "cortex-m0+" | "cortex-m4" | "cortex-m7";
  readonly hasVtor: boolean;
  /** The processor's clock after reset. */
  readonly clockHz: number;
  /** The first is the one that loaders use. */
  readonly ram: readonly { readonly start: number; readonly bytes: number }[];
  readonly flash: SimFlashRow;
  readonly uarts: readonly { readonly base: number; readonly kind: UartKind }[];
  /** Registers that tell which chip this is, by address; all in 1 KiB blocks of their own. */
  readonly identity: ReadonlyMap<number, number>;
  /** Values that other registers have after reset. */
  readonly resetValues: ReadonlyMap<number, number>;
  /** Hardware breakpoints; those of the older cores reach code below 0x20000000 only. */
  readonly breakpoints: number;
  /** Which bits of the peripherals that are not modelled say "ready". */
  readonly clocks: "nrf51" | "stm32" | "rp2040";
}

export interface SimFlashRow {
  readonly kind: "nvmc" | "stm32" | "serial";
  readonly start: number;
  /** The same bytes at other addresses. */
  readonly aliases: readonly number[];
  readonly bytes: number;
  readonly runs: readonly UnitRun[];
  readonly programBytes: number;
  readonly programMs: number;
  readonly chipEraseMs: number;
  /** The vector table after reset. */
  readonly vectors: number;
}

/** nRF51822 product specification 3.x, "Flash memory": page erase 22.3 ms, word 46.3 us. From memory of it; check before a deadline. */
const nrf51Flash = { eraseMs: 22.3, programMs: 0.0463 };
/** STM32F407 data sheet (DS8626), "Flash memory programming", x32 at 2.7 to 3.6 V: word 16 us, sectors 250, 550 and 1000 ms. */
const f4Flash = { programMs: 0.016, erase16: 250, erase64: 550, erase128: 1000 };
/** STM32F767 data sheet (DS11532), same table, x32: 32 KiB 250, 128 KiB 500, 256 KiB 1000 ms. From memory of it; check before a deadline. */
const f7Flash = { programMs: 0.016, erase32: 250, erase128: 500, erase256: 1000 };

const nrf51: SimChip = {
  id: "nrf51",
  title: "nRF51822",
  cpuid: 0x410c_c200,
  core: "cortex-m0",
  hasVtor: false,
  clockHz: 16_000_000,
  ram: [{ start: 0x2000_0000, bytes: 16 * KIB }],
  flash: {
    kind: "nvmc",
    start: 0,
    aliases: [],
    bytes: 256 * KIB,
    runs: [{ bytes: KIB, count: 256, eraseMs: nrf51Flash.eraseMs }],
    programBytes: 4,
    programMs: nrf51Flash.programMs,
    chipEraseMs: nrf51Flash.eraseMs,
    vectors: 0,
  },
  uarts: [{ base: 0x4000_2000, kind: "nrf51" }],
  // FICR: CODEPAGESIZE, CODESIZE, NUMRAMBLOCK, SIZERAMBLOCKS, CONFIGID, DEVICEID; UICR: nothing set
  identity: new Map([
    [0x1000_0010, KIB],
    [0x1000_0014, 256],
    [0x1000_0034, 2],
    [0x1000_0038, 8 * KIB],
    [0x1000_005c, 0xffff_0072],
    [0x1000_0060, 0x5117_a001],
    [0x1000_0064, 0x0d5b_77e3],
    [0x1000_1004, 0xffff_ffff],
  ]),
  resetValues: new Map(),
  breakpoints: 4,
  clocks: "nrf51",
};

const stm32f4: SimChip = {
  id: "stm32f4",
  title: "STM32F407VG",
  cpuid: 0x410f_c241,
  core: "cortex-m4",
  hasVtor: true,
  clockHz: 16_000_000,
  ram: [
    { start: 0x2000_0000, bytes: 128 * KIB },
    { start: 0x1000_0000, bytes: 64 * KIB },
  ],
  flash: {
    kind: "stm32",
    start: 0x0800_0000,
    aliases: [0],
    bytes: 1024 * KIB,
    runs: [
      { bytes: 16 * KIB, count: 4, eraseMs: f4Flash.erase16 },
      { bytes: 64 * KIB, count: 1, eraseMs: f4Flash.erase64 },
      { bytes: 128 * KIB, count: 7, eraseMs: f4Flash.erase128 },
    ],
    programBytes: 4,
    programMs: f4Flash.programMs,
    chipEraseMs: 8_000,
    vectors: 0,
  },
  uarts: [
    { base: 0x4001_1000, kind: "stm32f4" },
    { base: 0x4000_4400, kind: "stm32f4" },
  ],
  // DBGMCU_IDCODE; unique ID; flash size in KiB in the upper half of its word
  identity: new Map([
    [0xe004_2000, 0x1007_6413],
    [0x1fff_7a10, 0x0033_0041],
    [0x1fff_7a14, 0x3532_4718],
    [0x1fff_7a18, 0x3334_3536],
    [0x1fff_7a20, 0x0400_0000],
  ]),
  // RCC_CR; FLASH_OPTCR as delivered
  resetValues: new Map([
    [0x4002_3800, 0x0000_0083],
    [0x4002_3c14, 0x0fff_aaed],
  ]),
  breakpoints: 6,
  clocks: "stm32",
};

const stm32f767: SimChip = {
  id: "stm32f767",
  title: "STM32F767ZI",
  cpuid: 0x411f_c270,
  core: "cortex-m7",
  hasVtor: true,
  clockHz: 16_000_000,
  ram: [{ start: 0x2000_0000, bytes: 512 * KIB }],
  flash: {
    kind: "stm32",
    start: 0x0800_0000,
    aliases: [0x0020_0000],
    bytes: 2048 * KIB,
    runs: [
      { bytes: 32 * KIB, count: 4, eraseMs: f7Flash.erase32 },
      { bytes: 128 * KIB, count: 1, eraseMs: f7Flash.erase128 },
      { bytes: 256 * KIB, count: 7, eraseMs: f7Flash.erase256 },
    ],
    programBytes: 4,
    programMs: f7Flash.programMs,
    chipEraseMs: 8_000,
    vectors: 0x0020_0000,
  },
  uarts: [
    { base: 0x4001_1000, kind: "stm32f7" },
    { base: 0x4000_4800, kind: "stm32f7" },
  ],
  // DBGMCU_IDCODE; unique ID; flash size in KiB in the upper half of its word
  identity: new Map([
    [0xe004_2000, 0x1001_6451],
    [0x1ff0_f420, 0x0029_0032],
    [0x1ff0_f424, 0x3436_510b],
    [0x1ff0_f428, 0x3136_3431],
    [0x1ff0_f440, 0x0800_0000],
  ]),
  // RCC_CR; FLASH_OPTCR as delivered: nDBANK is set, so there is one bank of large sectors
  resetValues: new Map([
    [0x4002_3800, 0x0000_0083],
    [0x4002_3c14, 0xffff_aafd],
  ]),
  breakpoints: 8,
  clocks: "stm32",
};

const rp2040: SimChip = {
  id: "rp2040",
  title: "RP2040 with a W25Q16",
  cpuid: 0x410c_c601,
  core: "cortex-m0+",
  hasVtor: true,
  clockHz: 6_500_000, // ring oscillator, data sheet 2.17
  ram: [{ start: 0x2000_0000, bytes: 264 * KIB }],
  flash: {
    kind: "serial",
    start: 0x1000_0000,
    aliases: [0x1100_0000, 0x1200_0000, 0x1300_0000], // past the cache
    bytes: 2048 * KIB,
    runs: [{ bytes: 4 * KIB, count: 512, eraseMs: 45 }],
    programBytes: 256,
    programMs: 0.5,
    chipEraseMs: 10_000,
    vectors: 0,
  },
  uarts: [
    { base: 0x4003_4000, kind: "rp2040" },
    { base: 0x4003_8000, kind: "rp2040" },
  ],
  identity: new Map([
    [0x4000_0000, 0x2000_2927], // SYSINFO CHIP_ID: B2
    [0x4000_0004, 0x0000_0002], // PLATFORM: ASIC
  ]),
  resetValues: new Map(),
  breakpoints: 4,
  clocks: "rp2040",
};

export const simChips: readonly SimChip[] = [rp2040, stm32f4, nrf51, stm32f767];
