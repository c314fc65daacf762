/**
 * The ESP chips as seen over the wire: data, never code. Sources: esptool's `targets/*.py`, esp-flasher-stub's `src/ld`
 * and esp-stub-lib's register headers (numbers only).
 */
import type { Range } from "../../core/image.ts";

export type ChipName =
  | "esp8266"
  | "esp32"
  | "esp32s2"
  | "esp32s3"
  | "esp32c2"
  | "esp32c3"
  | "esp32c5"
  | "esp32c6"
  | "esp32c61"
  | "esp32h2"
  | "esp32p4";

/** Where the flash controller's registers stand, as offsets from `base`. */
export interface SpiRegisters {
  readonly base: number;
  readonly user: number;
  readonly user1: number;
  readonly user2: number;
  /** Bits - 1 to receive; undefined on the ESP8266, where USER1 holds it. */
  readonly misoLength: number | undefined;
  readonly data: number;
}

/** A field of a register that says something about security; the feature is on as `means` says. */
export interface SecurityBits {
  readonly address: number;
  readonly shift: number;
  readonly mask: number;
}

export interface Chip {
  readonly name: ChipName;
  readonly title: string;
  /** Number in GET_SECURITY_INFO and in image headers; undefined for the ESP8266. */
  readonly imageId: number | undefined;
  /** Words at 0x40001000 that only this chip has; empty where the word varies with the revision. */
  readonly magic: readonly number[];
  /** Whether the ROM knows GET_SECURITY_INFO. */
  readonly knowsSecurityInfo: boolean;
  /** Words of FLASH_BEGIN and FLASH_DEFL_BEGIN that the ROM takes. */
  readonly romBeginWords: 4 | 5;
  /** Whether the ROM knows the deflate commands, MD5, CHANGE_BAUDRATE and reading: all but the ESP8266's. */
  readonly romIsComplete: boolean;
  /** Low and high word of the MAC; undefined for the ESP8266, which has three words of another kind. */
  readonly mac: { readonly low: number; readonly high: number } | undefined;
  readonly spi: SpiRegisters;
  /** File name of the official stub's data. */
  readonly stub: string;
  /** The official stub sets the UART back to 115200 when it starts on these chips (measured on the ESP32, from source for the others). */
  readonly stubResetsBaud: boolean;
  /** UART0's divider register, for chips whose crystal must be measured before a ROM's bit rate can be changed. */
  readonly uartDivider: number;
  readonly crystal: "fixed" | "esp32" | "esp32c2" | "esp32c5";
  /** Where the second stage bootloader stands in the flash. */
  readonly bootloaderAt: number;
  /** RAM that a program may be loaded to, code and data buses. */
  readonly ram: readonly Range[];
  /** What the ROM needs for itself while it loads. */
  readonly romKeepOut: readonly Range[];
  readonly flashCrypt: SecurityBits | undefined;
  readonly secureBoot: SecurityBits | undefined;
  /** The RTC watchdog that can reset the chip where no reset line does; undefined where it must not or cannot. */
  readonly watchdog: WatchdogRegisters | undefined;
}

export interface WatchdogRegisters {
  readonly base: number;
  readonly config0: number;
  readonly config1: number;
  readonly protect: number;
}

const range = (from: number, to: number): Range => ({ address: from, size: to - from });

const spiOld = (base: number, misoLength: number | undefined, data: number): SpiRegisters => ({
  base,
  user: 0x1c,
  user1: 0x20,
  user2: 0x24,
  misoLength,
  data,
});
const spiNew = (base: number): SpiRegisters => ({
  base,
  user: 0x18,
  user1: 0x1c,
  user2: 0x20,
  misoLength: 0x28,
  data: 0x58,
});

type Common = Pick<
  Chip,
  | "magic"
  | "knowsSecurityInfo"
  | "romBeginWords"
  | "romIsComplete"
  | "stubResetsBaud"
  | "crystal"
  | "romKeepOut"
  | "secureBoot"
  | "flashCrypt"
  | "watchdog"
