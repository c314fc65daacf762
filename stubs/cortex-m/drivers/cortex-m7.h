/*
 * The data cache of a Cortex-M7, which is off after a reset but may be on when we come without one: written back and off meanwhile, since
 * it would show old contents of the flash. Numbers: ARM DDI 0403E, B3.2.8 (CCR), B4.8.3 (CCSIDR), B2.2.7 (cache maintenance); the M7 has
 * 4 ways of lines of 32 bytes (ARM DDI 0489, 5.1). The stack must not be cached, or what is stored there meanwhile is lost: it stands in the DTCM.
 */
#ifndef CORTEX_M7_H
#define CORTEX_M7_H

#define CCR 0xE000ED14u
#define CCR_DC (1u << 16)
#define CCSIDR 0xE000ED80u
#define CSSELR 0xE000ED84u
#define DCISW 0xE000EF60u
#define DCCISW 0xE000EF74u

/* Does `operation` to every line. */
static inline void each_line(uint32_t operation) {
  *word_at(CSSELR) = 0;
  barrier();
  uint32_t sets = *word_at(CCSIDR) >> 13 & 0x7FFF;
  for (uint32_t way = 0; way < 4; way++)
    for (uint32_t set = 0; set <= sets; set++) *word_at(operation) = way << 30 | set << 5;
  barrier();
}

/* @returns what data_cache_on needs */
static inline uint32_t data_cache_off(void) {
  uint32_t enabled = *word_at(CCR) & CCR_DC;
  if (enabled) {
    *word_at(CCR) &= ~CCR_DC;
    barrier();
    each_line(DCCISW);
  }
  return enabled;
}

static inline void data_cache_on(uint32_t enabled) {
  if (!enabled) return;
  each_line(DCISW);
  *word_at(CCR) |= CCR_DC;
  barrier();
  __asm volatile("isb 0xF" ::: "memory");
}

#endif
