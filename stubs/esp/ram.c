/* RAM and registers for the host, and the parts that are loaded later. Knows where the stub itself lies. */
#include "hw.h"
#include "registers.h"

#ifndef UNCACHED_OFFSET
#define UNCACHED_OFFSET 0
#endif
#ifndef CODE_MINUS_DATA
#define CODE_MINUS_DATA 0
#endif

/* From the link script. */
extern uint32_t stub_text_start[], stub_text_end[], stub_data_start[], stub_data_end[], stub_bss_start[], stub_bss_end[], write_magic[], inflate_magic[];

static volatile uint32_t *magic_of(enum hw_part part) {
  return at((uint32_t)(part == HW_PART_WRITE ? write_magic : inflate_magic) + UNCACHED_OFFSET);
}

/* What an earlier stub has left there is not this one's. */
void ram_start(void) {
  *magic_of(HW_PART_WRITE) = 0;
  *magic_of(HW_PART_INFLATE) = 0;
}

bool hw_part_loaded(enum hw_part part) {
  return *magic_of(part) == PART_MAGIC;
}

/* One number for each byte of RAM: where code and data buses show the same memory, the data bus's. */
static uint32_t place(uint32_t address) {
#if CODE_MINUS_DATA != 0
  if (address - CODE_START < CODE_END - CODE_START) return address - CODE_MINUS_DATA;
#endif
  return address;
}

static bool inside(uint32_t address, uint32_t count, uint32_t start, uint32_t end) {
  return address >= start && address <= end && count <= end - address;
}

static bool apart(uint32_t address, uint32_t count, uint32_t start, uint32_t end) {
  return address + count <= start || address >= end;
}

bool hw_ram_writable(uint32_t address, uint32_t count) {
  bool is_ram = inside(address, count, RAM_START, RAM_END);
#ifdef CODE_START
  is_ram = is_ram || inside(address, count, CODE_START, CODE_END);
#endif
  uint32_t from = place(address);
  return is_ram && apart(from, count, place((uint32_t)stub_text_start), place((uint32_t)stub_text_end)) &&
         apart(from, count, (uint32_t)stub_data_start, (uint32_t)stub_data_end) &&
         apart(from, count, (uint32_t)stub_bss_start, (uint32_t)stub_bss_end);
}

/* By whole words: memory on a code bus knows nothing smaller. */
void hw_ram_write(uint32_t address, const uint8_t *from, uint32_t count) {
  address += UNCACHED_OFFSET;
  for (; count > 0; count--, address++) {
    uint32_t shift = (address & 3) * 8;
    uint32_t word = address & ~3u;
    set(word, (get(word) & ~(0xffu << shift)) | (uint32_t)*from++ << shift);
  }
}

uint32_t hw_register(uint32_t address, uint32_t value, uint32_t mask) {
  if (mask != 0) set(address, mask == 0xffffffffu ? value : (get(address) & ~mask) | (value & mask));
  return get(address);
}

uint8_t hw_chip(void) {
  return CHIP_ID;
}

void hw_work(enum hw_work kind, uint32_t bytes) {
  (void)kind;
  (void)bytes;
}
