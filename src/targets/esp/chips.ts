/**
 * The ESP chips as seen over the wire: data, never code. Sources: esptool's `targets/*.py`, esp-flasher-stub's `src/ld`
 * and esp-stub-lib's register headers (numbers only).
 */
import { imageChips, type EspImageChip } from "./image-chips.ts";

export type ChipName = EspImageChip;

/** A word in every chip's ROM; it tells the older chips apart. */
export const magicAddress = 0x40001000;

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
  readonly flashCrypt: SecurityBits | undefined;
  readonly secureBoot: SecurityBits | undefined;
}

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
  | "secureBoot"
  | "flashCrypt"
>;

/** What the chips from the ESP32-S2 on have in common. */
const common: Common = {
  magic: [],
  knowsSecurityInfo: true,
  romBeginWords: 5,
  romIsComplete: true,
  stubResetsBaud: false,
  crystal: "fixed",
  secureBoot: undefined,
  flashCrypt: undefined,
};

const efuse = (base: number) => ({
  mac: { low: base + 0x44, high: base + 0x48 },
  flashCrypt: { address: base + 0x34, shift: 18, mask: 7 },
  secureBoot: { address: base + 0x38, shift: 20, mask: 1 },
});

type Row = Omit<Chip, "title" | "imageId" | "bootloaderAt">;

const rows: readonly Row[] = [
  {
    ...common,
    name: "esp8266",
    magic: [0xfff0c101],
    knowsSecurityInfo: false,
    romBeginWords: 4,
    romIsComplete: false,
    mac: undefined,
    spi: spiOld(0x60000200, undefined, 0x40),
    stub: "esp8266",
    uartDivider: 0x60000014,
  },
  {
    ...common,
    name: "esp32",
    magic: [0x00f01d83],
    knowsSecurityInfo: false,
    romBeginWords: 4,
    mac: { low: 0x3ff5a004, high: 0x3ff5a008 },
    spi: spiOld(0x3ff42000, 0x2c, 0x80),
    stub: "esp32",
    stubResetsBaud: true,
    uartDivider: 0x3ff40014,
    crystal: "esp32",
    flashCrypt: { address: 0x3ff5a000, shift: 20, mask: 0x7f },
    secureBoot: { address: 0x3ff5a018, shift: 4, mask: 3 },
  },
  {
    ...common,
    ...efuse(0x3f41a000),
    name: "esp32s2",
    magic: [0x000007c6],
    spi: spiNew(0x3f402000),
    stub: "esp32s2",
    stubResetsBaud: true,
    uartDivider: 0x3f400014,
  },
  {
    ...common,
    ...efuse(0x60007000),
    name: "esp32s3",
    spi: spiNew(0x60002000),
    stub: "esp32s3",
    uartDivider: 0x60000014,
  },
  {
    ...common,
    name: "esp32c2",
    mac: { low: 0x60008840, high: 0x60008844 },
    spi: spiNew(0x60002000),
    stub: "esp32c2",
    uartDivider: 0x60000014,
    crystal: "esp32c2",
    flashCrypt: { address: 0x60008830, shift: 7, mask: 7 },
    secureBoot: { address: 0x60008830, shift: 21, mask: 1 },
  },
  {
    ...common,
    ...efuse(0x60008800),
    name: "esp32c3",
    spi: spiNew(0x60002000),
    stub: "esp32c3",
    uartDivider: 0x60000014,
  },
  {
    ...common,
    ...efuse(0x600b4800),
    name: "esp32c5",
    spi: spiNew(0x60003000),
    stub: "esp32c5",
    uartDivider: 0x60000014,
    crystal: "esp32c5",
    flashCrypt: { address: 0x600b4834, shift: 16, mask: 7 },
    secureBoot: { address: 0x600b4838, shift: 25, mask: 1 },
  },
  {
    ...common,
    ...efuse(0x600b0800),
    name: "esp32c6",
    spi: spiNew(0x60003000),
    stub: "esp32c6",
    uartDivider: 0x60000014,
  },
  {
    ...common,
    ...efuse(0x600b4800),
    name: "esp32c61",
    spi: spiNew(0x60003000),
    stub: "esp32c61",
    uartDivider: 0x60000014,
    flashCrypt: { address: 0x600b4830, shift: 23, mask: 7 },
    secureBoot: { address: 0x600b4834, shift: 26, mask: 1 },
  },
  {
    ...common,
    ...efuse(0x600b0800),
    name: "esp32h2",
    spi: spiNew(0x60003000),
    stub: "esp32h2",
    uartDivider: 0x60000014,
  },
  {
    ...common,
    ...efuse(0x5012d000),
    name: "esp32p4",
    spi: spiNew(0x5008d000),
    stub: "esp32p4",
    stubResetsBaud: true,
    uartDivider: 0x500ca014,
  },
];

/** What image files say about a chip stands with the image formats. */
export const chips: readonly Chip[] = rows.map((row) => {
  const { label, chipId, bootloaderOffset } = imageChips[row.name];
  return { ...row, title: label, imageId: chipId, bootloaderAt: bootloaderOffset };
});

export function chipNamed(name: string): Chip | undefined {
  const plain = name.toLowerCase().replaceAll("-", "");
  return chips.find((chip) => chip.name === plain);
}

/**
 * The chip that a build system, a board's name or a module's name means: `esp32c3`, `ESP32-S3-WROOM-1`, `esp32c6_devkitc`. Undefined
 * for chips of other makers, and for a name that is not followed by its end: `esp32s31` is no ESP32-S3.
 */
export function chipMeant(words: string): Chip | undefined {
  const name = /^esp(?:8266|32(?:[-_]?[a-z]\d+)?)(?![0-9a-z])/.exec(words.trim().toLowerCase())?.[0];
  return name === undefined ? undefined : chipNamed(name.replaceAll("_", "-"));
}

export function chipOfImageId(imageId: number): Chip | undefined {
  return chips.find((chip) => chip.imageId === imageId);
}

export function chipOfMagic(magic: number): Chip | undefined {
  return chips.find((chip) => chip.magic.includes(magic));
}
