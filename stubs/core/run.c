/* Registers for the host, and carrying out what it has put into RAM. */
#include "core.h"

static enum progress reply_value(void) {
  reply(put_u32(reply_bytes + REPLY_DATA, op.number));
  return CO_DONE;
}

enum progress op_reg(void) {
  if (!transmit_room(REPLY_ROOM)) return CO_ROOM;
  op.number = hw_register(op.argument[0], op.argument[1], op.argument[2]);
  return reply_value();
}

enum progress op_call(void) {
  if (!transmit_room(REPLY_ROOM)) return CO_ROOM;
  op.number = hw_call(op.argument[0], op.argument + 1);
  return reply_value();
}

enum progress op_run(void) {
  CO_BEGIN(op.place);
  CO_AWAIT(transmit_room(REPLY_ROOM), CO_ROOM);
  reply(reply_bytes + REPLY_DATA);
  CO_AWAIT(transmit_idle(), CO_ROOM);
  hw_run(op.argument[0]);
  CO_END;
}
