/* What is done at once, also while operations run: HELLO, PING, and the order to change the rate. */
#include <stddef.h>
#include "core.h"

#define PROTOCOL 1u
#define FEATURE_INFLATE 1u
#define FEATURE_WRITE 2u
#define FEATURE_DUAL 4u

static struct {
  bool pending;
  uint32_t size;
} hello;

/* As it goes out; little-endian as every processor it runs on. */
static struct hello_answer {
  uint8_t type, seq, op, status;
  uint32_t nonce;
  uint8_t protocol, chip;
  uint16_t nothing;
  uint32_t ring_bytes, block_bytes, save_bytes, flash_id, features, build, micros;
  uint32_t crc;
} hello_answer = {
  .op = CONTROL_HELLO,
  .status = STATUS_DONE,
  .protocol = PROTOCOL,
  .ring_bytes = RING_BYTES,
  .block_bytes = BLOCK_BYTES,
  .save_bytes = SAVE_BYTES,
  .build = STUB_BUILD,
};

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers on the wire are little-endian");

struct rate rate;

/* Says hello by itself. */
void control_start(void) {
  hello.pending = true;
}

/* Without room for the answer it is as if it had not come: the host asks again. */
void control(const struct control *frame, uint32_t count) {
  if (count == 0 || !transmit_room(SMALL_ROOM)) return;
  if (frame->op == CONTROL_HELLO && count == 9) {
    hello.pending = true;
    hello.size = frame->argument[1];
    hello_answer.seq = frame->seq;
    hello_answer.nonce = frame->argument[0];
    return;
  }
  uint8_t answer[HEAD_BYTES + 2 + CRC_BYTES];
  answer[HEAD_BYTES] = frame->op;
  answer[HEAD_BYTES + 1] = STATUS_DONE;
  if (frame->op == CONTROL_PING && count == 1) transmit_ack();
  else if (!RATE_IN_BOOT && !hw_part_loaded(HW_PART_WRITE)) answer[HEAD_BYTES + 1] = STATUS_NOT_LOADED;
  else answer[HEAD_BYTES + 1] = (uint8_t)control_other(frame, count);
  transmit(answer, FRAME_ANSWER, frame->seq, HEAD_BYTES + 2);
}

static void answer_hello(void) {
  hello_answer.chip = hw_chip();
  hello_answer.flash_id = hw_flash_id();
  hello_answer.features = hw_part_loaded(HW_PART_INFLATE) * FEATURE_INFLATE | hw_part_loaded(HW_PART_WRITE) * FEATURE_WRITE |
                          flash.dual * FEATURE_DUAL;
  hello_answer.micros = now;
  transmit(&hello_answer.type, FRAME_ANSWER, hello_answer.seq, offsetof(struct hello_answer, crc));
}

/* CO_DONE: operations may go on. */
enum progress control_step(void) {
  if (rate.state != RATE_SETTLED) rate_step();
  if (!hello.pending) return CO_DONE;
  if (!flash_ready()) return CO_FLASH; /* the operation under way is dropped, but not in the middle of an erase */
  if (!transmit_room(REPLY_ROOM)) return CO_ROOM;
  flash_reset(hello.size);
  /* Beyond its time limit it may be busy. */
  if (DATA_LINES > 1 && !flash.busy && flash.size > BLOCK_ERASE_BYTES) flash_choose_lines();
  operations_drop();
  receive_reset();
  transmit_reset();
  answer_hello();
  hello.pending = false;
  return CO_MORE;
}
