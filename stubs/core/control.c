/* What is done at once, also while operations run: HELLO, PING, and the order to change the rate. */
#include "core.h"

enum control_op { CONTROL_HELLO = 1, CONTROL_BAUD, CONTROL_PING };

#define PROTOCOL 1u
#define FEATURE_INFLATE 1u
#define FEATURE_WRITE 2u
#define FEATURE_DUAL 4u
static struct {
  bool pending;
  uint8_t seq;
  uint32_t nonce;
  uint32_t size;
} hello;

struct rate rate;

bool control_hello_pending(void) {
  return hello.pending;
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
void control(uint8_t seq, const uint32_t *words, uint32_t count) {
  static const uint8_t counts[] = {[CONTROL_HELLO] = 9, [CONTROL_BAUD] = 5, [CONTROL_PING] = 1};
  uint8_t code = (uint8_t)(words[0] >> 24);
  uint8_t status = STATUS_DONE;
  if (count == 0 || !transmit_room(SMALL_ROOM)) return;
  if (code - 1u >= CONTROL_PING) status = STATUS_NO_SUCH;
  else if (count != counts[code]) status = STATUS_DOES_NOT_FIT;
  else if (code == CONTROL_BAUD && !RATE_IN_BOOT && !hw_part_loaded(HW_PART_WRITE)) status = STATUS_NOT_LOADED;
  else if (code == CONTROL_HELLO) {
    hello.pending = true;
    hello.seq = seq;
    hello.nonce = words[1];
    hello.size = words[2];
    return;
  }
  answer(seq, code, status);
  if (status != STATUS_DONE) return;
  if (code == CONTROL_PING) transmit_ack();
  else {
    rate.divider = words[1];
    rate.state = RATE_ANSWERED;
  }
}

static uint32_t features(void) {
  return (hw_part_loaded(HW_PART_INFLATE) ? FEATURE_INFLATE : 0) | (hw_part_loaded(HW_PART_WRITE) ? FEATURE_WRITE : 0) |
         (flash_dual ? FEATURE_DUAL : 0);
}

static void answer_hello(void) {
  const uint32_t words[] = {RING_BYTES, BLOCK_BYTES, SAVE_BYTES, hw_flash_id(), features(), STUB_BUILD, now};
  uint8_t bytes[8 + sizeof words];
  uint8_t *to = bytes;
  *to++ = CONTROL_HELLO;
  *to++ = STATUS_DONE;
  to = put_u32(to, hello.nonce);
  *to++ = PROTOCOL;
  *to++ = hw_chip();
  for (uint32_t index = 0; index < sizeof words / 4; index++) to = put_u32(to, words[index]);
  transmit(FRAME_ANSWER, hello.seq, bytes, sizeof bytes);
}

/* CO_DONE: operations may go on. */
enum progress control_step(void) {
  if (rate.state != RATE_SETTLED) rate_step();
  if (!hello.pending) return CO_DONE;
  if (!flash_ready()) return CO_FLASH; /* the operation under way is dropped, but not in the middle of an erase */
  if (!transmit_room(REPLY_ROOM)) return CO_ROOM;
  flash_reset(hello.size);
  /* Beyond its time limit it may be busy. */
  if (DATA_LINES > 1 && !flash.busy && flash_size > BLOCK_ERASE_BYTES) flash_choose_lines();
  operations_drop();
  receive_reset();
  transmit_reset();
  answer_hello();
  hello.pending = false;
  return CO_MORE;
}
