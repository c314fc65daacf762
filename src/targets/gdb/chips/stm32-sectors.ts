/** Sector maps of STM32F4 and F7, and what their driver wants to know of them. Of the chips it knows nothing else. */
import type { FlashMap } from "../../../core/flash-map.ts";
import { units } from "./row.ts";

const FLASH_START = 0x08000000;

/** Four small sectors, one four times as large, then sectors eight times as large, as far as `size` goes: RM0090 3.4, RM0410 3.3.2. */
function bank(start: number, size: number, small: number): FlashMap {
  const ofSmall = Math.min(size, 4 * small);
  const ofMedium = Math.min(size - ofSmall, 4 * small);
  return [
    ...units(start, ofSmall, small),
    ...units(start + ofSmall, ofMedium, 4 * small),
    ...units(start + ofSmall + ofMedium, size - ofSmall - ofMedium, 8 * small),
  ];
}

export interface Sectors {
  /** Of the whole flash. */
  readonly bytes: number;
  /** Bytes of the first sectors. */
  readonly small: 0x4000 | 0x8000;
  readonly banks: 1 | 2;
}

export function sectorMap({ bytes, small, banks }: Sectors): FlashMap {
  const size = bytes / banks;
  const first = bank(FLASH_START, size, small);
  return banks === 1 ? first : [...first, ...bank(FLASH_START + size, size, small)];
}

/** PSIZE: words of 32 bits, for a supply of 2.7 V and more (RM0090 3.6.2). What nearly all boards have. */
const PSIZE_WORD = 2;

/** `state[0 … 2]` of `stm32f4.h`. */
export function sectorWords({ bytes, small, banks }: Sectors): readonly number[] {
  return [small === 0x4000 ? 14 : 15, banks === 1 ? 0 : bytes / 2, PSIZE_WORD];
}
