/*
 * The stream of operations: takes one after the other off the wire or out of the inflater, and carries it out until it waits for
 * something. Knows what arguments an operation has, not what it does.
 */
#include "core.h"

/* Of the boot part: what it takes to look at the flash and to load the other parts. */
static const struct kind boot_kinds[] = {
  {op_hash, 3, 0x11, true},
  {op_ram, 2, 0x40, false},
  {0, 0, 0, false},
};

struct operation op;
struct block block;
#ifndef AREAS
struct ring *source = &wire;
#endif
uint8_t reply_bytes[REPLY_BYTES];

/* Takes of the op.left bytes what lies in one piece in the source and this step still has time for. */
const uint8_t *take_bytes(uint32_t *count) {
  uint32_t at = source->out & source->mask;
  uint32_t here = source->mask + 1 - at;
  if (here > source->in - source->out) here = source->in - source->out;
  if (here > op.left) here = op.left;
  if (here > op.budget) here = op.budget;
  source->out += here;
  op.left -= here;
  op.budget -= here;
  *count = here;
  return source->bytes + at;
}

/* Takes a number into op.number, as soon as all of it is there. */
bool take_number(void) {
  uint32_t at = source->out;
  uint32_t number = 0;
  uint32_t shift = 0;
  uint32_t byte;
  do {
    if (at == source->in) return false;
    byte = source->bytes[at++ & source->mask];
    if (shift == 28 && byte > 15) op.status = STATUS_DOES_NOT_FIT;
    number |= (byte & 0x7F) << shift;
    shift += 7;
  } while (byte >= 0x80 && op.status == STATUS_DONE);
  source->out = at;
  op.number = number;
  return true;
}

/* `code` as it came: it may be any number. */
static const struct kind *find(const struct kind *one, uint32_t code) {
  while (one->code != 0 && one->code != code) one++;
  return one;
}

/* Sets the operation's status if there is none. */
static void find_kind(void) {
  op.kind = find(boot_kinds, op.number);
  if (op.kind->code != 0) return;
  if (!hw_part_loaded(HW_PART_WRITE)) op.status = STATUS_NOT_LOADED;
  else if ((op.kind = find(write_kinds, op.number))->code == 0) op.status = STATUS_NO_SUCH;
}

/* Takes code and arguments. False: there are more to come. */
static bool take_head(void) {
  if (!op.begun) {
    if (!take_number()) return false;
    op.begun = true;
    op.code = (uint8_t)op.number;
    op.arguments = 0;
    find_kind();
  }
  while (op.status == STATUS_DONE && op.arguments < op.kind->arguments) {
    if (!take_number()) return false;
    op.argument[op.arguments++] = op.number;
  }
  return true;
}

/* Sends reply_bytes up to `end`. Only called with room. */
void reply(const uint8_t *end) {
  put_u32(reply_bytes + HEAD_BYTES, op.done | (uint32_t)op.code << 16 | (uint32_t)op.status << 24);
  transmit(reply_bytes, FRAME_REPLY, op.reply_seq++, (uint32_t)(end - reply_bytes));
}

static void end_operation(void) {
  op.begun = false;
  op.running = false;
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
  op.reply_seq = 0;
  forget_block();
  block.cursor = 0;
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
    if (op.kind->replies) transmit_ack();
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
    enum progress progress = op.kind->carry_out();
    if (progress != CO_DONE) return progress;
  }
  return finish();
}

/* One step of whatever is to be done. */
enum progress operate(void) {
  if (op.starving && wire.in != wire.out) {
    op.starving = false;
    if (block.length > 0) lap(LAP_STARVED);
  }
  enum progress progress = carry_out();
  if (source != &wire && progress != CO_MORE) progress = packed_step(progress);
  if (progress != CO_INPUT) return progress;
  if (!op.starving && block.length > 0) lap(LAP_COMPOSE);
  op.starving = true;
  return block.length > 0 && compose_check() ? CO_MORE : CO_INPUT; /* time for what COMMIT would have to do */
}
