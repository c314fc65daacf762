/* One step of everything, and when the next one is due. */
#include "core.h"

/* Without anything that falls due. */
#define LONGEST_WAIT_US 1000000u

uint32_t now;
#ifndef NEVER_WAITS
static uint32_t deadline;

void fall_due(uint32_t time) {
  if ((int32_t)(time - deadline) < 0) deadline = time;
}

uint32_t stub_deadline(void) {
  return deadline;
}
#endif

void stub_start(void) {
  crc_start();
  receive_forget_frame();
  now = hw_micros();
  control_start();
}

enum stub_wait stub_step(void) {
  now = hw_micros();
#ifndef NEVER_WAITS
  deadline = now + LONGEST_WAIT_US;
#endif
  bool received = receive();
  enum progress progress = control_step();
  if (progress == CO_DONE) progress = operate();
  transmit_pump();
  if (received || progress == CO_MORE) return STUB_MORE;
  return progress == CO_FLASH ? STUB_FLASH : STUB_INPUT;
}
