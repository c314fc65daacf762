/* A flash that is memory, as the Cortex-M loader's driver sees it. */
#define DRIVER_ID 99
#define PROGRAM_UNIT 8
#include <string.h>
#include "../cortex-m/driver.h"

/* state[0]: so many calls work before one fails. */
static bool works(uint32_t *state) {
  return state[0]-- != 0;
}

static inline uint32_t driver_init(uint32_t *state) {
  return works(state) ? STATUS_OK : STATUS_PROTECTED;
}

static inline uint32_t driver_erase(uint32_t *state, uint32_t address, uint32_t bytes) {
  if (!works(state)) return STATUS_ERASE;
  memset((void *)(uintptr_t)address, 0xFF, bytes);
  return STATUS_OK;
}

static inline uint32_t driver_program(uint32_t *state, uint32_t address, const uint32_t *words, uint32_t bytes) {
  if (!works(state)) return STATUS_PROGRAM;
  for (uint32_t at = 0; at < bytes; at += 4) *word_at(address + at) &= words[at / 4];
  return STATUS_OK;
}

static inline uint32_t driver_done(uint32_t *state) {
  (void)state;
  return STATUS_OK;
}
