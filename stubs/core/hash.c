/* Says what stands in the flash, unit by unit. */
#include "core.h"

/* So many a step has time to code. */
#define HASH_UNITS 32u
#define MOST_UNIT 65536u

/* Of one step, at some 600 cycles each. */
#define STEP_PIECES (STEP_BYTES / PIECE_BYTES)

/* Arguments: address, units still to come, unit. op.rest is the first unit of the reply, op.number the CRC so far. */
enum progress op_hash(void) {
  uint32_t budget = STEP_PIECES;
  CO_BEGIN(op.place);
  op.address = op.argument[0];
  op.rest = 0;
  if (op.argument[2] - 1 >= MOST_UNIT) op.status = STATUS_DOES_NOT_FIT;
  do {
    op.count = op.argument[1] < HASH_UNITS ? op.argument[1] : HASH_UNITS;
    op.argument[1] -= op.count;
    put_u32(reply_bytes + REPLY_DATA, op.rest)[0] = (uint8_t)op.count;
    op.to = reply_bytes + REPLY_DATA + 5;
    op.rest += op.count;
    for (; op.count > 0; op.count--) {
      op.left = op.argument[2];
      if (op.status != STATUS_DONE || !flash_has(op.address, op.left)) return CO_DONE;
      op.number = CRC_START;
      while (op.left > 0) {
        if (budget-- == 0) CO_YIELD(CO_MORE);
        uint32_t count;
        const uint8_t *from = flash_bytes(op.address, op.left, &count);
        op.number = crc_add(op.number, from, count);
        op.address += count;
        op.left -= count;
      }
      op.to = put_u32(op.to, ~op.number);
    }
    CO_YIELD(CO_MORE); /* coding it is a step's work */
    CO_AWAIT(transmit_room(REPLY_ROOM), CO_ROOM);
    reply(op.to);
  } while (op.argument[1] > 0);
  CO_END;
}
