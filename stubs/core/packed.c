/* PACKED: operations that come deflated. Knows the two ends of the inflater, not what it does between. */
#include "core.h"

enum progress packed_step(enum progress waits_for) {
  return waits_for;
}

enum progress op_packed(void) {
  op.status = STATUS_NO_INFLATE;
  return CO_DONE;
}
