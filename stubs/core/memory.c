/* RAM and registers: what it takes to load the other parts. What may be written is the chip's business. */
#include "core.h"

enum progress op_ram(void) {
  CO_BEGIN(op.place);
  op.address = op.argument[0];
  op.left = op.argument[1];
  if (!hw_ram_writable(op.address, op.left)) {
    op.status = STATUS_DOES_NOT_FIT;
    return CO_DONE;
  }
  while (op.left > 0) {
    const uint8_t *from = take_bytes(op.left < STEP_BYTES ? op.left : STEP_BYTES, &op.count);
    hw_work(HW_WORK_COPY, op.count);
    if (op.count > 0) hw_ram_write(op.address, from, op.count);
    op.address += op.count;
    op.left -= op.count;
    CO_YIELD(op.count > 0 ? CO_MORE : CO_INPUT);
  }
  CO_END;
}

enum progress reply_value(void) {
  reply(put_u32(reply_bytes + REPLY_DATA, op.number));
  return CO_DONE;
}

enum progress op_reg(void) {
  if (!transmit_room(REPLY_ROOM)) return CO_ROOM;
  op.number = hw_register(op.argument[0], op.argument[1], op.argument[2]);
  return reply_value();
}
