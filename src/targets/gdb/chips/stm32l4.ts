/** STM32L4 with pages of 2 KB, G0 and G4: three families with almost one flash controller. */
import {
  banksInOrder,
  dbgmcuIdcode,
  deviceId,
  ramAt,
  rdpIsOff,
  sizeIn,
  stm32Watchdog,
  threeWords,
  units,
  type ChipMemory,
  type ChipRow,
  type CortexCore,
  type FlashTimes,
  type Precondition,
} from "./row.ts";

const FLASH_START = 0x08000000;
// RM0351 49.2, RM0394 47.2, RM0444 38.2, RM0440 47.2.
const FLASH_SIZE = 0x1fff75e0;
const OPTR = 0x40022020;
const BIT20 = 1 << 20;
const BIT21 = 1 << 21;
const BIT22 = 1 << 22;

/** Pages of 2 KB; where there are two banks, they follow each other. */
function pages(bytes: number, ramKib: number, isTwoBanks: boolean): ChipMemory {
  return {
    flash: units(FLASH_START, bytes, 2048),
    ram: ramAt(0x20000000, ramKib),
    driverWords: [11, isTwoBanks ? bytes / 2 : 0],
  };
}

interface Member {
  readonly name: string;
  readonly title: string;
  readonly id: number;
  readonly mostKib: number;
  /** What surely is RAM: SRAM1, less what its parity takes if that is on. */
  readonly ramKib: number;
  readonly memory?: (bytes: number, options: number) => ChipMemory;
  readonly banksInOrder?: Precondition;
}

type Family = Pick<ChipRow, "drivers" | "times" | "resetClockHz" | "source"> & {
  readonly core: CortexCore;
  readonly idcode: number;
  readonly wake?: ChipRow["wake"];
};

function row(family: Family, { name, title, id, mostKib, ramKib, memory, banksInOrder }: Member): ChipRow {
  const { idcode, wake, ...common } = family;
  return {
    ...common,
    ...(wake === undefined ? {} : { wake }),
    name,
    title,
    identify: [deviceId(idcode, id)],
    reads: [FLASH_SIZE, OPTR],
    memory([size, options = 0]) {
      const bytes = sizeIn(size, 0, mostKib);
      if (bytes === undefined) return undefined;
      return memory === undefined ? pages(bytes, ramKib, false) : memory(bytes, options);
    },
    programUnit: 8,
    // PROGERR unless it is FF before, or 0 afterwards: RM0351 3.3.7. On the G071 not even that (ES0418 2.2.5).
    mustEraseFirst: true,
    // RM0351 49.1, RM0444 38.1, RM0440 47.1.
    uniqueId: threeWords(0x1fff7590),
    preconditions: [rdpIsOff(OPTR, 0), ...(banksInOrder === undefined ? [] : [banksInOrder])],
    watchdog: stm32Watchdog,
    evidence: "from source, untested",
  };
}

const timesOf = (maxPageMs: number, units: readonly [typical: number, max: number], source: string): FlashTimes => ({
  erase: [{ bytes: 2048, typicalMs: 22, maxMs: maxPageMs }],
  program: { bytes: 8, typicalUs: units[0], maxUs: units[1] },
  source: `${source}, table 'Flash memory characteristics'; not looked up again`,
});

const l4: Family = {
  core: "M4",
  idcode: dbgmcuIdcode,
  drivers: [{ name: "stm32l4" }],
  times: timesOf(24.5, [81.7, 90.8], "DS10198"),
  // MSI; the driver raises it to 16 MHz meanwhile.
  resetClockHz: 4e6,
  source:
    "RM0351 rev. 9, RM0394 rev. 4, chapters 2 and 3; OpenOCD src/flash/nor/stm32l4x.c; stlink config/chips; probe-rs STM32L4_Series.yaml",
};

/** 1 MB always is two banks; less is, if the option DUALBANK says so. */
const l4TwoBanks = (ramKib: number) => (bytes: number, options: number) =>
  pages(bytes, ramKib, bytes === 0x100000 || (options & BIT21) !== 0);
const l4BanksInOrder = banksInOrder(OPTR, BIT20, 0);

