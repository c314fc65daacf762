/**
 * STM32F103 from low to high density. DEV_ID tells the densities apart, not the lines: an F101 or F102 looks the same and may have less RAM.
 * XL density (DEV_ID 430) has two controllers and is left to the server.
 */
import {
  dbgmcuIdcode,
  deviceId,
  ramAt,
  rdprtIsOff,
  sizeIn,
  stm32Watchdog,
  threeWords,
  units,
  type ChipRow,
} from "./row.ts";

interface Density {
  readonly name: string;
  readonly title: string;
  readonly id: number;
  readonly page: 1024 | 2048;
  readonly mostKib: number;
  /** KiB of RAM by KiB of flash. */
  readonly ramKib: (flashKib: number) => number;
}

// F_SIZE: RM0008 31.1.
const FLASH_SIZE = 0x1ffff7e0;

function row({ name, title, id, page, mostKib, ramKib }: Density): ChipRow {
  return {
    name,
    title,
    core: "M3",
    identify: [deviceId(dbgmcuIdcode, id)],
    reads: [FLASH_SIZE],
    memory([size]) {
      const bytes = sizeIn(size, 0, mostKib);
      if (bytes === undefined) return undefined;
      return {
        flash: units(0x08000000, bytes, page),
        ram: ramAt(0x20000000, ramKib(bytes / 1024)),
        driverWords: [page],
      };
    },
    drivers: [{ name: "stm32f1" }],
    programUnit: 4,
    // A half-word that is not FFFF takes nothing but 0000 (PGERR): PM0075 2.3.3.
    mustEraseFirst: true,
    times: {
      erase: [{ bytes: page, typicalMs: 20, maxMs: 40 }],
      program: { bytes: 2, typicalUs: 52.5, maxUs: 70 },
      source:
        "DS5319 and DS5792, table 'Flash memory characteristics'; not looked up again. Zephyr's driver allows 40 ms",
    },
    // U_ID: RM0008 31.2.
    uniqueId: threeWords(0x1ffff7e8),
    resetClockHz: 8e6,
    preconditions: [rdprtIsOff],
    watchdog: stm32Watchdog,
    evidence: "from source, untested",
    source:
      "PM0075 rev. 2; RM0008 rev. 21, 31; OpenOCD src/flash/nor/stm32f1x.c; stlink config/chips/F1xx_*.chip; probe-rs STM32F1_Series.yaml",
  };
}

export const stm32f1Chips: readonly ChipRow[] = [
  row({
    name: "stm32f103-low",
    title: "STM32F103, low density",
    id: 0x412,
    page: 1024,
    mostKib: 32,
    ramKib: (kib) => (kib <= 16 ? 6 : 10),
  }),
  row({
    name: "stm32f103-medium",
    title: "STM32F103, medium density",
    id: 0x410,
    page: 1024,
    mostKib: 128,
    ramKib: () => 20,
  }),
  row({
    name: "stm32f103-high",
    title: "STM32F103, high density",
    id: 0x414,
    page: 2048,
    mostKib: 512,
    ramKib: (kib) => (kib <= 256 ? 48 : 64),
  }),
];
