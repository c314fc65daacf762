/*
 * The stream of operations: takes one after the other off the wire or out of the inflater, and carries it out until it waits for
 * something. Knows what arguments an operation has, not what it does.
 */
#include "core.h"

/* Of the boot part: what it takes to look at the flash, to load the other parts and to change the rate. */
static const struct kind boot_kinds[] = {
  {op_hash, ARGUMENTS(NUMBER_V, NUMBER_V, NUMBER_V, 0, 0), 0x11, true},
  {op_ram, ARGUMENTS(NUMBER_U32, NUMBER_V, 0, 0, 0), 0x40, false},
  {op_reg, ARGUMENTS(NUMBER_U32, NUMBER_U32, NUMBER_U32, 0, 0), 0x42, true},
  {0, 0, 0, false},
};

struct operation op;
struct block block;
uint32_t cursor;
#ifndef AREAS
struct ring *source = &wire;
#endif
uint8_t reply_bytes[REPLY_BYTES];
static const struct kind *kind;
static uint8_t reply_seq;
static bool starving;

/* Of a number. */
static const uint8_t most_bits[] = {[NUMBER_V] = 35, [NUMBER_U32] = 32, [NUMBER_U8] = 8};

bool operations_starving(void) {
  return starving;
}

/* What lies in one piece in the source, at most `most` bytes; they are taken. */
const uint8_t *take_bytes(uint32_t most, uint32_t *count) {
  uint32_t at = source->out & source->mask;
  uint32_t here = source->in - source->out;
  if (here > source->mask + 1 - at) here = source->mask + 1 - at;
  if (here > most) here = most;
  source->out += here;
  *count = here;
  return source->bytes + at;
}

/* Takes a number into op.number. False: its end is still to come. */
bool take_number(enum number number) {
  if (op.number_ended) {
    op.number = 0;
    op.shift = 0;
  }
  for (op.number_ended = false; !op.number_ended;) {
    if (source->out == source->in) return false;
    uint32_t byte = source->bytes[source->out++ & source->mask];
    uint32_t bits = 8;
    if (number == NUMBER_V) {
      bits = 7;
      op.number_ended = byte < 0x80;
      if (op.shift == 28 && byte > 15) op.status = STATUS_DOES_NOT_FIT;
      byte &= 0x7F;
    }
    op.number |= byte << op.shift;
    op.shift += bits;
    op.number_ended |= op.shift >= most_bits[number];
  }
  return true;
}

static const struct kind *find(const struct kind *one, uint8_t code) {
  while (one->code != 0 && one->code != code) one++;
  return one;
}

/* Sets the operation's status if there is none. */
static void find_kind(void) {
  kind = find(boot_kinds, op.code);
  if (kind->code != 0) return;
  if (!hw_part_loaded(HW_PART_WRITE)) op.status = STATUS_NOT_LOADED;
  else if ((kind = find(write_kinds, op.code))->code == 0) op.status = STATUS_NO_SUCH;
}

/* Takes code and arguments. False: there are more to come. */
static bool take_head(void) {
  if (!op.begun) {
    if (!take_number(NUMBER_U8)) return false;
    op.begun = true;
    op.code = (uint8_t)op.number;
    op.arguments = 0;
    find_kind();
  }
  while (op.status == STATUS_DONE) {
    enum number number = kind->arguments >> 2 * op.arguments & 3;
    if (number == NUMBER_END) break;
    if (!take_number(number)) return false;
    op.argument[op.arguments++] = op.number;
  }
  return true;
}

/* Sends reply_bytes up to `end`. Only called with room. */
void reply(const uint8_t *end) {
  reply_bytes[0] = (uint8_t)op.done;
  reply_bytes[1] = (uint8_t)(op.done >> 8);
  reply_bytes[2] = op.code;
  reply_bytes[3] = op.status;
  transmit(FRAME_REPLY, reply_seq++, reply_bytes, (uint32_t)(end - reply_bytes));
}

static void end_operation(void) {
  op.begun = false;
  op.running = false;
  op.number_ended = true;
  op.place = 0;
  op.status = STATUS_DONE;
}

/* For a new stream. */
void operations_drop(void) {
  if (op.running) {
    op.status = STATUS_DROPPED;
    reply(reply_bytes + REPLY_DATA);
  }
  end_operation();
  source = &wire;
  op.done = 0;
  op.failure = STATUS_DONE;
  reply_seq = 0;
  forget_block();
  cursor = 0;
}

static enum progress finish(void) {
  if (op.status != STATUS_DONE) {
    if (!transmit_room(REPLY_ROOM)) return CO_ROOM;
    uint8_t *end = reply_bytes + REPLY_DATA;
    if (op.status == STATUS_VERIFY) end = put_u32(end, op.address);
    reply(end);
    op.failure = op.status;
    source = &wire;
    transmit_ack();
  } else {
    op.done++;
    block.settled = block.filled;
    if (kind->replies) transmit_ack();
  }
  end_operation();
  return CO_MORE;
}

static enum progress carry_out(void) {
  op.budget = STEP_BYTES;
  if (op.failure != STATUS_DONE) {
    wire.out = wire.in;
    return CO_INPUT;
  }
  if (!op.running) {
    if (!take_head()) return CO_INPUT;
    op.running = true;
    if (op.code < OP_COPY || op.code > OP_SAVED) flash_start(); /* these only go on reading */
  }
  if (op.status == STATUS_DONE && !flash_ready()) return CO_FLASH;
  if (op.status == STATUS_DONE) {
    enum progress progress = kind->carry_out();
    if (progress != CO_DONE) return progress;
  }
  return finish();
}

/* One step of whatever is to be done. */
enum progress operate(void) {
  if (starving && wire.in != wire.out) {
    starving = false;
    if (block.length > 0) lap(LAP_STARVED);
  }
  enum progress progress = carry_out();
  if (source != &wire && progress != CO_MORE) progress = packed_step(progress);
  if (progress != CO_INPUT) return progress;
  if (!starving && block.length > 0) lap(LAP_COMPOSE);
  starving = true;
  return block.length > 0 && compose_check() ? CO_MORE : CO_INPUT; /* time for what COMMIT would have to do */
}
