/** What hangs between the computer and the chip: a bridge to the UART, or one of the chip's own USB devices. Decided by USB ids. */
import type { SerialTransport } from "../../transport/transport.ts";

export type Link = "uart" | "usb-serial-jtag" | "usb-otg";

/** Espressif's vendor id. 1001 is the built-in USB-Serial-JTAG, 1002 a debugger with a UART bridge, others are ROMs behind USB-OTG. */
const espressif = 0x303a;
const serialJtag = 0x1001;
const bridge = 0x1002;

export function linkOf(transport: SerialTransport): Link {
  const { usb } = transport;
  if (usb?.vendorId !== espressif || usb.productId === bridge) return "uart";
  return usb.productId === serialJtag ? "usb-serial-jtag" : "usb-otg";
}

/** Through USB-OTG the ROM and the stub take no larger blocks. Source: esptool. */
export const longestOtgBlockBytes = 0x800;

/** Bits per second that a USB link amounts to: 0.8 … 1 MB/s were reported for USB-Serial-JTAG. */
export const usbEquivalentBaud = 9_000_000;
