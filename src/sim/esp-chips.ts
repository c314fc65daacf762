/** What differs between the ESP chips, as data. Knows places and sizes, not behaviour. */
import { ethernetMac, layouts, rtcWatchdog, type EspChip } from "./esp-chip-parts.ts";

/**
 * Where the ESP32 has its eFuses and system registers, and S2 and S3 nothing: esptool-js 0.7.0 reads some of them on every
 * connection to those two and goes on, so reading there cannot end in an exception.
 */
const deadEsp32Registers = [0x3ff5a000, 0x3ff67000] as const;

/**
 * Addresses and ids: esptool's chip classes and Espressif's register headers. Packet buffers and rings: measured in the real
 * mask ROMs of ESP32, C3 and S3; the other rows take the C3's ring, and a packet buffer below the end of their RAM is left out.
 * Boot texts of ESP32, C3 and S3 as measured, the others in the same shape from memory.
 */
export const chips: readonly EspChip[] = [
  {
    id: "esp32",
    title: "ESP32",
    magic: 0x00f01d83,
    uartBase: 0x3ff40000,
    spiBase: 0x3ff42000,
    spi: layouts.esp32,
    efuseBase: 0x3ff5a000,
    mac: (mac) => ({ 0x3ff5a004: ethernetMac(mac).low, 0x3ff5a008: ethernetMac(mac).high }),
    // Revision 3: eFuse word 3 bit 15, word 5 bit 20, 3ff6607c bit 31. Word 4 low byte and 3ff5f06c: a crystal measured as 40 MHz.
    presets: {
      0x3ff5a00c: 1 << 15,
      0x3ff5a010: 0x50,
      0x3ff5a014: 1 << 20,
      0x3ff6607c: 0x80000000,
      0x3ff5f06c: 1280 << 7,
    },
    ram: [
      { start: 0x3ffae000, end: 0x40000000 },
      { start: 0x40080000, end: 0x400c0000 },
      { start: 0x50000000, end: 0x50002000 },
    ],
    peripherals: [
      [0x3ff00000, 0x3ff80000],
      [0x60000000, 0x60040000],
    ],
    bootloaderAt: 0x1000,
    ringBytes: 256,
    packetBuffer: 0x3ffc0000,
    statusBytes: 4,
    securityInfoBytes: 0,
    crystalHz: 40e6,
    romBaud: "measured",
    boostsOverUart: true,
    boot: { family: "esp32", id: "ets Jul 29 2019 12:21:46", download: "0xf (UART_BOOT(UART0))", flash: "0x12" },
  },
  {
    id: "esp32s2",
    title: "ESP32-S2",
    imageChipId: 2,
    magic: 0x000007c6,
    uartBase: 0x3f400000,
    spiBase: 0x3f402000,
    spi: layouts.s2,
    efuseBase: 0x3f41a000,
    mac: (mac) => ({ 0x3f41a044: ethernetMac(mac).low, 0x3f41a048: ethernetMac(mac).high }),
    ram: [
      { start: 0x3ffb0000, end: 0x40000000 },
      { start: 0x40020000, end: 0x40070000, dataIsBelow: 0x70000 },
    ],
    peripherals: [[0x3f400000, 0x3f500000], [0x60000000, 0x600c1000], deadEsp32Registers],
    watchdog: rtcWatchdog(0x3f408000, { config0: 0x94, config1: 0x98, protect: 0xac }),
    bootloaderAt: 0x1000,
    securityInfoBytes: 12,
    boostsOverUart: true,
    boot: { id: "esp32s2-rc4-20191025", date: "Oct 25 2019", download: "0x5 (DOWNLOAD(UART0/USB))", flash: "0xd" },
  },
  {
    id: "esp32s3",
    title: "ESP32-S3",
    imageChipId: 9,
    magic: 0x00000009,
    uartBase: 0x60000000,
    spiBase: 0x60002000,
    spi: layouts.s2,
    efuseBase: 0x60007000,
    mac: (mac) => ({ 0x60007044: ethernetMac(mac).low, 0x60007048: ethernetMac(mac).high }),
    presets: { 0x60007050: 2 << 18 }, // revision 0.2
    ram: [
      { start: 0x3fc88000, end: 0x3fd00000 },
      { start: 0x40370000, end: 0x40378000 },
      { start: 0x40378000, end: 0x403e0000, dataIsBelow: 0x6f0000 },
      { start: 0x50000000, end: 0x50002000 },
      { start: 0x600fe000, end: 0x60100000 },
    ],
    peripherals: [[0x60000000, 0x600d1000], deadEsp32Registers],
    watchdog: rtcWatchdog(0x60008000, { config0: 0x98, config1: 0x9c, protect: 0xb0 }),
    bootloaderAt: 0,
    packetBuffer: 0x3fcd7e00,
    boot: { id: "esp32s3-20210327", date: "Mar 27 2021", download: "0x7 (UART0_BOOT)", flash: "0x4" },
  },
  {
    id: "esp32c2",
    title: "ESP32-C2",
    imageChipId: 12,
    magic: 0x6f51306f,
    uartBase: 0x60000000,
    spiBase: 0x60002000,
    spi: layouts.s2,
    efuseBase: 0x60008800,
    mac: (mac) => ({ 0x60008840: ethernetMac(mac).low, 0x60008844: (1 << 20) | ethernetMac(mac).high }), // revision 1.0
    ram: [
      { start: 0x3fca0000, end: 0x3fce0000 },
      { start: 0x4037c000, end: 0x40380000 },
      { start: 0x40380000, end: 0x403c0000, dataIsBelow: 0x6e0000 },
    ],
    peripherals: [[0x60000000, 0x600d1000]],
    watchdog: rtcWatchdog(0x60008000, { config0: 0x84, config1: 0x88, protect: 0x9c }),
    bootloaderAt: 0,
    boot: { id: "esp8684-api2-20220127", date: "Jan 27 2022", download: "0x4 (DOWNLOAD(UART0))", flash: "0xc" },
  },
  {
    id: "esp32c3",
    title: "ESP32-C3",
    imageChipId: 5,
    magic: 0x1b31506f,
    uartBase: 0x60000000,
    spiBase: 0x60002000,
    spi: layouts.s2,
    efuseBase: 0x60008800,
    mac: (mac) => ({ 0x60008844: ethernetMac(mac).low, 0x60008848: ethernetMac(mac).high }),
    presets: { 0x60008850: 3 << 18 }, // revision 0.3
    ram: [
      { start: 0x3fc80000, end: 0x3fce0000 },
      { start: 0x4037c000, end: 0x40380000 },
      { start: 0x40380000, end: 0x403e0000, dataIsBelow: 0x700000 },
      { start: 0x50000000, end: 0x50002000 },
    ],
    peripherals: [[0x60000000, 0x600d1000]],
    watchdog: rtcWatchdog(0x60008000, { config0: 0x90, config1: 0x94, protect: 0xa8 }),
    bootloaderAt: 0,
    packetBuffer: 0x3fccae00,
    eco: 3,
    boot: { id: "esp32c3-api1-20210207", date: "Feb  7 2021", download: "0x2 (UART0_BOOT)", flash: "0x8" },
  },
  {
    id: "esp32c5",
    title: "ESP32-C5",
    imageChipId: 23,
    magic: 0x1101406f,
    uartBase: 0x60000000,
    spiBase: 0x60003000,
    spi: layouts.s2,
    efuseBase: 0x600b4800,
    mac: (mac) => ({ 0x600b4844: ethernetMac(mac).low, 0x600b4848: ethernetMac(mac).high }),
    presets: { 0x600b484c: 0x10, 0x60096110: 48 << 24 }, // revision 1.0; the ROM expects a crystal of 48 MHz
    ram: [
      { start: 0x40800000, end: 0x40860000 },
      { start: 0x50000000, end: 0x50004000 },
    ],
    peripherals: [[0x60000000, 0x600d1000]],
    watchdog: rtcWatchdog(0x600b1c00, { config0: 0x00, config1: 0x04, protect: 0x18 }),
    bootloaderAt: 0x2000,
    crystalHz: 48e6,
    boot: { id: "esp32c5-eco2-20250121", date: "Jan 21 2025", download: "0x4 (DOWNLOAD(USB/UART0))", flash: "0x18" },
  },
  {
    id: "esp32c6",
    title: "ESP32-C6",
    imageChipId: 13,
    magic: 0x2ce0806f,
    uartBase: 0x60000000,
    spiBase: 0x60003000,
    spi: layouts.s2,
    efuseBase: 0x600b0800,
    mac: (mac) => ({ 0x600b0844: ethernetMac(mac).low, 0x600b0848: ethernetMac(mac).high }),
    presets: { 0x600b0850: 1 << 18 }, // revision 0.1
    ram: [
      { start: 0x40800000, end: 0x40880000 },
      { start: 0x50000000, end: 0x50004000 },
    ],
    peripherals: [[0x60000000, 0x600d1000]],
    watchdog: rtcWatchdog(0x600b1c00, { config0: 0x00, config1: 0x04, protect: 0x18 }),
    bootloaderAt: 0,
    boot: { id: "esp32c6-20220919", date: "Sep 19 2022", download: "0x4 (DOWNLOAD(USB/UART0))", flash: "0xc" },
  },
  {
    id: "esp32c61",
    title: "ESP32-C61",
    imageChipId: 20,
    magic: 0x33f0206f,
    uartBase: 0x60000000,
    spiBase: 0x60003000,
    spi: layouts.s2,
    efuseBase: 0x600b4800,
    mac: (mac) => ({ 0x600b4844: ethernetMac(mac).low, 0x600b4848: ethernetMac(mac).high }),
    presets: { 0x600b484c: 0x10 }, // revision 1.0
    ram: [
      { start: 0x40800000, end: 0x40860000 },
      { start: 0x50000000, end: 0x50004000 },
    ],
    peripherals: [[0x60000000, 0x600d1000]],
    watchdog: rtcWatchdog(0x600b1c00, { config0: 0x00, config1: 0x04, protect: 0x18 }),
    bootloaderAt: 0,
    boot: { id: "esp32c61-eco3-20250218", date: "Feb 18 2025", download: "0x4 (DOWNLOAD(USB/UART0))", flash: "0xc" },
  },
  {
    id: "esp32h2",
    title: "ESP32-H2",
    imageChipId: 16,
    magic: 0xd7b73e80,
    uartBase: 0x60000000,
    spiBase: 0x60003000,
    spi: layouts.s2,
    efuseBase: 0x600b0800,
    mac: (mac) => ({ 0x600b0844: ethernetMac(mac).low, 0x600b0848: ethernetMac(mac).high }),
    presets: { 0x600b0850: 1 << 18 }, // revision 0.1
    ram: [
      { start: 0x40800000, end: 0x40850000 },
      { start: 0x50000000, end: 0x50001000 },
    ],
    peripherals: [
      [0x60000000, 0x600d1000],
      [0x3fcef000, 0x3fcf0000], // nothing there, but esptool-js 0.7.0 looks for a word of the C6's ROM
    ],
    watchdog: rtcWatchdog(0x600b1c00, { config0: 0x00, config1: 0x04, protect: 0x1c }),
    bootloaderAt: 0,
    crystalHz: 32e6,
    boot: { id: "esp32h2-20221101", date: "Nov  1 2022", download: "0x4 (DOWNLOAD(USB/UART0))", flash: "0xc" },
  },
  {
    id: "esp32p4",
    title: "ESP32-P4",
    imageChipId: 18,
    magic: 0x00000000,
    uartBase: 0x500ca000,
    spiBase: 0x5008d000,
    spi: layouts.s2,
    efuseBase: 0x5012d000,
    mac: (mac) => ({ 0x5012d044: ethernetMac(mac).low, 0x5012d048: ethernetMac(mac).high }),
    presets: { 0x5012d04c: 0x30 }, // revision 3.0
    ram: [{ start: 0x4ff00000, end: 0x4ffc0000 }],
    peripherals: [[0x50000000, 0x50130000]],
    watchdog: rtcWatchdog(0x50116000, { config0: 0x00, config1: 0x04, protect: 0x18 }),
    bootloaderAt: 0x2000,
    boostsOverUart: true,
    boot: { id: "esp32p4-eco2-20240710", date: "Jul 10 2024", download: "0x4 (DOWNLOAD(USB/UART0/SPI))", flash: "0xc" },
  },
  {
    id: "esp8266",
    title: "ESP8266",
    magic: 0xfff0c101,
    uartBase: 0x60000000,
    spiBase: 0x60000200,
    spi: layouts.esp8266,
    efuseBase: 0x3ff00050,
    // One-time programmable words; the fourth carries the first three bytes of the address.
    mac: (mac) => ({
      0x3ff00050: ((mac[5] ?? 0) << 24) >>> 0,
      0x3ff00054: ((mac[3] ?? 0) << 8) | (mac[4] ?? 0),
      0x3ff0005c: ((mac[0] ?? 0) << 16) | ((mac[1] ?? 0) << 8) | (mac[2] ?? 0),
    }),
    presets: { 0x3ff00058: 0x8000 }, // an ESP8266EX
    ram: [
      { start: 0x3ffe8000, end: 0x3fffc000 },
      { start: 0x40100000, end: 0x40110000 },
    ],
    peripherals: [
      [0x3ff00000, 0x3ff10000],
      [0x60000000, 0x60010000],
    ],
    bootloaderAt: 0,
    ringBytes: 256,
    statusBytes: 2,
    securityInfoBytes: 0,
    crystalHz: 52e6, // twice the 26 MHz crystal
    bootBaud: 74_880,
    romBaud: "none",
    boot: { family: "esp8266", id: "ets Jan  8 2013", download: "1", flash: "3" },
  },
];

/** The row of a chip id such as `esp32c3`, or undefined. */
export function chipById(id: string): EspChip | undefined {
  return chips.find((chip) => chip.id === id);
}
