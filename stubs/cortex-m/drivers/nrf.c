/* NVMC of nRF51 and nRF52. Numbers: nRF51 Series Reference Manual v3.0.1, chapter 6; nRF52832 Product Specification v1.4, chapter 11. */
#define DRIVER_ID 1
#define PROGRAM_UNIT 4
#include "../driver.h"

#define READY 0x4001E400u
#define CONFIG 0x4001E504u
#define CONFIG_READ 0u
#define CONFIG_WRITE 1u
#define CONFIG_ERASE 2u
#define ERASEPAGE 0x4001E508u

static inline uint32_t configure(uint32_t value) {
  *word_at(CONFIG) = value;
  return wait_while(READY, 1, 0, PROGRAM_LOOPS);
}

static inline uint32_t driver_init(uint32_t *state) {
  (void)state;
  return configure(CONFIG_READ);
}

static inline uint32_t driver_done(uint32_t *state) {
  (void)state;
  return configure(CONFIG_READ);
}

/* state[0]: bytes of a page. */
static inline uint32_t driver_erase(uint32_t *state, uint32_t address, uint32_t bytes) {
  uint32_t status = configure(CONFIG_ERASE);
  for (uint32_t end = address + bytes; status == STATUS_OK && address < end; address += state[0]) {
    *word_at(ERASEPAGE) = address;
    status = wait_while(READY, 1, 0, ERASE_LOOPS);
  }
  uint32_t closed = configure(CONFIG_READ);
  return status == STATUS_OK ? closed : status;
}

static inline uint32_t driver_program(uint32_t *state, uint32_t address, const uint32_t *words, uint32_t bytes) {
  (void)state;
  uint32_t status = configure(CONFIG_WRITE);
  for (uint32_t end = address + bytes; status == STATUS_OK && address < end; address += 4) {
    *word_at(address) = *words++;
    status = wait_while(READY, 1, 0, PROGRAM_LOOPS);
  }
  uint32_t closed = configure(CONFIG_READ);
  return status == STATUS_OK ? closed : status;
}
