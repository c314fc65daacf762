/** All chips that Deltaflash knows behind a GDB server. A new chip is a row in one of these files. */
import { nrfChips } from "./nrf.ts";
import { rp2040Chips } from "./rp2040.ts";
import type { ChipRow } from "./row.ts";
import { samd21Chips } from "./samd21.ts";
import { stm32f1Chips } from "./stm32f1.ts";
import { stm32f4Chips } from "./stm32f4.ts";
import { stm32f7Chips } from "./stm32f7.ts";
import { stm32h7Chips } from "./stm32h7.ts";
import { stm32l4Chips } from "./stm32l4.ts";

export const chipRows: readonly ChipRow[] = [
  ...nrfChips,
  ...stm32f1Chips,
  ...stm32f4Chips,
  ...stm32f7Chips,
  ...stm32l4Chips,
  ...stm32h7Chips,
  ...rp2040Chips,
  ...samd21Chips,
];
