/*
 * Flash controller of STM32F4 and STM32F7. Numbers: RM0090 rev. 19, 3.5 to 3.9; RM0368, RM0383, RM0390; RM0385 and RM0410, chapter 3.
 * state[0]: 14 where a bank begins with sectors of 16 KB, 15 where with 32 KB: four of these, one four times, the others eight times as large.
 * state[1]: bytes of a bank, 0 where there is one. state[2]: PSIZE, 0 to 2 = width of the stores, 1 to 4 bytes: 2 from 2.7 V on, 1 from 2.1 V.
 */
#include "stm32.h"

#define ACR 0x40023C00u
#define KEYR 0x40023C04u
#define SR 0x40023C0Cu
#define SR_WRPERR (1u << 4)
/* Reading a protected part; not on all. */
#define SR_RDERR (1u << 8)
/* Those two, OPERR, PGAERR, PGPERR and PGSERR (or ERSERR). */
#define SR_ERRORS 0x1F2u
#define SR_BSY (1u << 16)
#define CR 0x40023C10u
#define CR_PG 1u
#define CR_SER 2u
#define CR_SNB_AT 3
#define CR_PSIZE_AT 8
#define CR_STRT (1u << 16)
#define CR_LOCK (1u << 31)

/* EOP too: it is set only where an interrupt is wanted. */
static inline void clear_flags(void) {
  *word_at(SR) = SR_ERRORS | 1;
}

/* Nothing is under way afterwards. While the controller is busy a store to CR would stop the core: one that hangs is left alone. */
static inline void set_control(uint32_t value) {
  if (!(*word_at(SR) & SR_BSY)) *word_at(CR) = value;
}

static inline uint32_t finish(uint32_t loops, uint32_t failed) {
  barrier();
  uint32_t status = wait_idle(SR, SR_BSY, loops);
  uint32_t flags = *word_at(SR) & SR_ERRORS;
  if (status != STATUS_OK || flags == 0) return status;
  clear_flags();
  return flags & (SR_WRPERR | SR_RDERR) ? STATUS_PROTECTED : failed;
}

static inline uint32_t open_controller(void) {
  uint32_t status = wait_idle(SR, SR_BSY, ERASE_LOOPS);
  if (status != STATUS_OK) return status;
  status = unlock(KEYR, CR, CR_LOCK);
  clear_flags();
  return status;
}

/* What SNB wants, and where the sector ends. The sectors of the second bank are counted from 16 on. */
struct sector {
  uint32_t number;
  uint32_t end;
};

static inline struct sector sector_at(const uint32_t *state, uint32_t address) {
  uint32_t shift = state[0];
  uint32_t offset = address - FLASH_START;
  uint32_t bank = state[1] != 0 && offset >= state[1] ? state[1] : 0;
  offset -= bank;
  uint32_t number = offset >> shift;
  uint32_t bytes = 1u << shift;
  if (number >= 8) {
    number = 4 + (number >> 3);
    bytes <<= 3;
  } else if (number >= 4) {
    number = 4;
    bytes <<= 2;
  }
  struct sector sector = {number + (bank ? 16 : 0), (address & ~(bytes - 1)) + bytes};
  return sector;
}

static inline uint32_t driver_erase(uint32_t *state, uint32_t address, uint32_t bytes) {
  uint32_t status = STATUS_OK;
  for (uint32_t end = address + bytes; status == STATUS_OK && address < end;) {
    struct sector sector = sector_at(state, address);
    uint32_t control = CR_SER | sector.number << CR_SNB_AT | state[2] << CR_PSIZE_AT;
    *word_at(CR) = control;
    *word_at(CR) = control | CR_STRT;
    status = finish(ERASE_LOOPS, STATUS_ERASE);
    address = sector.end;
  }
  set_control(0);
  return status;
}

static inline uint32_t driver_program(uint32_t *state, uint32_t address, const uint32_t *words, uint32_t bytes) {
  uint32_t width = 1u << state[2];
  const uint8_t *from = (const uint8_t *)words;
  uint32_t status = STATUS_OK;
  *word_at(CR) = CR_PG | state[2] << CR_PSIZE_AT;
  for (uint32_t end = address + bytes; status == STATUS_OK && address < end; address += width, from += width) {
    if (width == 4) *word_at(address) = *(const uint32_t *)(const void *)from;
    else if (width == 2) *half_at(address) = *(const uint16_t *)(const void *)from;
    else *(volatile uint8_t *)(uintptr_t)address = *from;
    status = finish(PROGRAM_LOOPS, STATUS_PROGRAM);
  }
  set_control(0);
  return status;
}
