/* Says what stands in the flash, unit by unit. */
#include "core.h"

/* The protocol allows twice as much; so much a step has time to code. */
#define HASH_UNITS 32u
#define MOST_UNIT 65536u
#define BLANK_SO_FAR 0xFFFFFFFFu

static uint32_t crc;
static uint32_t common; /* bits that are set in every byte */
static uint32_t first;  /* unit of the reply */
static uint32_t bitmap;

static enum progress hash_unit(void) {
  for (uint32_t budget = STEP_BYTES / PIECE_BYTES; budget > 0 && op.left > 0; budget--) {
    uint32_t count;
    const uint8_t *from = flash_bytes(op.address, op.left, &count);
    crc = crc_add(crc, from, count);
    op.address += count;
    op.left -= count;
    for (const uint8_t *end = from + count; from < end;) common &= *from++ | ~0xFFu;
  }
  return op.left > 0 ? CO_MORE : CO_DONE;
}

/* Arguments: address, units still to come, unit. */
enum progress op_hash(void) {
  CO_BEGIN(op.place);
  op.address = op.argument[0];
  first = 0;
  if (op.argument[2] - 1 >= MOST_UNIT) op.status = STATUS_DOES_NOT_FIT;
  do {
    op.count = op.argument[1] < HASH_UNITS ? op.argument[1] : HASH_UNITS;
    op.argument[1] -= op.count;
    put_u32(reply_bytes + REPLY_DATA, first)[0] = (uint8_t)op.count;
    op.to = reply_bytes + REPLY_DATA + 5;
    bitmap = 0;
    first += op.count;
    for (op.argument[3] = 0; op.argument[3] < op.count; op.argument[3]++) {
      op.left = op.argument[2];
      if (op.status != STATUS_DONE || !flash_has(op.address, op.left)) return CO_DONE;
      crc = CRC_START;
      common = BLANK_SO_FAR;
      CO_CALL(hash_unit());
      op.to = put_u32(op.to, ~crc);
      bitmap |= (uint32_t)(common == BLANK_SO_FAR) << op.argument[3];
      CO_YIELD(CO_MORE);
    }
    CO_AWAIT(transmit_room(REPLY_ROOM), CO_ROOM);
    put_u32(op.to, bitmap);
    reply(op.to + (op.count + 7) / 8);
    CO_YIELD(CO_MORE);
  } while (op.argument[1] > 0);
  CO_END;
}
