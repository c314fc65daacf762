/*
 * FPEC of STM32F103, low to high density (not XL density, which has two). Numbers: PM0075 rev. 2, chapters 2.3 and 3.
 * state[0]: bytes of a page, 1024 or 2048.
 */
#define DRIVER_ID 16
#define PROGRAM_UNIT 4
#include "../driver.h"
#include "stm32.h"

#define KEYR 0x40022004u
#define SR 0x4002200Cu
#define SR_BSY 1u
#define SR_PGERR (1u << 2)
#define SR_WRPRTERR (1u << 4)
#define SR_EOP (1u << 5)
#define CR 0x40022010u
#define CR_PG 1u
#define CR_PER 2u
#define CR_STRT (1u << 6)
#define CR_LOCK (1u << 7)
#define AR 0x40022014u

static inline void clear_flags(void) {
  *word_at(SR) = SR_PGERR | SR_WRPRTERR | SR_EOP;
}

/* Nothing is under way afterwards. While the controller is busy a store to CR would stop the core: one that hangs is left alone. */
static inline void set_control(uint32_t value) {
  if (!(*word_at(SR) & SR_BSY)) *word_at(CR) = value;
}

/* @returns `failed` if the controller says that the last operation did */
static inline uint32_t finish(uint32_t loops, uint32_t failed) {
  uint32_t status = wait_idle(SR, SR_BSY, loops);
  uint32_t flags = *word_at(SR) & (SR_PGERR | SR_WRPRTERR);
  clear_flags();
  if (status != STATUS_OK) return status;
  if (flags & SR_WRPRTERR) return STATUS_PROTECTED;
  return flags ? failed : STATUS_OK;
}

static inline uint32_t driver_init(uint32_t *state) {
  (void)state;
  uint32_t status = wait_idle(SR, SR_BSY, ERASE_LOOPS);
  if (status != STATUS_OK) return status;
  status = unlock(KEYR, CR, CR_LOCK);
  clear_flags();
  return status;
}

static inline uint32_t driver_done(uint32_t *state) {
  (void)state;
  set_control(CR_LOCK);
  return STATUS_OK;
}

static inline uint32_t driver_erase(uint32_t *state, uint32_t address, uint32_t bytes) {
  uint32_t status = STATUS_OK;
  *word_at(CR) = CR_PER;
  for (uint32_t end = address + bytes; status == STATUS_OK && address < end; address += state[0]) {
    *word_at(AR) = address;
    *word_at(CR) = CR_PER | CR_STRT;
    barrier();
    /* BSY comes a cycle after STRT: this read is that cycle. */
    (void)*word_at(SR);
    status = finish(ERASE_LOOPS, STATUS_ERASE);
  }
  set_control(0);
  return status;
}

/* Half-words only: a wider store is a bus error. */
static inline uint32_t driver_program(uint32_t *state, uint32_t address, const uint32_t *words, uint32_t bytes) {
  (void)state;
  uint32_t status = STATUS_OK;
  const uint16_t *from = (const uint16_t *)(const void *)words;
  *word_at(CR) = CR_PG;
  for (uint32_t end = address + bytes; status == STATUS_OK && address < end; address += 2) {
    *half_at(address) = *from++;
    barrier();
    status = finish(PROGRAM_LOOPS, STATUS_PROGRAM);
  }
  set_control(0);
  return status;
}
