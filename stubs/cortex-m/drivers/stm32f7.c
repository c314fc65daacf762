/*
 * STM32F7: the controller is stm32f4.h's. The ART cache serves the copy at 0x00200000 alone, where nobody of us reads, but the firmware
 * will run: it is emptied at the end. The data cache serves 0x08000000. Kept: state[3] whether that was on.
 */
#define DRIVER_ID 18
#define PROGRAM_UNIT 4
#include "../driver.h"
#include "stm32f4.h"
#include "cortex-m7.h"

#define ACR_ARTEN (1u << 9)
#define ACR_ARTRST (1u << 11)

static inline uint32_t driver_init(uint32_t *state) {
  state[3] = data_cache_off();
  return open_controller();
}

/* ARTRST acts only while ART is off: RM0385 3.7.1. */
static inline uint32_t driver_done(uint32_t *state) {
  set_control(CR_LOCK);
  uint32_t enabled = *word_at(ACR) & ACR_ARTEN;
  *word_at(ACR) &= ~ACR_ARTEN;
  *word_at(ACR) |= ACR_ARTRST;
  *word_at(ACR) &= ~ACR_ARTRST;
  *word_at(ACR) |= enabled;
  data_cache_on(state[3]);
  return STATUS_OK;
}
