/* PACKED: operations that come deflated. Knows the two ends of the inflater, not what it does between. */
#include "packed.h"

static uint8_t window_bytes[WINDOW_BYTES];
struct ring window = {window_bytes, WINDOW_BYTES - 1, 0, 0};
uint32_t packed_left;

/* After an operation's step while operations come out of the inflater: also runs it ahead while they wait for something else. */
enum progress packed_step(enum progress waits_for) {
  uint32_t before = window.in;
  enum progress progress = inflate_step();
  if (progress == CO_MORE) return CO_MORE;
  if (waits_for != CO_INPUT) return waits_for;
  if (window.in != before) return CO_MORE;
  if (progress == CO_INPUT) return CO_INPUT;
  source = &wire;
  if (op.begun || window.in != window.out || !inflate_is_clean()) {
    op.status = STATUS_NOT_DEFLATE;
    op.begun = true;
    op.running = true;
  }
  return CO_MORE;
}

enum progress op_packed(void) {
  if (!hw_part_loaded(HW_PART_INFLATE)) op.status = STATUS_NOT_LOADED;
  else if (source != &wire) op.status = STATUS_DOES_NOT_FIT;
  else {
    window.in = 0;
    window.out = 0;
    packed_left = op.argument[0];
    inflate_start();
    source = &window;
  }
  return CO_DONE;
}
