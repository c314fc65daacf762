/* Carries out what the host has put into RAM. */
#include "core.h"

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
