/** STM32F401, F405 to F417, F411, F427 to F439, F446. One row for all chips of a DEV_ID. */
import { sectorMap, sectorWords, type Sectors } from "./stm32-sectors.ts";
import {
  banksInOrder,
  dbgmcuIdcode,
  deviceId,
  ramAt,
  rdpIsOff,
  sizeIn,
  stm32Watchdog,
  threeWords,
  type ChipRow,
} from "./row.ts";

interface Member {
  readonly name: string;
  readonly title: string;
  readonly ids: readonly number[];
  readonly mostKib: number;
  /** What follows 0x20000000 without a gap. CCM at 0x10000000 is not counted: no code runs there. */
  readonly ramKib: number;
  /** An option makes two banks of 1 MB; 2 MB always are two. */
  readonly mayHaveTwoBanks?: true;
}

// The upper half of this word: RM0090 39.2.
const FLASH_SIZE = 0x1fff7a20;
const OPTCR = 0x40023c14;
const DB1M = 2 ** 30;
const BFB2 = 1 << 4;

function row({ name, title, ids, mostKib, ramKib, mayHaveTwoBanks }: Member): ChipRow {
  return {
    name,
    title,
    core: "M4",
    identify: [deviceId(dbgmcuIdcode, ...ids)],
    reads: [FLASH_SIZE, OPTCR],
    memory([size, options = 0]) {
      const bytes = sizeIn(size, 16, mostKib);
      if (bytes === undefined) return undefined;
      const isTwo = mayHaveTwoBanks === true && (bytes > 0x100000 || (options & DB1M) !== 0);
      const sectors: Sectors = { bytes, small: 0x4000, banks: isTwo ? 2 : 1 };
      return { flash: sectorMap(sectors), ram: ramAt(0x20000000, ramKib), driverWords: sectorWords(sectors) };
    },
    drivers: [{ name: "stm32f4" }],
    programUnit: 4,
    mustEraseFirst: false,
    times: {
      erase: [
        { bytes: 0x4000, typicalMs: 250, maxMs: 500 },
        { bytes: 0x10000, typicalMs: 550, maxMs: 1100 },
        { bytes: 0x20000, typicalMs: 1000, maxMs: 2000 },
      ],
      program: { bytes: 4, typicalUs: 16, maxUs: 100 },
      source:
        "DS8626, DS9405, DS10086, DS10314, DS10693, table 'Flash memory programming' at x32; not looked up again. Zephyr allows 4 s (x8)",
    },
    // RM0090 39.1.
    uniqueId: threeWords(0x1fff7a10),
    resetClockHz: 16e6,
    preconditions: [rdpIsOff(OPTCR, 8), ...(mayHaveTwoBanks === true ? [banksInOrder(OPTCR, BFB2, 0)] : [])],
    watchdog: stm32Watchdog,
    evidence: "from source, untested",
    source:
      "RM0090 rev. 19, RM0368, RM0383, RM0390, chapters 2 and 3; OpenOCD src/flash/nor/stm32f2x.c; stlink config/chips; probe-rs STM32F4_Series.yaml",
  };
}

export const stm32f4Chips: readonly ChipRow[] = [
  row({ name: "stm32f401-256k", title: "STM32F401xB, F401xC", ids: [0x423], mostKib: 256, ramKib: 64 }),
  row({ name: "stm32f401-512k", title: "STM32F401xD, F401xE", ids: [0x433], mostKib: 512, ramKib: 96 }),
  // Revision A says 411, which is an STM32F2 (a Cortex-M3): ES0182 2.1.5.
  row({ name: "stm32f405", title: "STM32F405, F407, F415, F417", ids: [0x413, 0x411], mostKib: 1024, ramKib: 128 }),
  row({ name: "stm32f411", title: "STM32F411", ids: [0x431], mostKib: 512, ramKib: 128 }),
  row({
    name: "stm32f429",
    title: "STM32F427, F429, F437, F439",
    ids: [0x419],
    mostKib: 2048,
    ramKib: 192,
    mayHaveTwoBanks: true,
  }),
  row({ name: "stm32f446", title: "STM32F446", ids: [0x421], mostKib: 512, ramKib: 128 }),
];