const g0: Family = {
  core: "M0+",
  idcode: 0x40015800,
  // DBGEN of RCC_APBENR1: RM0444 5.4.15.
  wake: { address: 0x4002103c, bits: 1 << 27 },
  drivers: [{ name: "stm32g0" }],
  times: timesOf(40, [85, 125], "DS12232"),
  resetClockHz: 16e6,
  source:
    "RM0444 rev. 5, RM0454 rev. 5, chapters 2 and 3; OpenOCD src/flash/nor/stm32l4x.c; Black Magic src/target/stm32g0.c; Zephyr drivers/flash/flash_stm32g0x.c",
};

const g4: Family = {
  core: "M4",
  idcode: dbgmcuIdcode,
  drivers: [{ name: "stm32g4" }],
  times: timesOf(24.5, [81.7, 83.4], "DS12288"),
  resetClockHz: 16e6,
  source: "RM0440 rev. 8, chapters 2 and 3; OpenOCD src/flash/nor/stm32l4x.c; stlink config/chips/G4*.chip",
};

/** DBANK: two banks of pages of 2 KB, the second always at 256 KB; without it pages of 4 KB. */
function g47Memory(bytes: number, options: number): ChipMemory {
  const ram = ramAt(0x20000000, 80);
  if ((options & BIT22) === 0) return { flash: units(FLASH_START, bytes, 4096), ram, driverWords: [12, 0] };
  const half = bytes / 2;
  const flash = [...units(FLASH_START, half, 2048), ...units(FLASH_START + 0x40000, half, 2048)];
  return { flash, ram, driverWords: [11, 0x40000] };
}

export const stm32l4Chips: readonly ChipRow[] = [
  row(l4, { name: "stm32l412", title: "STM32L412, L422", id: 0x464, mostKib: 128, ramKib: 32 }),
  row(l4, { name: "stm32l432", title: "STM32L431 to L443", id: 0x435, mostKib: 256, ramKib: 48 }),
  row(l4, { name: "stm32l452", title: "STM32L451, L452, L462", id: 0x462, mostKib: 512, ramKib: 128 }),
  row(l4, {
    name: "stm32l476",
    title: "STM32L471, L475, L476, L486",
    id: 0x415,
    mostKib: 1024,
    ramKib: 96,
    memory: l4TwoBanks(96),
    banksInOrder: l4BanksInOrder,
  }),
  row(l4, {
    name: "stm32l496",
    title: "STM32L496, L4A6",
    id: 0x461,
    mostKib: 1024,
    ramKib: 256,
    memory: l4TwoBanks(256),
    banksInOrder: l4BanksInOrder,
  }),
  row(g0, { name: "stm32g030", title: "STM32G030, G031, G041", id: 0x466, mostKib: 64, ramKib: 8 }),
  row(g0, { name: "stm32g050", title: "STM32G050, G051, G061", id: 0x456, mostKib: 64, ramKib: 16 }),
  row(g0, { name: "stm32g070", title: "STM32G070, G071, G081", id: 0x460, mostKib: 128, ramKib: 32 }),
  row(g0, {
    name: "stm32g0b1",
    title: "STM32G0B0, G0B1, G0C1",
    id: 0x467,
    mostKib: 512,
    ramKib: 128,
    // DUAL_BANK; 128 KB never are two.
    memory: (bytes, options) => pages(bytes, 128, bytes > 0x20000 && (options & BIT21) !== 0),
    // nSWAP_BANK.
    banksInOrder: banksInOrder(OPTR, BIT20, BIT20),
  }),
  row(g4, { name: "stm32g431", title: "STM32G431, G441", id: 0x468, mostKib: 128, ramKib: 16 }),
  row(g4, {
    name: "stm32g474",
    title: "STM32G471 to G484",
    id: 0x469,
    mostKib: 512,
    ramKib: 80,
    memory: g47Memory,
    banksInOrder: banksInOrder(OPTR, BIT20, 0),
  }),
  row(g4, { name: "stm32g491", title: "STM32G491, G4A1", id: 0x479, mostKib: 512, ramKib: 80 }),
];
