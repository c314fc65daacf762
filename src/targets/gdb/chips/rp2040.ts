/** RP2040 with the NOR flash that its boards have. Which one that is cannot be read by address: 2 MB as on the Pico are assumed. */
import { ramAt, type ChipRow } from "./row.ts";

export const rp2040Chips: readonly ChipRow[] = [
  {
    name: "rp2040",
    title: "RP2040",
    core: "M0+",
    // SYSINFO CHIP_ID: manufacturer 927, part 2, any revision: RP2040 datasheet 2.19.
    identify: [{ address: 0x40000000, mask: 0x0fffffff, values: [0x2927] }],
    reads: [],
    memory() {
      const region = { name: "flash", start: 0x10000000, size: 0x200000, sectorSize: 0x1000, blockSize: 0x10000 };
      // Four striped banks: datasheet 2.6.2.
      return { flash: [{ ...region, erasedByte: 0xff }], ram: ramAt(0x20000000, 256), driverWords: [] };
    },
    sizeIsAssumed: true,
    drivers: [
      // "Mu" and 1 at 0x10: datasheet 2.8.3.
      { name: "rp2040-rom", where: { address: 0x10, mask: 0xffffff, values: [0x01754d] } },
      { name: "rp2040-ssi" },
    ],
    programUnit: 256,
    mustEraseFirst: false,
    times: {
      erase: [
        { bytes: 0x1000, typicalMs: 45, maxMs: 400 },
        { bytes: 0x10000, typicalMs: 150, maxMs: 2000 },
      ],
      program: { bytes: 256, typicalUs: 400, maxUs: 3000 },
      source: "W25Q16JV rev. H, table 'AC electrical characteristics'; other boards have other chips",
    },
    uniqueId: [],
    // Ring oscillator, 1.8 to 12 MHz: datasheet 2.17.
    resetClockHz: 6.5e6,
    preconditions: [],
    // Only PSM resets it, not a core's reset request: datasheet 2.14 and 4.7.
    watchdog: "A watchdog that the firmware has started goes on after a debugger's reset of the cores, and is not fed.",
    evidence: "measured on emulator",
    source: "RP2040 datasheet, 2.6, 2.8, 2.19 and 4.10; OpenOCD src/flash/nor/rp2xxx.c; probe-rs RP2040.yaml",
  },
];
