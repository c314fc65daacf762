/** Whether a chip as projects name it can be one that was found. Names are those of orders and target packs: `STM32F407VGTx`, `nRF52840_xxAA`. */

/** What all members have in common that a wrong board has not: the maker's series. */
const series = /^(?:at)?(stm32[a-z]+\d|nrf5\d|rp\d{4}|sam[a-z]\d\d)/;

/** `stm32f4` of `STM32F407VGTx`; undefined for other makers' chips, and for words that are no chip. */
export function seriesOf(name: string): string | undefined {
  return series.exec(name.trim().toLowerCase())?.[1];
}
