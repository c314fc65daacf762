/* STM32F4: the controller is stm32f4.h's; its instruction and data cache are these. Kept: state[3] what was on. */
#define DRIVER_ID 17
#define PROGRAM_UNIT 4
#include "../driver.h"
#include "stm32f4.h"
#include "stm32-art.h"

static inline uint32_t driver_init(uint32_t *state) {
  state[3] = caches_off(ACR);
  return open_controller();
}

static inline uint32_t driver_done(uint32_t *state) {
  set_control(CR_LOCK);
  caches_on(ACR, state[3]);
  return STATUS_OK;
}
