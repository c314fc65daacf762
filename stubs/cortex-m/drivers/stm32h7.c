/*
 * STM32H742, H743, H745, H747, H750, H753 … (not H7A, H7B and H7R, whose CR is another). Numbers: RM0433 rev. 8, 4.3.9, 4.3.10 and 4.9.
 * A flash word of 32 bytes has an ECC: it can be programmed once. Each bank of 1 MB has registers of its own.
 * Kept: state[3] whether the data cache was on.
 */
#define DRIVER_ID 22
#define PROGRAM_UNIT 32
#include "../driver.h"
#define IWDG_KEY 0x58004800u
#include "stm32.h"
#include "cortex-m7.h"

#define BANK_BYTES 0x100000u
#define SECTOR_BYTES 0x20000u
/* Of the first bank, the second's are 0x100 further on. */
#define KEYR 0x52002004u
#define CR 0x5200200Cu
#define CR_LOCK 1u
#define CR_PG (1u << 1)
#define CR_SER (1u << 2)
/* 8 bytes at a time: the quickest, at any voltage. */
#define CR_PSIZE_X64 (3u << 4)
#define CR_START (1u << 7)
#define CR_SNB_AT 8
#define SR 0x52002010u
/* Busy, write buffer not empty, operations in the queue. */
#define SR_BUSY 7u
#define SR_WRPERR (1u << 17)
#define SR_RDPERR (1u << 23)
#define SR_RDSERR (1u << 24)
/* Those, PGSERR, STRBERR, INCERR, OPERR. */
#define SR_ERRORS 0x01EE0000u
#define CCR_FLASH 0x52002014u
/* Those, and what reading may have left: ECC errors, CRC errors, EOP. */
#define CCR_ALL 0x1FEF0000u

/* Added to the addresses above: 0, or that of the second bank's registers. */
static inline uint32_t bank_of(uint32_t address) {
  return address - FLASH_START < BANK_BYTES ? 0 : 0x100;
}

static inline void clear_flags(uint32_t bank) {
  *word_at(CCR_FLASH + bank) = CCR_ALL;
}

static inline uint32_t finish(uint32_t bank, uint32_t loops, uint32_t failed) {
  barrier();
  uint32_t status = wait_idle(SR + bank, SR_BUSY, loops);
  uint32_t flags = *word_at(SR + bank) & SR_ERRORS;
  if (status != STATUS_OK || flags == 0) return status;
  clear_flags(bank);
  return flags & (SR_WRPERR | SR_RDPERR | SR_RDSERR) ? STATUS_PROTECTED : failed;
}

/* Only the bank that is needed: smaller chips have one. */
static inline uint32_t open_bank(uint32_t bank) {
  uint32_t status = wait_idle(SR + bank, SR_BUSY, ERASE_LOOPS);
  if (status != STATUS_OK) return status;
  status = unlock(KEYR + bank, CR + bank, CR_LOCK);
  clear_flags(bank);
  return status;
}

/* A bank that hangs is left alone: a store to CR would stop the core. */
static inline void close_bank(uint32_t bank) {
  if (*word_at(SR + bank) & SR_BUSY) return;
  *word_at(CR + bank) = 0;
  *word_at(CR + bank) = CR_LOCK;
}

static inline uint32_t driver_init(uint32_t *state) {
  state[3] = data_cache_off();
  return STATUS_OK;
}

static inline uint32_t driver_done(uint32_t *state) {
  data_cache_on(state[3]);
  return STATUS_OK;
}

static inline uint32_t driver_erase(uint32_t *state, uint32_t address, uint32_t bytes) {
  (void)state;
  uint32_t status = STATUS_OK;
  for (uint32_t end = address + bytes; status == STATUS_OK && address < end; address += SECTOR_BYTES) {
    uint32_t bank = bank_of(address);
    status = open_bank(bank);
    if (status != STATUS_OK) return status;
    uint32_t number = (address - FLASH_START) >> 17 & 7;
    uint32_t control = CR_SER | CR_PSIZE_X64 | number << CR_SNB_AT;
    *word_at(CR + bank) = control;
    *word_at(CR + bank) = control | CR_START;
    status = finish(bank, ERASE_LOOPS, STATUS_ERASE);
    close_bank(bank);
  }
  return status;
}

/* A flash word is written as a whole when its eighth word has come. */
static inline void store(uint32_t address, const uint32_t *words) {
  for (uint32_t at = 0; at < 8; at++) *word_at(address + 4 * at) = words[at];
}

static inline uint32_t driver_program(uint32_t *state, uint32_t address, const uint32_t *words, uint32_t bytes) {
  (void)state;
  uint32_t status = STATUS_OK;
  for (uint32_t end = address + bytes; status == STATUS_OK && address < end;) {
    uint32_t bank = bank_of(address);
    uint32_t bank_end = FLASH_START + (bank ? 2 * BANK_BYTES : BANK_BYTES);
    if (bank_end > end) bank_end = end;
    status = open_bank(bank);
    if (status != STATUS_OK) return status;
    *word_at(CR + bank) = CR_PG | CR_PSIZE_X64;
    for (; status == STATUS_OK && address < bank_end; address += PROGRAM_UNIT, words += 8) {
      store(address, words);
      status = finish(bank, PROGRAM_LOOPS, STATUS_PROGRAM);
    }
    close_bank(bank);
  }
  return status;
}
