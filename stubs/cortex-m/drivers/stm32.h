/*
 * What the flash controllers of all STM32 have in common: the keys, and the watchdog that may run meanwhile. A driver defines IWDG_KEY if
 * its watchdog stands elsewhere. Numbers: RM0008, RM0090, RM0385, RM0410, RM0351, RM0444, RM0440, RM0433, the chapters on flash and IWDG.
 */
#ifndef STM32_H
#define STM32_H

#define FLASH_START 0x08000000u
#define KEY1 0x45670123u
#define KEY2 0xCDEF89ABu

#ifndef IWDG_KEY
#define IWDG_KEY 0x40003000u
#endif
#define IWDG_RELOAD 0xAAAAu

/* Before a store to the flash reaches it, a later read of the status could overtake it. */
static inline void barrier(void) {
  __asm volatile("dsb 0xF" ::: "memory");
}

/*
 * An independent watchdog that an option byte or the firmware has started cannot be stopped, and an erase may take longer than it has
 * patience. The word does nothing where none runs. Nobody feeds it between the driver's calls: see README.md.
 */
static inline void feed(void) {
  *word_at(IWDG_KEY) = IWDG_RELOAD;
}

/* As wait_while until the bits that `mask` picks are 0, and feeds the watchdog. */
static inline uint32_t wait_idle(uint32_t address, uint32_t mask, uint32_t loops) {
  for (feed(); *word_at(address) & mask; feed())
    if (loops-- == 0) return STATUS_TIMEOUT;
  return STATUS_OK;
}

/* The control register at `control` is open when `lock` reads 0 in it. After a wrong key it stays closed until the next reset. */
static inline uint32_t unlock(uint32_t key, uint32_t control, uint32_t lock) {
  if (*word_at(control) & lock) {
    *word_at(key) = KEY1;
    *word_at(key) = KEY2;
  }
  return *word_at(control) & lock ? STATUS_PROTECTED : STATUS_OK;
}

#endif
