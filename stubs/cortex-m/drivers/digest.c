/* No flash controller: digests of whatever can be read by address, and no records. */
#define DRIVER_ID 0
#define NO_FLASH
#define PROGRAM_UNIT 4
#include "../driver.h"

static inline uint32_t driver_init(uint32_t *state) {
  (void)state;
  return STATUS_OK;
}

static inline uint32_t driver_done(uint32_t *state) {
  (void)state;
  return STATUS_OK;
}
