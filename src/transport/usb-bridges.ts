/** Which USB ids stand for which kind of serial port. Data only; a new bridge is a row with its source. */

/**
 * `uart-bridge`: a separate chip between USB and the board's UART, lines drive reset and boot strap. `usb-serial-jtag`: the
 * fixed-function block inside ESP32-C3, S3 and later. `usb-otg`: an ESP chip's ROM behind its own USB. `debug-probe`: the
 * serial side of a debugger. `native-usb`: a port that the program on the microcontroller makes itself.
 */
type BridgeKind = "uart-bridge" | "usb-serial-jtag" | "usb-otg" | "debug-probe" | "native-usb";

export interface UsbIds {
  readonly vendorId: number;
  readonly productId: number;
}

export interface UsbBridge {
  readonly kind: BridgeKind;
  readonly name: string;
  /** Bits per second that every chip behind this id takes, where the maker says so. */
  readonly maxBaud?: number;
}

const CP210X = "Linux drivers/usb/serial/cp210x.c";
const CH341 = "Linux drivers/usb/serial/ch341.c";
const CH343 = "WCH ch343ser_linux, table ch343_ids";
const FTDI = "Linux drivers/usb/serial/ftdi_sio_ids.h";
const PL2303 = "Linux drivers/usb/serial/pl2303.h";
const ESPRESSIF = "Espressif, table of USB product ids";
const RASPBERRY = "Raspberry Pi, table of USB product ids";
const USB_IDS = "usb.ids of linux-usb.org";

/** Rates: data sheets of CP2102 (1 M), CH340 (2 M), FT232R (3 M), CH343 and CH9102 (4 M at least). */
const rows: readonly (UsbIds & UsbBridge & { readonly source: string })[] = [
  { vendorId: 0x303a, productId: 0x1001, kind: "usb-serial-jtag", name: "ESP USB-Serial-JTAG", source: ESPRESSIF },
  { vendorId: 0x303a, productId: 0x1002, kind: "debug-probe", name: "ESP USB bridge", source: ESPRESSIF },
  { vendorId: 0x10c4, productId: 0xea60, kind: "uart-bridge", name: "CP210x", maxBaud: 1_000_000, source: CP210X },
  { vendorId: 0x10c4, productId: 0xea63, kind: "uart-bridge", name: "CP210x", maxBaud: 1_000_000, source: CP210X },
  { vendorId: 0x10c4, productId: 0xea70, kind: "uart-bridge", name: "CP2105", source: CP210X },
  { vendorId: 0x10c4, productId: 0xea71, kind: "uart-bridge", name: "CP2108", source: CP210X },
  { vendorId: 0x1a86, productId: 0x7523, kind: "uart-bridge", name: "CH340", maxBaud: 2_000_000, source: CH341 },
  { vendorId: 0x1a86, productId: 0x7522, kind: "uart-bridge", name: "CH340K", maxBaud: 2_000_000, source: CH341 },
  { vendorId: 0x1a86, productId: 0x5523, kind: "uart-bridge", name: "CH341", maxBaud: 2_000_000, source: CH341 },
  { vendorId: 0x1a86, productId: 0x55d3, kind: "uart-bridge", name: "CH343", maxBaud: 4_000_000, source: CH343 },
  { vendorId: 0x1a86, productId: 0x55d4, kind: "uart-bridge", name: "CH9102", maxBaud: 4_000_000, source: CH343 },
  { vendorId: 0x1a86, productId: 0x55d8, kind: "uart-bridge", name: "CH9101", source: CH343 },
  { vendorId: 0x1a86, productId: 0x55d7, kind: "uart-bridge", name: "CH9103", source: CH343 },
  { vendorId: 0x1a86, productId: 0x55db, kind: "debug-probe", name: "CH347", source: CH343 },
  { vendorId: 0x0403, productId: 0x6001, kind: "uart-bridge", name: "FT232R", maxBaud: 3_000_000, source: FTDI },
  { vendorId: 0x0403, productId: 0x6010, kind: "uart-bridge", name: "FT2232", source: FTDI },
  { vendorId: 0x0403, productId: 0x6011, kind: "uart-bridge", name: "FT4232H", source: FTDI },
  { vendorId: 0x0403, productId: 0x6014, kind: "uart-bridge", name: "FT232H", source: FTDI },
  { vendorId: 0x0403, productId: 0x6015, kind: "uart-bridge", name: "FT-X", maxBaud: 3_000_000, source: FTDI },
  { vendorId: 0x067b, productId: 0x2303, kind: "uart-bridge", name: "PL2303", source: PL2303 },
  { vendorId: 0x067b, productId: 0x23a3, kind: "uart-bridge", name: "PL2303GC", source: PL2303 },
  { vendorId: 0x2e8a, productId: 0x0005, kind: "native-usb", name: "MicroPython on RP2", source: RASPBERRY },
  { vendorId: 0x2e8a, productId: 0x000a, kind: "native-usb", name: "Pico SDK serial", source: RASPBERRY },
  { vendorId: 0x2e8a, productId: 0x000c, kind: "debug-probe", name: "Raspberry Pi Debug Probe", source: RASPBERRY },
  { vendorId: 0x0483, productId: 0x374b, kind: "debug-probe", name: "ST-LINK/V2-1", source: USB_IDS },
  { vendorId: 0x0483, productId: 0x374e, kind: "debug-probe", name: "STLINK-V3", source: USB_IDS },
  { vendorId: 0x0483, productId: 0x374f, kind: "debug-probe", name: "STLINK-V3", source: USB_IDS },
  { vendorId: 0x0d28, productId: 0x0204, kind: "debug-probe", name: "DAPLink", source: USB_IDS },
  { vendorId: 0xf055, productId: 0x9800, kind: "native-usb", name: "MicroPython pyboard", source: USB_IDS },
];

/** Vendors that give each program its own product id, so that the vendor alone must do. */
const vendors: readonly { readonly vendorId: number; readonly bridge: UsbBridge }[] = [
  { vendorId: 0x303a, bridge: { kind: "usb-otg", name: "ESP USB-OTG" } },
  { vendorId: 0x1366, bridge: { kind: "debug-probe", name: "SEGGER J-Link" } },
  { vendorId: 0x2e8a, bridge: { kind: "native-usb", name: "RP2 board" } },
  { vendorId: 0x2341, bridge: { kind: "native-usb", name: "Arduino board" } },
];

/** What stands behind a USB id, or undefined when it is none that we know. */
export function bridgeOf(ids: UsbIds): UsbBridge | undefined {
  const row = rows.find((one) => one.vendorId === ids.vendorId && one.productId === ids.productId);
  if (row === undefined) return vendors.find((one) => one.vendorId === ids.vendorId)?.bridge;
  const { kind, name, maxBaud } = row;
  return maxBaud === undefined ? { kind, name } : { kind, name, maxBaud };
}
