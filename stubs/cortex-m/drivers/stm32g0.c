/* STM32G0: stm32l4.h, with a busy bit per bank and one of the sequence that is under way (CFGBSY). Kept: state[3] caches. */
#define DRIVER_ID 20
#define PROGRAM_UNIT 8
#include "../driver.h"
#define BUSY (7u << 16)
#define BANK2 (1u << 13)
#define BANK2_PAGE 256
#define ACR_RESETS (1u << 11)
#include "stm32l4.h"

/* The chip was empty when it was powered: the next reset would start the boot ROM, not the firmware. RM0444 3.7.1. */
#define ACR_EMPTY (1u << 16)

static inline uint32_t driver_init(uint32_t *state) {
  return open_controller(state);
}

static inline uint32_t driver_done(uint32_t *state) {
  if (*word_at(ACR) & ACR_EMPTY && no_longer_empty()) *word_at(ACR) &= ~ACR_EMPTY;
  return close_controller(state);
}
