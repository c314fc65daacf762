/**
 * What an image file says differently for each ESP chip: numbers in the header, and which addresses are flash and which are RAM.
 * Data only; knows nothing of registers or of the wire.
 * Sources: memory from `soc.h` of each chip in ESP-IDF (Apache-2.0), except ESP32-H2 (320 KB of SRAM, 4 KB of LP memory) and ESP8266,
 * which were not checked against a document; chip numbers and header codes by comparison with what esptool 5.3.1 writes and shows.
 */
import type { ElfMachine } from "../../core/elf.ts";

export const espImageChips = [
  "esp8266",
  "esp32",
  "esp32s2",
  "esp32s3",
  "esp32c2",
  "esp32c3",
  "esp32c5",
  "esp32c6",
  "esp32c61",
  "esp32h2",
  "esp32p4",
] as const;
export type EspImageChip = (typeof espImageChips)[number];

/** `start` up to, not including, `end`. */
export interface MemoryArea {
  readonly kind: "flash" | "ram";
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

export interface ImageChipFacts {
  /** As people write it. */
  readonly label: string;
  readonly machine: ElfMachine;
  /** Chip number in the extended header; undefined where there is no such header. */
  readonly chipId: number | undefined;
  /** Flash offset at which the ROM looks for its boot loader. */
  readonly bootloaderOffset: number;
  readonly memory: readonly MemoryArea[];
  /** Low nibble of header byte 3, by name as build systems write it. */
  readonly frequencyCodes: Readonly<Record<string, number>>;
  /** High nibble of header byte 3. */
  readonly sizeCodes: Readonly<Record<string, number>>;
  /** Bytes of a page that the cache can map, the usual size first. */
  readonly pageSizes: readonly number[];
}

/** Header byte 2. */
export const modeCodes: Readonly<Record<string, number>> = { qio: 0, qout: 1, dio: 2, dout: 3 };

const KIB = 1024;
const sizesOfEsp8266 = {
  "512KB": 0,
  "256KB": 1,
  "1MB": 2,
  "2MB": 3,
  "4MB": 4,
  "2MB-c1": 5,
  "4MB-c1": 6,
  "8MB": 8,
  "16MB": 9,
};
const sizes = { "1MB": 0, "2MB": 1, "4MB": 2, "8MB": 3, "16MB": 4, "32MB": 5, "64MB": 6, "128MB": 7 };
const frequencies = { "80m": 0xf, "40m": 0, "26m": 1, "20m": 2 };
const page64 = [64 * KIB];

function flash(name: string, start: number, end: number): MemoryArea {
  return { kind: "flash", name, start, end };
}
function ram(name: string, start: number, end: number): MemoryArea {
  return { kind: "ram", name, start, end };
}

const rtc = (name: string, size: number) => ram(name, 0x5000_0000, 0x5000_0000 + size);

export const imageChips: Readonly<Record<EspImageChip, ImageChipFacts>> = {
  esp8266: {
    label: "ESP8266",
    machine: "xtensa",
    chipId: undefined,
    bootloaderOffset: 0,
    memory: [
      flash("IROM", 0x4020_0000, 0x4030_0000),
      ram("IRAM", 0x4010_0000, 0x4010_8000),
      ram("DRAM", 0x3ffe_8000, 0x3fff_c000),
    ],
    frequencyCodes: frequencies,
    sizeCodes: sizesOfEsp8266,
    pageSizes: page64,
  },
  esp32: {
    label: "ESP32",
    machine: "xtensa",
    chipId: 0,
    bootloaderOffset: 0x1000,
    memory: [
      flash("DROM", 0x3f40_0000, 0x3f80_0000),
      flash("IROM", 0x400d_0000, 0x4040_0000),
      ram("RTC_DRAM", 0x3ff8_0000, 0x3ff8_2000),
      ram("DRAM", 0x3ffa_e000, 0x4000_0000),
      ram("IRAM", 0x4007_0000, 0x400c_0000),
      ram("RTC_IRAM", 0x400c_0000, 0x400c_2000),
      rtc("RTC_DATA", 8 * KIB),
    ],
    frequencyCodes: frequencies,
    sizeCodes: sizes,
    pageSizes: page64,
  },
  esp32s2: {
    label: "ESP32-S2",
    machine: "xtensa",
    chipId: 2,
    bootloaderOffset: 0x1000,
    memory: [
      flash("DROM", 0x3f00_0000, 0x3f3f_0000),
      flash("IROM", 0x4008_0000, 0x40b8_0000),
      ram("RTC_DRAM", 0x3ff9_e000, 0x3ffa_0000),
      ram("DRAM", 0x3ffb_0000, 0x4000_0000),
      ram("IRAM", 0x4002_0000, 0x4007_0000),
      ram("RTC_IRAM", 0x4007_0000, 0x4007_2000),
      rtc("RTC_DATA", 8 * KIB),
    ],
    frequencyCodes: frequencies,
    sizeCodes: sizes,
    pageSizes: page64,
  },
  esp32s3: {
    label: "ESP32-S3",
    machine: "xtensa",
    chipId: 9,
    bootloaderOffset: 0,
    memory: [
      flash("DROM", 0x3c00_0000, 0x3e00_0000),
      flash("IROM", 0x4200_0000, 0x4400_0000),
      ram("DRAM", 0x3fc8_8000, 0x3fd0_0000),
      ram("IRAM", 0x4037_0000, 0x403e_0000),
      ram("RTC_IRAM", 0x600f_e000, 0x6010_0000),
      rtc("RTC_DATA", 8 * KIB),
    ],
    frequencyCodes: frequencies,
    sizeCodes: sizes,
    pageSizes: page64,
  },
  esp32c2: {
    label: "ESP32-C2",
    machine: "riscv",
    chipId: 12,
    bootloaderOffset: 0,
    memory: [
      flash("DROM", 0x3c00_0000, 0x3c40_0000),
      flash("IROM", 0x4200_0000, 0x4240_0000),
      ram("DRAM", 0x3fca_0000, 0x3fce_0000),
      ram("IRAM", 0x4037_c000, 0x403c_0000),
    ],
    frequencyCodes: { "60m": 0xf, "30m": 0, "20m": 1, "15m": 2 },
    sizeCodes: sizes,
    pageSizes: [64 * KIB, 32 * KIB, 16 * KIB],
  },
  esp32c3: {
    label: "ESP32-C3",
    machine: "riscv",
    chipId: 5,
    bootloaderOffset: 0,
    memory: [
      flash("DROM", 0x3c00_0000, 0x3c80_0000),
      flash("IROM", 0x4200_0000, 0x4280_0000),
      ram("DRAM", 0x3fc8_0000, 0x3fce_0000),
      ram("IRAM", 0x4037_c000, 0x403e_0000),
      rtc("RTC_DATA", 8 * KIB),
    ],
    frequencyCodes: frequencies,
    sizeCodes: sizes,
    pageSizes: page64,
  },
  esp32c5: {
    label: "ESP32-C5",
    machine: "riscv",
    chipId: 23,
    bootloaderOffset: 0x2000,
    memory: [flash("IROM", 0x4200_0000, 0x4400_0000), ram("DRAM", 0x4080_0000, 0x4086_0000), rtc("RTC_DATA", 16 * KIB)],
    frequencyCodes: { "80m": 0xf, "40m": 0, "20m": 2 },
    sizeCodes: sizes,
    pageSizes: page64,
  },
  esp32c6: {
    label: "ESP32-C6",
    machine: "riscv",
    chipId: 13,
    bootloaderOffset: 0,
    memory: [flash("IROM", 0x4200_0000, 0x4300_0000), ram("DRAM", 0x4080_0000, 0x4088_0000), rtc("RTC_DATA", 16 * KIB)],
    // 80 and 40 MHz share the code 0, as in what esptool 5.3.1 writes.
    frequencyCodes: { "80m": 0, "40m": 0, "20m": 2 },
    sizeCodes: sizes,
    pageSizes: [64 * KIB, 32 * KIB, 16 * KIB, 8 * KIB],
  },
  esp32c61: {
    label: "ESP32-C61",
    machine: "riscv",
    chipId: 20,
    bootloaderOffset: 0,
    memory: [flash("IROM", 0x4200_0000, 0x4400_0000), ram("DRAM", 0x4080_0000, 0x4085_0000)],
    frequencyCodes: { "80m": 0xf, "40m": 0, "20m": 2 },
    sizeCodes: sizes,
    pageSizes: [64 * KIB, 32 * KIB, 16 * KIB, 8 * KIB],
  },
  esp32h2: {
    label: "ESP32-H2",
    machine: "riscv",
    chipId: 16,
    bootloaderOffset: 0,
    memory: [flash("IROM", 0x4200_0000, 0x4300_0000), ram("DRAM", 0x4080_0000, 0x4085_0000), rtc("RTC_DATA", 4 * KIB)],
    frequencyCodes: { "48m": 0xf, "24m": 0, "16m": 1, "12m": 2 },
    sizeCodes: sizes,
    pageSizes: [64 * KIB, 32 * KIB, 16 * KIB, 8 * KIB],
  },
  esp32p4: {
    label: "ESP32-P4",
    machine: "riscv",
    chipId: 18,
    bootloaderOffset: 0x2000,
    memory: [
      flash("IROM", 0x4000_0000, 0x4c00_0000),
      ram("SPM", 0x3010_0000, 0x3010_2000),
      ram("L2MEM", 0x4ff0_0000, 0x4ffc_0000),
      ram("LP_RAM", 0x5010_8000, 0x5011_0000),
    ],
    frequencyCodes: frequencies,
    sizeCodes: sizes,
    pageSizes: page64,
  },
};

/** Which chip the number in an extended header means; undefined for a number that is not known here. */
export function chipOfId(chipId: number): EspImageChip | undefined {
  return espImageChips.find((chip) => imageChips[chip].chipId === chipId);
}

/** The area that holds `address`, or undefined. */
export function areaOf(chip: EspImageChip, address: number): MemoryArea | undefined {
  return imageChips[chip].memory.find((area) => address >= area.start && address < area.end);
}
