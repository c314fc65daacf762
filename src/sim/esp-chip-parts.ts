/** The shape of a chip's row, and the pieces that several rows share. */

/** Offsets inside the flash controller; `userAddressShift`: a 24-bit user address stands in the upper or the lower bits. */
export interface SpiLayout {
  readonly readStatus: number;
  readonly user: number;
  readonly user1: number;
  readonly user2: number;
  /** Bit counts minus one in registers of their own; the ESP8266 has them in USER1 at bits 17 and 8. */
  readonly outLength?: number;
  readonly inLength?: number;
  readonly words: number;
  readonly addressIsLeftAligned: boolean;
}

// Register headers of ESP8266, ESP32 and ESP32-S2; every later chip keeps the S2's places.
export const layouts = {
  esp8266: { readStatus: 0x10, user: 0x1c, user1: 0x20, user2: 0x24, words: 0x40, addressIsLeftAligned: true },
  esp32: {
    readStatus: 0x10,
    user: 0x1c,
    user1: 0x20,
    user2: 0x24,
    outLength: 0x28,
    inLength: 0x2c,
    words: 0x80,
    addressIsLeftAligned: true,
  },
  s2: {
    readStatus: 0x2c,
    user: 0x18,
    user1: 0x1c,
    user2: 0x20,
    outLength: 0x24,
    inLength: 0x28,
    words: 0x58,
    addressIsLeftAligned: false,
  },
} as const satisfies Record<string, SpiLayout>;

export interface RamRange {
  readonly start: number;
  /** First address behind. */
  readonly end: number;
  /** The range shows the same memory as the addresses this much lower (code bus and data bus). */
  readonly dataIsBelow?: number;
}

export interface Watchdog {
  readonly config0: number;
  readonly config1: number;
  readonly protect: number;
  readonly key: number;
}

interface BootWords {
  /** How the first lines look: `rom` for everything after the ESP32. */
  readonly family?: "esp32" | "esp8266" | "rom";
  readonly id: string;
  /** The build date where it is not part of `id`. */
  readonly date?: string;
  /** Boot mode number and words for the serial loader and for flash. */
  readonly download: string;
  readonly flash: string;
}

export interface EspChip {
  readonly id: string;
  readonly title: string;
  /** As in image headers and security info; absent where there is none or it is 0 without security info. */
  readonly imageChipId?: number;
  /** The word at 40001000. */
  readonly magic: number;
  readonly uartBase: number;
  readonly spiBase: number;
  readonly spi: SpiLayout;
  readonly efuseBase: number;
  /** Register contents that carry a MAC of six bytes. */
  mac(mac: Uint8Array): Readonly<Record<number, number>>;
  /** Registers that read as something else than 0 after reset. */
  readonly presets?: Readonly<Record<number, number>>;
  readonly ram: readonly RamRange[];
  /** Address ranges, end exclusive, that may be read and written without an exception, beside RAM and ROM. */
  readonly peripherals: readonly (readonly [number, number])[];
  readonly watchdog?: Watchdog;
  /** Offset of the first image in flash. */
  readonly bootloaderAt: number;
  /** The ROM's receive ring, bytes. Default 2048. */
  readonly ringBytes?: number;
  /** Where the ROM receives packets, 0x1900 bytes; absent where nobody has looked. */
  readonly packetBuffer?: number;
  /** Status bytes of a ROM answer. Default 4. */
  readonly statusBytes?: 2 | 4;
  /** Length of the answer to GET_SECURITY_INFO, 0 = unknown command. Default 20. */
  readonly securityInfoBytes?: 0 | 12 | 20;
  readonly eco?: number;
  /** The UART's clock while the ROM runs. Default 40 MHz. */
  readonly crystalHz?: number;
  /** Bit rate of the boot text. Default 115200. */
  readonly bootBaud?: number;
  /** How CHANGE_BAUDRATE finds the clock: `measured` against the 8 MHz oscillator, or `none`: no such command. Default: the nominal crystal. */
  readonly romBaud?: "measured" | "none";
  /** The stub of 1.1 and later raises the clock, and sets the UART anew, when it talks over a UART. */
  readonly boostsOverUart?: boolean;
  readonly boot: BootWords;
}

/** The two eFuse words of a MAC: `low` holds its last four bytes, `high` its first two. */
export function ethernetMac(mac: Uint8Array): { readonly low: number; readonly high: number } {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac;
  return { low: ((c << 24) | (d << 16) | (e << 8) | f) >>> 0, high: (a << 8) | b };
}

export function rtcWatchdog(base: number, at: { config0: number; config1: number; protect: number }): Watchdog {
  const key = 0x50d83aa1; // esptool, every chip's RTC_CNTL_WDT_WKEY
  return { config0: base + at.config0, config1: base + at.config1, protect: base + at.protect, key };
}
