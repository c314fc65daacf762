/*
 * STM32L4 (not L4+, whose pages are of 4 or 8 KB): stm32l4.h with one busy bit. Kept: state[3] caches, state[4] what the clock was.
 * After a reset it runs at 4 MHz from the MSI; that is raised to 16 MHz, which needs no wait state in range 1: RM0351 3.3.3 and 6.4.1.
 */
#define DRIVER_ID 19
#define PROGRAM_UNIT 8
#include "../driver.h"
#define BUSY (1u << 16)
#define BANK2 (1u << 11)
#define BANK2_PAGE 0
#include "stm32l4.h"

/* "Program empty": the next reset starts the boot ROM, not the firmware. A 1 turns it over. Always 0 on L47x and L48x: RM0394 3.7.5. */
#define SR_PEMPTY (1u << 17)
#define RCC_CR 0x40021000u
#define RCC_CFGR 0x40021008u
/* MSI on and ready at 4 MHz, nothing else. */
#define RCC_CR_RESET 0x63u
#define MSI_READY (1u << 1)
/* "The range in this register counts": cleared by a reset alone, so it stays when the range is what it was. */
#define MSIRGSEL (1u << 3)
#define MSI_RANGE_AT 4
#define MSI_4_MHZ 6u
#define MSI_16_MHZ 8u

/* May be changed while the MSI is ready. */
static inline void msi_range(uint32_t range) {
  if (wait_while(RCC_CR, MSI_READY, 0, PROGRAM_LOOPS) == STATUS_OK)
    *word_at(RCC_CR) = (*word_at(RCC_CR) & ~(0xFu << MSI_RANGE_AT)) | range << MSI_RANGE_AT | MSIRGSEL;
}

/* Untouched since the reset: then it is raised. A firmware's own clock stays. */
static inline bool is_reset_clock(void) {
  return *word_at(RCC_CFGR) == 0 && (*word_at(RCC_CR) & ~MSIRGSEL) == RCC_CR_RESET;
}

static inline uint32_t driver_init(uint32_t *state) {
  state[4] = is_reset_clock();
  if (state[4]) msi_range(MSI_16_MHZ);
  return open_controller(state);
}

static inline uint32_t driver_done(uint32_t *state) {
  if (*word_at(SR) & SR_PEMPTY && no_longer_empty()) *word_at(SR) = SR_PEMPTY;
  uint32_t status = close_controller(state);
  if (state[4]) msi_range(MSI_4_MHZ);
  return status;
}
