/*
 * The caches between flash and core of STM32F4, L4, G0 and G4: switched off meanwhile, because they would show old contents, and emptied
 * before they are switched on again. Reset bits act only while their cache is off: RM0090 3.9.1, RM0351 3.7.1, RM0444 3.7.1 (FLASH_ACR).
 */
#ifndef STM32_ART_H
#define STM32_ART_H

/* Prefetch, instruction cache, data cache; a bit without a cache reads 0. */
#define ACR_ENABLES (7u << 8)
/* Instruction and data cache reset. The G0 has one cache only. */
#ifndef ACR_RESETS
#define ACR_RESETS (3u << 11)
#endif

/* @returns what caches_on needs */
static inline uint32_t caches_off(uint32_t acr) {
  uint32_t enabled = *word_at(acr) & ACR_ENABLES;
  *word_at(acr) &= ~ACR_ENABLES;
  return enabled;
}

static inline void caches_on(uint32_t acr, uint32_t enabled) {
  *word_at(acr) |= ACR_RESETS;
  *word_at(acr) &= ~ACR_RESETS;
  *word_at(acr) |= enabled;
}

#endif