>;

/** What the chips from the ESP32-S2 on have in common. */
const common: Common = {
  magic: [],
  knowsSecurityInfo: true,
  romBeginWords: 5,
  romIsComplete: true,
  stubResetsBaud: false,
  crystal: "fixed",
  romKeepOut: [],
  secureBoot: undefined,
  flashCrypt: undefined,
  watchdog: undefined,
};

const efuse = (base: number) => ({
  mac: { low: base + 0x44, high: base + 0x48 },
  flashCrypt: { address: base + 0x34, shift: 18, mask: 7 },
  secureBoot: { address: base + 0x38, shift: 20, mask: 1 },
});

export const chips: readonly Chip[] = [
  {
    ...common,
    name: "esp8266",
    title: "ESP8266",
    imageId: undefined,
    magic: [0xfff0c101],
    knowsSecurityInfo: false,
    romBeginWords: 4,
    romIsComplete: false,
    mac: undefined,
    spi: spiOld(0x60000200, undefined, 0x40),
    stub: "esp8266",
    uartDivider: 0x60000014,
    bootloaderAt: 0,
    ram: [range(0x3ffe8000, 0x3fffc000), range(0x40100000, 0x40108000)],
  },
  {
    ...common,
    name: "esp32",
    title: "ESP32",
    imageId: 0,
    magic: [0x00f01d83],
    knowsSecurityInfo: false,
    romBeginWords: 4,
    mac: { low: 0x3ff5a004, high: 0x3ff5a008 },
    spi: spiOld(0x3ff42000, 0x2c, 0x80),
    stub: "esp32",
    stubResetsBaud: true,
    uartDivider: 0x3ff40014,
    crystal: "esp32",
    bootloaderAt: 0x1000,
    ram: [range(0x3ffae000, 0x40000000), range(0x40080000, 0x400aa000), range(0x40070000, 0x40080000)],
    romKeepOut: [range(0x3ffc0000, 0x3ffc1900), range(0x3ffe0000, 0x3ffe4000), range(0x3ffae000, 0x3ffae300)],
    flashCrypt: { address: 0x3ff5a000, shift: 20, mask: 0x7f },
    secureBoot: { address: 0x3ff5a018, shift: 4, mask: 3 },
  },
  {
    ...common,
    ...efuse(0x3f41a000),
    name: "esp32s2",
    title: "ESP32-S2",
    imageId: 2,
    magic: [0x000007c6],
    spi: spiNew(0x3f402000),
    stub: "esp32s2",
    stubResetsBaud: true,
    uartDivider: 0x3f400014,
    bootloaderAt: 0x1000,
    ram: [range(0x3ffb0000, 0x40000000), range(0x40020000, 0x40070000)],
    watchdog: { base: 0x3f408000, config0: 0x94, config1: 0x98, protect: 0xac },
  },
  {
    ...common,
    ...efuse(0x60007000),
    name: "esp32s3",
    title: "ESP32-S3",
    imageId: 9,
    spi: spiNew(0x60002000),
    stub: "esp32s3",
    uartDivider: 0x60000014,
    bootloaderAt: 0,
    ram: [range(0x3fc88000, 0x3fd00000), range(0x40370000, 0x403e0000)],
    romKeepOut: [range(0x3fcd7e00, 0x3fcd9700), range(0x3fceb400, 0x3fcf0000)],
    watchdog: { base: 0x60008000, config0: 0x98, config1: 0x9c, protect: 0xb0 },
  },
  {
    ...common,
    name: "esp32c2",
    title: "ESP32-C2",
    imageId: 12,
    mac: { low: 0x60008840, high: 0x60008844 },
    spi: spiNew(0x60002000),
    stub: "esp32c2",
    uartDivider: 0x60000014,
    crystal: "esp32c2",
    bootloaderAt: 0,
    ram: [range(0x3fca0000, 0x3fce0000), range(0x4037c000, 0x403c0000)],
    flashCrypt: { address: 0x60008830, shift: 7, mask: 7 },
    secureBoot: { address: 0x60008830, shift: 21, mask: 1 },
    watchdog: { base: 0x60008000, config0: 0x84, config1: 0x88, protect: 0x9c },
  },
  {
    ...common,
    ...efuse(0x60008800),
    name: "esp32c3",
    title: "ESP32-C3",
    imageId: 5,
    spi: spiNew(0x60002000),
    stub: "esp32c3",
    uartDivider: 0x60000014,
    bootloaderAt: 0,
    ram: [range(0x3fc80000, 0x3fce0000), range(0x4037c000, 0x403e0000)],
    romKeepOut: [range(0x3fccae00, 0x3fccc700), range(0x3fcde400, 0x3fce0000)],
    watchdog: { base: 0x60008000, config0: 0x90, config1: 0x94, protect: 0xa8 },
  },
  {
    ...common,
    ...efuse(0x600b4800),
    name: "esp32c5",
    title: "ESP32-C5",
    imageId: 23,
    spi: spiNew(0x60003000),
    stub: "esp32c5",
    uartDivider: 0x60000014,
    crystal: "esp32c5",
    bootloaderAt: 0x2000,
    ram: [range(0x40800000, 0x40860000)],
    flashCrypt: { address: 0x600b4834, shift: 16, mask: 7 },
    secureBoot: { address: 0x600b4838, shift: 25, mask: 1 },
    watchdog: { base: 0x600b1c00, config0: 0x00, config1: 0x04, protect: 0x18 },
  },
  {
    ...common,
    ...efuse(0x600b0800),
    name: "esp32c6",
    title: "ESP32-C6",
    imageId: 13,
    spi: spiNew(0x60003000),
    stub: "esp32c6",
    uartDivider: 0x60000014,
    bootloaderAt: 0,
    ram: [range(0x40800000, 0x40880000)],
  },
  {
    ...common,
    ...efuse(0x600b4800),
    name: "esp32c61",
    title: "ESP32-C61",
    imageId: 20,
    spi: spiNew(0x60003000),
    stub: "esp32c61",
    uartDivider: 0x60000014,
    bootloaderAt: 0,
    ram: [range(0x40800000, 0x40860000)],
    flashCrypt: { address: 0x600b4830, shift: 23, mask: 7 },
    secureBoot: { address: 0x600b4834, shift: 26, mask: 1 },
    watchdog: { base: 0x600b1c00, config0: 0x00, config1: 0x04, protect: 0x18 },
  },
  {
    ...common,
    ...efuse(0x600b0800),
    name: "esp32h2",
    title: "ESP32-H2",
    imageId: 16,
    spi: spiNew(0x60003000),
    stub: "esp32h2",
    uartDivider: 0x60000014,
    bootloaderAt: 0,
    ram: [range(0x40800000, 0x40850000)],
  },
  {
    ...common,
    ...efuse(0x5012d000),
    name: "esp32p4",
    title: "ESP32-P4",
    imageId: 18,
    spi: spiNew(0x5008d000),
    stub: "esp32p4",
    stubResetsBaud: true,
    uartDivider: 0x500ca014,
    bootloaderAt: 0x2000,
    ram: [range(0x4ff00000, 0x4ffa0000)],
    watchdog: { base: 0x50116000, config0: 0x00, config1: 0x04, protect: 0x18 },
  },
];

export function chipNamed(name: string): Chip | undefined {
  const plain = name.toLowerCase().replaceAll("-", "");
  return chips.find((chip) => chip.name === plain);
}

export function chipOfImageId(imageId: number): Chip | undefined {
  return chips.find((chip) => chip.imageId === imageId);
}

export function chipOfMagic(magic: number): Chip | undefined {
  return chips.find((chip) => chip.magic.includes(magic));
}
