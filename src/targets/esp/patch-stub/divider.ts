/** What UART0's divider says: which crystal a board has, and what the register must hold for another rate. */
import type { Chip, ChipName } from "../chips.ts";

/**
 * Clocks of the processor in the ROM loader, MHz, of chips whose stub counts time in its cycles and that are built with more than one
 * crystal: the ESP32 runs at that of its crystal, the ESP8266 at twice it. UART0 runs on the same clock (as in esptool's get_crystal_freq).
 */
export const processorClocks: Readonly<Partial<Record<ChipName, readonly [slow: number, fast: number]>>> = {
  esp8266: [52, 80],
  esp32: [26, 40],
};

/** @param baud a rate that works with this divider @returns undefined where the stub does not want to know */
export function processorMhz(chip: Chip, divider: number, baud: number): number | undefined {
  const clocks = processorClocks[chip.name];
  if (clocks === undefined) return undefined;
  const [slow, fast] = clocks;
  const mhz = (sixteenthsOf(divider, chip.romIsComplete) * baud) / 16e6;
  return mhz < (slow + fast) / 2 ? slow : fast;
}

/** @param factor rate now, divided by the wanted one; hasSixteenths: from the ESP32 on */
export function scaledDivider(divider: number, factor: number, hasSixteenths: boolean): number {
  const sixteenths = sixteenthsOf(divider, hasSixteenths) * factor;
  if (!hasSixteenths) return Math.round(sixteenths / 16);
  const rounded = Math.round(sixteenths);
  return ((rounded & 0xf) << 20) | (rounded >>> 4);
}

/** 20 bits of whole clocks; from the ESP32 on four bits of sixteenths above them. */
function sixteenthsOf(divider: number, hasSixteenths: boolean): number {
  return ((divider & 0xfffff) << 4) | (hasSixteenths ? (divider >>> 20) & 0xf : 0);
}
