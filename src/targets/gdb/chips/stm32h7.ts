/** STM32H742 to H757: sectors of 128 KB in two banks, flash words of 32 bytes. The loader stands in the DTCM, which no cache covers. */
import {
  banksInOrder,
  deviceId,
  ramAt,
  rdpIsOff,
  sizeIn,
  stm32Watchdog,
  threeWords,
  units,
  type ChipRow,
} from "./row.ts";

const FLASH_START = 0x08000000;
/** The second bank begins here whatever the banks' size: RM0433 4.3.4. */
const BANK2_START = 0x08100000;
const SECTOR = 0x20000;
// Lower half of this word: RM0433 62.2.
const FLASH_SIZE = 0x1ff1e880;
const OPTSR_CUR = 0x5200201c;

export const stm32h7Chips: readonly ChipRow[] = [
  {
    name: "stm32h743",
    title: "STM32H742 to H757",
    core: "M7",
    identify: [deviceId(0x5c001000, 0x450)],
    reads: [FLASH_SIZE],
    memory([size]) {
      const bytes = sizeIn(size, 0, 2048);
      if (bytes === undefined) return undefined;
      // H750: one sector, one bank.
      const half = bytes === SECTOR ? bytes : bytes / 2;
      const second = bytes === SECTOR ? [] : units(BANK2_START, half, SECTOR);
      return { flash: [...units(FLASH_START, half, SECTOR), ...second], ram: ramAt(0x20000000, 128), driverWords: [] };
    },
    drivers: [{ name: "stm32h7" }],
    programUnit: 32,
    // Error correction over 32 bytes; programming twice is a double error, and reading that a bus fault: RM0433 4.3.9.
    mustEraseFirst: true,
    times: {
      erase: [{ bytes: SECTOR, typicalMs: 1000, maxMs: 2000 }],
      program: { bytes: 32, typicalUs: 100, maxUs: 200 },
      source:
        "DS12110, table 'Flash memory programming' at x64; not looked up again. ST's forum says 1.1 and 2.2 s at x32",
    },
    // RM0433 62.1.
    uniqueId: threeWords(0x1ff1e800),
    resetClockHz: 64e6,
    // SWAP_BANK_OPT.
    preconditions: [rdpIsOff(OPTSR_CUR, 8), banksInOrder(OPTSR_CUR, 2 ** 31, 0)],
    watchdog: stm32Watchdog,
    evidence: "from source, untested",
    source:
      "RM0433 rev. 8, chapters 2 and 4; OpenOCD src/flash/nor/stm32h7x.c; stlink config/chips/H74x_H75x.chip; probe-rs STM32H7_Series.yaml",
  },
];
