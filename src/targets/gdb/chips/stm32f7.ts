/** STM32F745 to F756 and F765 to F779. The loader's code and stack stand in the DTCM, which no cache covers. */
import { sectorMap, sectorWords, type Sectors } from "./stm32-sectors.ts";
import { dbgmcuIdcode, deviceId, ramAt, rdpIsOff, sizeIn, stm32Watchdog, threeWords, type ChipRow } from "./row.ts";

interface Member {
  readonly name: string;
  readonly title: string;
  readonly id: number;
  readonly mostKib: number;
  /** DTCM, SRAM1 and SRAM2, which follow each other from 0x20000000 on. */
  readonly ramKib: number;
  /** nDBANK = 0 makes two banks with sectors half as large. The F74x does not have it, and shows 0 there. */
  readonly mayHaveTwoBanks?: true;
}

// The upper half of this word: RM0385 41.2, RM0410 45.2.
const FLASH_SIZE = 0x1ff0f440;
const OPTCR = 0x40023c14;
const NDBANK = 1 << 29;

function row({ name, title, id, mostKib, ramKib, mayHaveTwoBanks }: Member): ChipRow {
  return {
    name,
    title,
    core: "M7",
    identify: [deviceId(dbgmcuIdcode, id)],
    reads: [FLASH_SIZE, OPTCR],
    memory([size, options = 0]) {
      const bytes = sizeIn(size, 16, mostKib);
      if (bytes === undefined) return undefined;
      const isTwo = mayHaveTwoBanks === true && (options & NDBANK) === 0;
      const sectors: Sectors = { bytes, small: isTwo ? 0x4000 : 0x8000, banks: isTwo ? 2 : 1 };
      return { flash: sectorMap(sectors), ram: ramAt(0x20000000, ramKib), driverWords: sectorWords(sectors) };
    },
    drivers: [{ name: "stm32f7" }],
    programUnit: 4,
    mustEraseFirst: false,
    times: {
      erase: [
        { bytes: 0x8000, typicalMs: 250, maxMs: 500 },
        { bytes: 0x20000, typicalMs: 550, maxMs: 1100 },
        { bytes: 0x40000, typicalMs: 1000, maxMs: 2000 },
      ],
      program: { bytes: 4, typicalUs: 16, maxUs: 100 },
      source:
        "DS10916 and DS11532, table 'Flash memory programming' at x32; not looked up again, the figure of 128 KB least certain",
    },
    // RM0385 41.1, RM0410 45.1.
    uniqueId: threeWords(0x1ff0f420),
    resetClockHz: 16e6,
    preconditions: [rdpIsOff(OPTCR, 8)],
    watchdog: stm32Watchdog,
    evidence: "from source, untested",
    source:
      "RM0385 rev. 8 and RM0410 rev. 5, chapters 2 and 3; OpenOCD src/flash/nor/stm32f2x.c; stlink config/chips; probe-rs STM32F7_Series.yaml",
  };
}

export const stm32f7Chips: readonly ChipRow[] = [
  row({ name: "stm32f746", title: "STM32F745, F746, F750, F756", id: 0x449, mostKib: 1024, ramKib: 320 }),
  row({
    name: "stm32f767",
    title: "STM32F765, F767, F769, F777, F779",
    id: 0x451,
    mostKib: 2048,
    ramKib: 512,
    mayHaveTwoBanks: true,
  }),
];
