/*
 * Flash of the RP2040 by the functions of its boot ROM: RP2040 Datasheet, chapter 2.8.3. The ROM's
 * own waits have no bound; the host's deadline is theirs.
 */
#define DRIVER_ID 2
#define PROGRAM_UNIT 256
#include "rp2040.h"

/* Words of the driver's state: functions. */
enum { CONNECT_FLASH, EXIT_XIP, FLUSH_CACHE, ENTER_XIP, RANGE_ERASE, RANGE_PROGRAM };

/* Where the ROM's table of {two letters, function} is; it ends with 0. */
#define TABLE_POINTER 0x14u
#define BLOCK_BYTES 65536u
#define BLOCK_ERASE 0xD8u

typedef void (*rom_call)(void);
typedef void (*rom_erase)(uint32_t offset, uint32_t bytes, uint32_t block_bytes, uint32_t block_command);
typedef void (*rom_program)(uint32_t offset, const uint32_t *words, uint32_t bytes);

/* 0 where there is none. */
static uint32_t find_function(uint32_t code) {
  uint32_t at = *half_at(TABLE_POINTER);
  while (*half_at(at) != 0 && *half_at(at) != code) at += 4;
  return *half_at(at) == 0 ? 0 : *half_at(at + 2);
}

static void begin(const uint32_t *state) {
  ((rom_call)state[CONNECT_FLASH])();
  ((rom_call)state[EXIT_XIP])();
}

static void end(const uint32_t *state) {
  ((rom_call)state[FLUSH_CACHE])();
  ((rom_call)state[ENTER_XIP])();
  *word_at(SSI_SSIENR) = 0;
  *word_at(SSI_BAUDR) = FASTEST_DIVIDER;
  *word_at(SSI_SSIENR) = 1;
}

static inline uint32_t driver_init(uint32_t *state) {
  state[CONNECT_FLASH] = find_function('I' | 'F' << 8);
  state[EXIT_XIP] = find_function('E' | 'X' << 8);
  state[FLUSH_CACHE] = find_function('F' | 'C' << 8);
  state[ENTER_XIP] = find_function('C' | 'X' << 8);
  state[RANGE_ERASE] = find_function('R' | 'E' << 8);
  state[RANGE_PROGRAM] = find_function('R' | 'P' << 8);
  for (uint32_t index = 0; index < DRIVER_WORDS; index++)
    if (state[index] == 0) return STATUS_NO_SUCH;
  park_core_1();
  raise_clock();
  begin(state);
  uint32_t status = finish();
  end(state);
  return status;
}

static inline uint32_t driver_done(uint32_t *state) {
  (void)state;
  return STATUS_OK;
}

static inline uint32_t driver_erase(uint32_t *state, uint32_t address, uint32_t bytes) {
  begin(state);
  ((rom_erase)state[RANGE_ERASE])(address - XIP_BASE, bytes, BLOCK_BYTES, BLOCK_ERASE);
  end(state);
  return STATUS_OK;
}

static inline uint32_t driver_program(uint32_t *state, uint32_t address, const uint32_t *words, uint32_t bytes) {
  begin(state);
  ((rom_program)state[RANGE_PROGRAM])(address - XIP_BASE, words, bytes);
  end(state);
  return STATUS_OK;
}
