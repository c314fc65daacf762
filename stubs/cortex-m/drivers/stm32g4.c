/* STM32G4: stm32l4.h as on the L4; a page is 4 KB where an option makes one bank of two. Kept: state[3] caches. */
#define DRIVER_ID 21
#define PROGRAM_UNIT 8
#include "../driver.h"
#define BUSY (1u << 16)
#define BANK2 (1u << 11)
#define BANK2_PAGE 0
#include "stm32l4.h"

static inline uint32_t driver_init(uint32_t *state) {
  return open_controller(state);
}

static inline uint32_t driver_done(uint32_t *state) {
  return close_controller(state);
}
