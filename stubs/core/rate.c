/* The change of the UART's rate, and its way back when nobody follows. */
#include "core.h"

/* Without an intact frame at the new rate. */
#define PROBATION_US 200000u
#define POLL_US 250u

static void change_rate(void) {
  uint32_t old = hw_divider();
  hw_set_divider(rate.divider);
  rate.divider = old;
  receive_forget_frame();
}

void rate_step(void) {
  if (rate.state == RATE_ANSWERED) {
    fall_due(now + POLL_US);
    if (!transmit_idle()) return;
    change_rate();
    rate.state = RATE_ON_TRIAL;
    rate.since = now;
  } else {
    fall_due(rate.since + PROBATION_US);
    if (!has_passed(rate.since, PROBATION_US)) return;
    change_rate();
    rate.state = RATE_SETTLED;
  }
}

enum status control_other(const struct control *frame, uint32_t count) {
  if (frame->op - 1u >= CONTROL_PING) return STATUS_NO_SUCH;
  if (frame->op != CONTROL_BAUD || count != 5) return STATUS_DOES_NOT_FIT;
  rate.divider = frame->argument[0];
  rate.state = RATE_ANSWERED;
  return STATUS_DONE;
}
