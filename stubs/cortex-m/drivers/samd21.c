/*
 * NVMCTRL of SAMD21. Numbers: SAM D21 datasheet DS40001882, chapters 11.6 (PAC), 17.8 (OSC8M), 18.8 (WDT) and 22 (NVMCTRL).
 * Kept: state[2] CTRLB, state[3] whether NVMCTRL was write protected, state[4] OSC8M.
 */
#define DRIVER_ID 32
#define PROGRAM_UNIT 64
#include "../driver.h"

#define ROW_BYTES 256u
#define CTRLA 0x41004000u
/* Carries the command out if it is right. */
#define CTRLA_KEY 0xA500u
#define COMMAND_ERASE_ROW 0x02u
#define COMMAND_WRITE_PAGE 0x04u
#define COMMAND_CLEAR_BUFFER 0x44u
#define COMMAND_INVALIDATE 0x46u
#define CTRLB 0x41004004u
/* A page is written by a command, not by its last store. */
#define CTRLB_MANW (1u << 7)
/* A byte, read as part of its word. */
#define INTFLAG 0x41004014u
#define INTFLAG_READY 1u
#define INTFLAG_ERROR 2u
#define STATUS_WORD 0x41004018u
#define STATUS_PROGE (1u << 2)
#define STATUS_LOCKE (1u << 3)
#define STATUS_NVME (1u << 4)
#define STATUS_ERRORS (STATUS_PROGE | STATUS_LOCKE | STATUS_NVME)
#define ADDR 0x4100401Cu

#define PAC1_CLEAR 0x41000000u
#define PAC1_SET 0x41000004u
#define PAC1_NVMCTRL (1u << 2)

#define OSC8M 0x40000820u
#define OSC8M_PRESCALER (3u << 8)

/* The first byte is CTRL. STATUS is the last byte of the second word; CLEAR is a byte of its own. */
#define WDT 0x40001000u
#define WDT_RUNS (1u << 1 | 1u << 7)
#define WDT_WINDOW (1u << 2)
#define WDT_STATUS 0x40001004u
#define WDT_SYNCBUSY (1u << 31)
#define WDT_CLEAR 0x40001008u

/* A watchdog that a fuse keeps on is fed; not in window mode, where that resets the chip if it is too early. */
static inline void feed(void) {
  uint32_t control = *word_at(WDT);
  if (control & WDT_RUNS && !(control & WDT_WINDOW) && !(*word_at(WDT_STATUS) & WDT_SYNCBUSY))
    *(volatile uint8_t *)(uintptr_t)WDT_CLEAR = 0xA5;
}

static inline void clear_flags(void) {
  *half_at(STATUS_WORD) = STATUS_ERRORS;
  *(volatile uint8_t *)(uintptr_t)INTFLAG = INTFLAG_ERROR;
}

static inline uint32_t ready(uint32_t loops) {
  return wait_while(INTFLAG, INTFLAG_READY, 0, loops);
}

static inline uint32_t execute(uint32_t command, uint32_t failed) {
  *half_at(CTRLA) = CTRLA_KEY | command;
  uint32_t status = ready(ERASE_LOOPS);
  uint32_t flags = *half_at(STATUS_WORD) & STATUS_ERRORS;
  if (status != STATUS_OK || flags == 0) return status;
  clear_flags();
  return flags & STATUS_LOCKE ? STATUS_PROTECTED : failed;
}

/* 1 MHz after a reset; 8 MHz need no wait state at any voltage (table 37-42). */
static inline uint32_t driver_init(uint32_t *state) {
  state[4] = *word_at(OSC8M);
  *word_at(OSC8M) = state[4] & ~OSC8M_PRESCALER;
  /* Unprotecting what is not protected is an error. */
  state[3] = *word_at(PAC1_CLEAR) & PAC1_NVMCTRL;
  if (state[3]) *word_at(PAC1_CLEAR) = PAC1_NVMCTRL;
  uint32_t status = ready(ERASE_LOOPS);
  state[2] = *word_at(CTRLB);
  *word_at(CTRLB) = state[2] | CTRLB_MANW;
  clear_flags();
  return status;
}

static inline uint32_t driver_done(uint32_t *state) {
  *word_at(CTRLB) = state[2];
  if (state[3]) *word_at(PAC1_SET) = PAC1_NVMCTRL;
  *word_at(OSC8M) = state[4];
  return STATUS_OK;
}

/* The cache would show what was there. */
static inline uint32_t invalidate(uint32_t status, uint32_t failed) {
  uint32_t cleared = execute(COMMAND_INVALIDATE, failed);
  return status == STATUS_OK ? cleared : status;
}

static inline uint32_t driver_erase(uint32_t *state, uint32_t address, uint32_t bytes) {
  (void)state;
  uint32_t status = STATUS_OK;
  for (uint32_t end = address + bytes; status == STATUS_OK && address < end; address += ROW_BYTES) {
    feed();
    /* In half-words. */
    *word_at(ADDR) = address >> 1;
    status = execute(COMMAND_ERASE_ROW, STATUS_ERASE);
  }
  return invalidate(status, STATUS_ERASE);
}

static inline uint32_t driver_program(uint32_t *state, uint32_t address, const uint32_t *words, uint32_t bytes) {
  (void)state;
  uint32_t status = STATUS_OK;
  for (uint32_t end = address + bytes; status == STATUS_OK && address < end;) {
    feed();
    status = execute(COMMAND_CLEAR_BUFFER, STATUS_PROGRAM);
    if (status != STATUS_OK) break;
    /* These go to the page buffer, and leave their address in ADDR. */
    for (uint32_t page_end = address + PROGRAM_UNIT; address < page_end; address += 4) *word_at(address) = *words++;
    status = execute(COMMAND_WRITE_PAGE, STATUS_PROGRAM);
  }
  return invalidate(status, STATUS_PROGRAM);
}
