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
    uint32_t count;
    const uint8_t *from = take_bytes(&count);
    hw_work(HW_WORK_COPY, count);
    hw_ram_write(op.address, from, count);
    op.address += count;
    CO_YIELD(count > 0 ? CO_MORE : CO_INPUT);
  }
  CO_END;
}
