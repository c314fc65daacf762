/**
 * nRF51822 and nRF52832, 833, 840. Identified by FICR: pages and their number, and, from the nRF52 on, the part's name. A chip whose access
 * port is closed (APPROTECT) shows none of this: then not even the core's own registers can be read.
 */
import { KIB, ramAt, units, type ChipMemory, type ChipRow, type EraseTime, type Fact } from "./row.ts";

const CODEPAGESIZE = 0x10000010;
const CODESIZE = 0x10000014;
const NUMRAMBLOCK = 0x10000034;
const SIZERAMBLOCK0 = 0x10000038;
const INFO_PART = 0x10000100;
const INFO_RAM = 0x1000010c;

const pagesOf = (bytes: number): Fact => ({ address: CODEPAGESIZE, mask: 0xffffffff, values: [bytes] });

/** @param ramKib what could not be read for */
function memoryOf(page: number | undefined, pages: number | undefined, ramKib: number): ChipMemory | undefined {
  if (page === undefined || pages === undefined || pages === 0 || pages > 256) return undefined;
  return { flash: units(0, page * pages, page), ram: ramAt(0x20000000, ramKib), driverWords: [page] };
}

const common = {
  drivers: [{ name: "nrf" }],
  programUnit: 4,
  // A word may be written twice between two erases (nRF52840 PS v1.2, nWRITE), which nobody counts.
  mustEraseFirst: true,
  // FICR DEVICEID: nRF51 RM v3.0.1 table 9, nRF52832 PS v1.4 13.1.
  uniqueId: [0x10000060, 0x10000064],
  // nRF52840 PS v1.2 5.3.6.8: a soft reset does not reset it.
  watchdog: "A watchdog that the firmware has started goes on after a debugger's reset, and is not fed.",
} as const;

const nrf51: ChipRow = {
  ...common,
  name: "nrf51822",
  title: "nRF51822, nRF51422",
  core: "M0",
  // QEMU has no FICR INFO, and the chips before revision 3 have none either. NVMC.READY, so that RAM of another chip does not deceive.
  identify: [
    pagesOf(1024),
    { address: CODESIZE, mask: 0xffffffff, values: [0x80, 0xc0, 0x100] },
    { address: 0x4001e400, mask: 0xffffffff, values: [1] },
  ],
  reads: [CODEPAGESIZE, CODESIZE, NUMRAMBLOCK, SIZERAMBLOCK0],
  memory([page, pages, blocks = 0, blockBytes = 0]) {
    // QEMU 7.2 has other contents there; 16 KB is what the smallest has (xxAA and xxAB).
    const known = blocks >= 1 && blocks <= 4 && [0x1000, 0x2000, 0x4000].includes(blockBytes);
    return memoryOf(page, pages, known ? (blocks * blockBytes) / KIB : 16);
  },
  times: {
    erase: [{ bytes: 1024, typicalMs: 22.3, maxMs: 22.3 }],
    program: { bytes: 4, typicalUs: 46.3, maxUs: 46.3 },
    source: "nRF51822 PS v3.1, NVMC electrical specification (maxima only); not looked up again",
  },
  resetClockHz: 16e6,
  preconditions: [
    {
      // UICR RBPCONF: nRF51 RM v3.0.1 8.2. FF as delivered.
      address: 0x10001004,
      mask: 0xffff,
      values: [0xffff],
      otherwise:
        "The chip is read protected (RBPCONF): a debugger may neither read nor write its flash. `nrfjprog --recover` removes that; it erases the whole flash.",
      locks: true,
    },
  ],
  evidence: "measured on emulator",
  source:
    "nRF51 Series Reference Manual v3.0.1, chapters 5 to 8; OpenOCD src/flash/nor/nrf5.c; QEMU hw/nvram/nrf51_nvm.c",
};

interface Nrf52 {
  readonly part: number;
  readonly erase: EraseTime;
  readonly programUs: readonly [typical: number, max: number];
}

function nrf52({ part, erase, programUs: [typicalUs, maxUs] }: Nrf52): ChipRow {
  const number = part.toString(16);
  return {
    ...common,
    name: `nrf${number}`,
    title: `nRF${number}`,
    core: "M4",
    identify: [pagesOf(4096), { address: INFO_PART, mask: 0xffffffff, values: [part] }],
    reads: [CODEPAGESIZE, CODESIZE, INFO_RAM],
    memory([page, pages, ramKib = 0]) {
      // Early samples have no INFO.RAM; the smallest has 32 KB (nRF52832 xxAB).
      return memoryOf(page, pages, ramKib >= 32 && ramKib <= 256 ? ramKib : 32);
    },
    times: {
      erase: [erase],
      program: { bytes: 4, typicalUs, maxUs },
      source: `nRF${number} Product Specification, NVMC electrical specification; not looked up again. Zephyr soc/nordic/nrf52/soc.h allows 89.7 ms`,
    },
    resetClockHz: 64e6,
    preconditions: [],
    evidence: "from source, untested",
    source:
      "nRF52 Product Specifications, NVMC and FICR; OpenOCD src/flash/nor/nrf5.c; probe-rs targets/nRF52_Series.yaml",
  };
}

export const nrfChips: readonly ChipRow[] = [
  nrf51,
  nrf52({ part: 0x52832, erase: { bytes: 4096, typicalMs: 89.7, maxMs: 89.7 }, programUs: [67.5, 338] }),
  nrf52({ part: 0x52833, erase: { bytes: 4096, typicalMs: 87.5, maxMs: 87.5 }, programUs: [42.5, 42.5] }),
  nrf52({ part: 0x52840, erase: { bytes: 4096, typicalMs: 85, maxMs: 85 }, programUs: [41, 41] }),
];
