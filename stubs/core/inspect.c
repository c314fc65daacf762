/* Reads the flash, and erases ahead. */
#include "core.h"

#define READ_BYTES 256u

static uint32_t smaller(uint32_t a, uint32_t b) {
  return a < b ? a : b;
}

/* Arguments: address, bytes still to come. */
enum progress op_read(void) {
  CO_BEGIN(op.place);
  if (!flash_has(op.argument[0], op.argument[1])) return CO_DONE;
  op.address = op.argument[0];
  do {
    CO_AWAIT(transmit_room(REPLY_ROOM), CO_ROOM);
    op.to = put_u32(reply_bytes + REPLY_DATA, op.address - op.argument[0]);
    op.left = smaller(op.argument[1], READ_BYTES);
    op.argument[1] -= op.left;
    CO_CALL(copy_flash());
    CO_YIELD(CO_MORE); /* coding it is a step's work */
    reply(op.to);
    CO_YIELD(CO_MORE);
  } while (op.argument[1] > 0);
  CO_END;
}

/* Looks at the pieces of the sector from op.left on until one is not blank. CO_DONE: so many bytes are. */
static enum progress seek_used(void) {
  for (uint32_t budget = STEP_BYTES / PIECE_BYTES; budget > 0; budget--) {
    uint32_t count;
    if (op.left == SECTOR_BYTES || !is_blank(flash_bytes(op.address + op.left, PIECE_BYTES, &count))) return CO_DONE;
    op.left += PIECE_BYTES;
  }
  return CO_MORE;
}

/* Arguments: sector, sectors still to come. */
enum progress op_erase(void) {
  CO_BEGIN(op.place);
  if (op.argument[0] > flash.size / SECTOR_BYTES || op.argument[1] > flash.size / SECTOR_BYTES - op.argument[0]) {
    op.status = STATUS_OUTSIDE;
    return CO_DONE;
  }
  op.count = 0;
  op.argument[2] = 0; /* microseconds */
  for (op.address = op.argument[0] * SECTOR_BYTES; op.argument[1] > 0; op.argument[1]--, op.address += SECTOR_BYTES) {
    op.left = 0;
    flash.until = op.address + SECTOR_BYTES;
    CO_CALL(seek_used());
    if (op.left < SECTOR_BYTES) {
      op.argument[3] = hw_micros();
      CO_CALL(flash_write(FLASH_SECTOR, op.address, 0));
      if (op.status != STATUS_DONE) return CO_DONE;
      op.argument[2] += hw_micros() - op.argument[3];
      op.count++;
    }
  }
  CO_AWAIT(transmit_room(REPLY_ROOM), CO_ROOM);
  reply(put_u32(put_u32(reply_bytes + REPLY_DATA, op.count), op.argument[2]));
  CO_END;
}
