/* Between the inflate part, which may be linked and loaded apart, and the rest of the core. */
#ifndef PACKED_H
#define PACKED_H

#include "core.h"

#define WINDOW_BYTES 32768u

/* What came out; deflate looks back as far as all of it, so it may run ahead of who takes it by as much. */
extern struct ring window;
/* Bytes of the PACKED that are still to be taken off the wire. */
extern uint32_t packed_left;

/* inflate.c. A step is 12,000 cycles at most. CO_DONE: it ended, and inflate_is_clean says how. */
LATER_PART void inflate_start(void);
LATER_PART enum progress inflate_step(void);
LATER_PART bool inflate_is_clean(void);

#endif
