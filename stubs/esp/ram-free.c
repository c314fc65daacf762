/* Where the host's programs may stand: in RAM, but not where the stub is, under none of the addresses at which that shows. */
#include "hw.h"
#include "registers.h"

#ifndef CODE_MINUS_DATA
#define CODE_MINUS_DATA 0
#endif

/* From the link script. */
extern uint32_t stub_text_start[], stub_text_end[], stub_data_start[], stub_data_end[], stub_bss_start[], stub_bss_end[];

static bool is_in(uint32_t address, uint32_t count, uint32_t start, uint32_t end) {
  return address >= start && address <= end && count <= end - address;
}

/* One number for each byte of RAM: where code and data buses show the same memory, the data bus's. */
static uint32_t place(uint32_t address) {
#if CODE_MINUS_DATA != 0
  if (address - CODE_START < CODE_END - CODE_START) return address - CODE_MINUS_DATA;
#endif
  return address;
}

static bool apart(uint32_t address, uint32_t count, uint32_t start, uint32_t end) {
  return address + count <= start || address >= end;
}

bool ram_is_free(uint32_t address, uint32_t count) {
  bool is_ram = is_in(address, count, RAM_START, RAM_END);
#ifdef CODE_START
  is_ram = is_ram || is_in(address, count, CODE_START, CODE_END);
#endif
  uint32_t from = place(address);
  return is_ram && apart(from, count, place((uint32_t)stub_text_start), place((uint32_t)stub_text_end)) &&
         apart(from, count, (uint32_t)stub_data_start, (uint32_t)stub_data_end) &&
         apart(from, count, (uint32_t)stub_bss_start, (uint32_t)stub_bss_end);
}
