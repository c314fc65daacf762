/**
 * Register places of each chip beside those in the simulated boards' table. Sources: soc/uart_reg.h, systimer_reg.h, usb_serial_jtag_reg.h,
 * reg_base.h of esp-idf; watchdogs: esptool's chip classes.
 */
import { chipById, chips } from "../../../src/sim/esp-chips.ts";
import type { EspChip } from "../../../src/sim/esp-chip-parts.ts";
import type { EspParts } from "./esp-board.ts";

const auto = { at: 0x80, bit: 31, isNeeded: false } as const;
const needed = { at: 0x98, bit: 0, isNeeded: true } as const;
const superWatchdog = (at: number, key: number, bit: number) => ({ at, protect: at + 4, key, bit });
const late = { fsm: 0x70, update: needed, countMask: 0xff, usb: 0x6000f000 } as const;
const lowPower = superWatchdog(0x600b1c1c, 0x50d83aa1, 18);
const p4 = {
  ...late,
  usb: 0x500d2000,
  systimer: 0x500e2000,
  superWatchdog: superWatchdog(0x5011601c, 0x50d83aa1, 18),
} as const;

export const parts: Readonly<Record<string, EspParts>> = {
  esp8266: { countMask: 0xff },
  esp32: { countMask: 0xff, pointers: 0x60, writeFifo: 0x60000000 },
  esp32s2: { fsm: 0x68, countMask: 0x3ff },
  esp32s3: {
    fsm: 0x6c,
    update: auto,
    countMask: 0x3ff,
    usb: 0x60038000,
    systimer: 0x60023000,
    superWatchdog: superWatchdog(0x600080b4, 0x8f1d312a, 31),
  },
  esp32c2: { fsm: 0x6c, update: auto, countMask: 0x3ff, systimer: 0x60023000 },
  esp32c3: {
    fsm: 0x6c,
    update: auto,
    countMask: 0x3ff,
    usb: 0x60043000,
    systimer: 0x60023000,
    superWatchdog: superWatchdog(0x600080ac, 0x8f1d312a, 31),
  },
  esp32c5: { ...late, systimer: 0x6000a000, superWatchdog: lowPower },
  esp32c6: { ...late, systimer: 0x6000a000, superWatchdog: lowPower },
  esp32c61: { ...late, systimer: 0x6000a000, superWatchdog: lowPower },
  esp32h2: { ...late, systimer: 0x6000b000, superWatchdog: superWatchdog(0x600b1c20, 0x50d83aa1, 18) },
  esp32p4: p4,
  "esp32p4-rev1": p4,
};

/** The simulated boards have one row for both kinds of ESP32-P4. */
export function chipRow(blob: string): EspChip {
  const row = chipById(blob === "esp32p4-rev1" ? "esp32p4" : blob);
  if (row === undefined) throw new Error(`${blob} is none of ${chips.map(({ id }) => id).join(", ")}`);
  return row;
}
