/* What is done at once, also while operations run: HELLO, the change of rate and its way back, PING. */
#include "core.h"

enum control_op { CONTROL_HELLO = 1, CONTROL_BAUD, CONTROL_PING };

#define PROTOCOL 1u
#define FEATURE_INFLATE 1u
#define FEATURE_WRITE 2u
#define FEATURE_DUAL 4u
/* Without an intact frame at the new rate. */
#define PROBATION_US 200000u
#define POLL_US 250u

static struct {
  bool pending;
  uint8_t seq;
  uint32_t nonce;
  uint32_t size;
} hello;

static struct {
  enum { RATE_SETTLED, RATE_ANSWERED, RATE_ON_TRIAL } state;
  uint32_t divider; /* the new one; on trial: the old one */
  uint32_t since;
} rate;

static uint32_t get_u32(const uint8_t *from) {
  return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

bool control_hello_pending(void) {
  return hello.pending;
}

/* The answer must go out at the old rate and nothing behind it. */
bool control_changes_rate(void) {
  return rate.state == RATE_ANSWERED;
}

/* An intact frame. */
void control_heard(void) {
  if (rate.state == RATE_ON_TRIAL) rate.state = RATE_SETTLED;
}

/* Says hello by itself. */
void control_start(void) {
  hello.pending = true;
}

static void answer(uint8_t seq, uint8_t code, uint8_t status) {
  uint8_t bytes[2] = {code, status};
  transmit(FRAME_ANSWER, seq, bytes, sizeof bytes);
}

/* Without room for the answer it is as if it had not come: the host asks again. */
void control(uint8_t seq, const uint8_t *from, uint32_t count) {
  if (count == 0 || !transmit_room(SMALL_ROOM)) return;
  if (from[0] == CONTROL_HELLO && count == 9) {
    hello.pending = true;
    hello.seq = seq;
    hello.nonce = get_u32(from + 1);
    hello.size = get_u32(from + 5);
  } else if (from[0] == CONTROL_BAUD && count == 5) {
    answer(seq, from[0], STATUS_DONE);
    rate.divider = get_u32(from + 1);
    rate.state = RATE_ANSWERED;
  } else if (from[0] == CONTROL_PING && count == 1) {
    answer(seq, from[0], STATUS_DONE);
    transmit_ack();
  } else answer(seq, from[0], from[0] >= CONTROL_HELLO && from[0] <= CONTROL_PING ? STATUS_DOES_NOT_FIT : STATUS_NO_SUCH);
}

static uint32_t features(void) {
  return (hw_part_loaded(HW_PART_INFLATE) ? FEATURE_INFLATE : 0) | (hw_part_loaded(HW_PART_WRITE) ? FEATURE_WRITE : 0) |
         (flash_dual ? FEATURE_DUAL : 0);
}

static void answer_hello(void) {
  uint8_t bytes[36];
  uint8_t *to = bytes;
  *to++ = CONTROL_HELLO;
  *to++ = STATUS_DONE;
  to = put_u32(to, hello.nonce);
  *to++ = PROTOCOL;
  *to++ = hw_chip();
  to = put_u32(to, RING_BYTES);
  to = put_u32(to, BLOCK_BYTES);
  to = put_u32(to, SAVE_BYTES);
  to = put_u32(to, hw_flash_id());
  to = put_u32(to, features());
  to = put_u32(to, STUB_BUILD);
  to = put_u32(to, hw_micros());
  transmit(FRAME_ANSWER, hello.seq, bytes, (uint32_t)(to - bytes));
}

static void change_rate(void) {
  uint32_t old = hw_divider();
  hw_set_divider(rate.divider);
  rate.divider = old;
  receive_forget_frame();
}

static void step_rate(void) {
  if (rate.state == RATE_ANSWERED) {
    fall_due(now + POLL_US);
    if (!transmit_idle()) return;
    change_rate();
    rate.state = RATE_ON_TRIAL;
    rate.since = now;
  } else if (rate.state == RATE_ON_TRIAL) {
    fall_due(rate.since + PROBATION_US);
    if (!has_passed(rate.since, PROBATION_US)) return;
    change_rate();
    rate.state = RATE_SETTLED;
  }
}

/* CO_DONE: operations may go on. */
enum progress control_step(void) {
  step_rate();
  if (!hello.pending) return CO_DONE;
  if (!flash_ready()) return CO_FLASH; /* the operation under way is dropped, but not in the middle of an erase */
  if (!transmit_room(REPLY_ROOM)) return CO_ROOM;
  flash_reset(hello.size);
  if (DATA_LINES > 1 && !flash.busy) flash_choose_lines(); /* beyond its time limit it may be */
  operations_drop();
  receive_reset();
  transmit_reset();
  answer_hello();
  hello.pending = false;
  return CO_MORE;
}
