/* What is known of the block under way outside of the write part: nothing of it, mostly. */
#include "core.h"

struct block block;
uint32_t laps[LAPS];
uint32_t lap_began;
uint32_t cursor;

/* Counts the time since the last call for `what`. */
void lap(enum lap what) {
  uint32_t time = hw_micros();
  laps[what] += time - lap_began;
  lap_began = time;
}

void compose_reset(void) {
  block.length = 0;
  block.filled = 0;
  block.settled = 0;
  block.checked = 0;
}

/* After HELLO. */
void compose_start(void) {
  compose_reset();
  cursor = 0;
}

/* Takes some more of the composed bytes into the CRC. False: there are none. */
bool compose_check(void) {
  if (block.settled == block.checked) return false;
  compose_crc();
  return true;
}
