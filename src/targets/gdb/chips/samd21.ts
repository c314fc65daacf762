/** SAMD21 (A to D) and SAMR21. DID names the part; how large its flash is says NVMCTRL, its RAM follows from that. */
import { KIB, ramAt, units, type ChipRow } from "./row.ts";

const DID = 0x41002018;
const PARAM = 0x41004008;
const ROW = 256;
/** 8 pages of 8 bytes is PSZ 0: 64 bytes is 3. */
const PSZ_64 = 3;

/** The least that a part with so much flash has: table 2 of the datasheet's ordering information. */
const leastRamKib = (flashKib: number) => Math.max(2, flashKib / 8);

export const samd21Chips: readonly ChipRow[] = [
  {
    name: "samd21",
    title: "SAMD21, SAMR21",
    core: "M0+",
    // Processor 1, family 0, series 1: datasheet 13.13.9 (DID).
    identify: [{ address: DID, mask: 0xffff0000, values: [0x10010000] }],
    reads: [PARAM],
    memory([param = 0]) {
      const pages = param & 0xffff;
      const bytes = pages * 64;
      if (((param >>> 16) & 7) !== PSZ_64 || bytes < 16 * KIB || bytes > 256 * KIB) return undefined;
      return { flash: units(0, bytes, ROW), ram: ramAt(0x20000000, leastRamKib(bytes / KIB)), driverWords: [] };
    },
    drivers: [{ name: "samd21" }],
    programUnit: 64,
    // Eight pages may be written to a row between two erases (note to that table), which nobody counts.
    mustEraseFirst: true,
    times: {
      erase: [{ bytes: ROW, typicalMs: 6, maxMs: 6 }],
      program: { bytes: 64, typicalUs: 2500, maxUs: 2500 },
      source:
        "DS40001882, table 'NVM characteristics' (maxima only); not looked up again. Variants B and C erase in 1.2 ms (free-dap issue 7)",
    },
    // Datasheet 10.3.3.
    uniqueId: [0x0080a00c, 0x0080a040, 0x0080a044, 0x0080a048],
    // OSC8M by 8; the driver takes all 8 MHz meanwhile.
    resetClockHz: 1e6,
    preconditions: [
      {
        // STATUSB.PROT of the DSU, third byte of this word: datasheet 13.13.3.
        address: 0x41002000,
        mask: 1 << 16,
        values: [0],
        otherwise:
          "The chip's security bit is set: a debugger may neither read nor write its flash. A chip erase by the programmer removes that, with all contents.",
        locks: true,
      },
    ],
    watchdog:
      "A watchdog that a fuse keeps on is fed while rows are erased and programmed, not in window mode and not during digests.",
    evidence: "from source, untested",
    source:
      "SAM D21 datasheet DS40001882, chapters 10, 13 and 22; OpenOCD src/flash/nor/at91samd.c; probe-rs SAMD21.yaml",
  },
];
