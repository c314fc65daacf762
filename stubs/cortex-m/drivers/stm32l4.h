/*
 * Flash controller of STM32L4, G0 and G4, whose differences stm32l4.c, stm32g0.c and stm32g4.c define before they include this:
 * BUSY (bits of SR), BANK2 (bit of CR) and BANK2_PAGE (number of the second bank's first page), the G0 ACR_RESETS as well. Numbers: RM0351 and RM0394, 3.3 and 3.7;
 * RM0444 3.3 and 3.7; RM0440 3.3 and 3.7. A unit of 8 bytes has an ECC: it can be programmed once, and then only to 0.
 * state[0]: log2 of the bytes of a page. state[1]: where the second bank begins, bytes from 0x08000000 on; 0 where there is one bank.
 */
#include "stm32.h"
#include "stm32-art.h"

#define ACR 0x40022000u
#define KEYR 0x40022008u
#define SR 0x40022010u
#define SR_WRPERR (1u << 4)
/* Reading a part that is for execution only. */
#define SR_RDERR (1u << 14)
/* Those two, OPERR, PROGERR, PGAERR, SIZERR, PGSERR, MISERR, FASTERR. OPTVERR is of the option bytes: stale since the reset on some. */
#define SR_ERRORS 0x43FAu
#define SR_OPTVERR (1u << 15)
#define CR 0x40022014u
#define CR_PG 1u
#define CR_PER 2u
#define CR_PNB_AT 3
#define CR_STRT (1u << 16)
#define CR_LOCK (1u << 31)

/* EOP too. Not bit 17, which is turned over by a 1 on the L4. */
static inline void clear_flags(void) {
  *word_at(SR) = SR_ERRORS | SR_OPTVERR | 1;
}

/* Nothing is under way afterwards. While the controller is busy a store to CR would stop the core: one that hangs is left alone. */
static inline void set_control(uint32_t value) {
  if (!(*word_at(SR) & BUSY)) *word_at(CR) = value;
}

static inline uint32_t finish(uint32_t loops, uint32_t failed) {
  barrier();
  uint32_t status = wait_idle(SR, BUSY, loops);
  uint32_t flags = *word_at(SR) & SR_ERRORS;
  if (status != STATUS_OK || flags == 0) return status;
  clear_flags();
  return flags & (SR_WRPERR | SR_RDERR) ? STATUS_PROTECTED : failed;
}

static inline uint32_t open_controller(uint32_t *state) {
  state[3] = caches_off(ACR);
  uint32_t status = wait_idle(SR, BUSY, ERASE_LOOPS);
  if (status != STATUS_OK) return status;
  status = unlock(KEYR, CR, CR_LOCK);
  clear_flags();
  return status;
}

static inline uint32_t close_controller(const uint32_t *state) {
  set_control(CR_LOCK);
  caches_on(ACR, state[3]);
  return STATUS_OK;
}

/* The chip found its flash empty when it was powered, and something is there now. */
static inline bool no_longer_empty(void) {
  return *word_at(FLASH_START) != 0xFFFFFFFFu;
}

static inline uint32_t page_select(const uint32_t *state, uint32_t address) {
  uint32_t offset = address - FLASH_START;
  if (state[1] == 0 || offset < state[1]) return offset >> state[0] << CR_PNB_AT;
  return (((offset - state[1]) >> state[0]) + BANK2_PAGE) << CR_PNB_AT | BANK2;
}

static inline uint32_t driver_erase(uint32_t *state, uint32_t address, uint32_t bytes) {
  uint32_t status = STATUS_OK;
  for (uint32_t end = address + bytes; status == STATUS_OK && address < end; address += 1u << state[0]) {
    uint32_t control = CR_PER | page_select(state, address);
    *word_at(CR) = control;
    *word_at(CR) = control | CR_STRT;
    status = finish(ERASE_LOOPS, STATUS_ERASE);
  }
  set_control(0);
  return status;
}

static inline uint32_t driver_program(uint32_t *state, uint32_t address, const uint32_t *words, uint32_t bytes) {
  (void)state;
  uint32_t status = STATUS_OK;
  *word_at(CR) = CR_PG;
  for (uint32_t end = address + bytes; status == STATUS_OK && address < end; address += 8) {
    *word_at(address) = *words++;
    barrier();
    *word_at(address + 4) = *words++;
    status = finish(PROGRAM_LOOPS, STATUS_PROGRAM);
  }
  set_control(0);
  return status;
}
