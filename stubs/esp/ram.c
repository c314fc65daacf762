/* RAM and registers for the host, and the parts that are loaded later. Knows where the stub itself lies. */
#include "hw.h"
#include "registers.h"

#ifndef UNCACHED_OFFSET
#define UNCACHED_OFFSET 0
#endif
/* From the link script. */
extern uint32_t stub_text_start[], stub_data_start[], write_is_there[], inflate_is_there[];

static volatile uint32_t *last_word(enum hw_part part) {
  return at((uint32_t)(part == HW_PART_WRITE ? write_is_there : inflate_is_there) + UNCACHED_OFFSET);
}

/* What an earlier stub has left there is not this one's. */
void ram_start(void) {
  *last_word(HW_PART_WRITE) = 0;
  *last_word(HW_PART_INFLATE) = 0;
}

bool hw_part_loaded(enum hw_part part) {
  return *last_word(part) != 0;
}

static bool inside(uint32_t address, uint32_t count, uint32_t start, uint32_t end) {
  return address - start <= end - start && count <= end - address;
}

/* Until there is more of us than the boot part: where the other parts go, and nowhere else. They lie in front of it. */
bool hw_ram_writable(uint32_t address, uint32_t count) {
  return inside(address, count, TEXT_START, (uint32_t)stub_text_start) || inside(address, count, DATA_START, (uint32_t)stub_data_start) ||
         (hw_part_loaded(HW_PART_WRITE) && ram_is_free(address, count));
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
