/* Says what stands in the flash, unit by unit. */
#include "core.h"

/* The protocol allows twice as much; so much a step has time to code. */
#define HASH_UNITS 32u
#define MOST_UNIT 65536u

static uint32_t crc;
static bool blank;
static uint32_t first; /* unit of the reply */
static uint8_t bitmap[HASH_UNITS / 8];

static uint32_t smaller(uint32_t a, uint32_t b) {
  return a < b ? a : b;
}

/* n units lie in the flash. No product here overflows: a flash has at most 4096 sectors, a unit at most 65536 bytes. */
static bool has_units(uint32_t address, uint32_t n, uint32_t unit) {
  if (unit == 0 || unit > MOST_UNIT) op.status = STATUS_DOES_NOT_FIT;
  else if (!flash_has(address, n) || (n / SECTOR_BYTES) * unit > flash_size / SECTOR_BYTES || !flash_has(address, n * unit))
    op.status = STATUS_OUTSIDE;
  return op.status == STATUS_DONE;
}

static enum progress hash_unit(void) {
  for (uint32_t budget = STEP_BYTES; budget > 0 && op.left > 0;) {
    uint32_t count;
    const uint8_t *from = flash_bytes(op.address, smaller(op.left, budget), &count);
    crc = crc_add(crc, from, count);
    for (uint32_t index = 0; blank && index < count; index++) blank = from[index] == 0xFF;
    op.address += count;
    op.left -= count;
    budget -= count;
  }
  return op.left > 0 ? CO_MORE : CO_DONE;
}

static void reply_hash(void) {
  uint8_t *to = put_u32(reply_bytes + REPLY_DATA, first);
  *to++ = (uint8_t)op.count;
  to += 4 * op.count;
  for (uint32_t index = 0; index < (op.count + 7) / 8; index++) *to++ = bitmap[index];
  reply(to);
  first += op.count;
}

/* Arguments: address, units still to come, unit. */
enum progress op_hash(void) {
  CO_BEGIN(op.place);
  if (!has_units(op.argument[0], op.argument[1], op.argument[2])) return CO_DONE;
  op.address = op.argument[0];
  first = 0;
  do {
    for (op.count = 0; op.count < HASH_UNITS && op.argument[1] > 0; op.count++, op.argument[1]--) {
      crc = CRC_START;
      blank = true;
      op.left = op.argument[2];
      CO_CALL(hash_unit());
      put_u32(reply_bytes + REPLY_DATA + 5 + 4 * op.count, ~crc);
      if (op.count % 8 == 0) bitmap[op.count / 8] = 0;
      bitmap[op.count / 8] |= (uint8_t)(blank << op.count % 8);
      CO_YIELD(CO_MORE);
    }
    CO_AWAIT(transmit_room(REPLY_ROOM), CO_ROOM);
    reply_hash();
    CO_YIELD(CO_MORE);
  } while (op.argument[1] > 0);
  CO_END;
}
