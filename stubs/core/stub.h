/* The core's two entries. A chip's main loop is: stub_start(); for (;;) stub_step(); */
#ifndef STUB_H
#define STUB_H

#include <stdint.h>

enum stub_wait {
  STUB_MORE,  /* there is more to do now */
  STUB_INPUT, /* nothing to do until bytes come in or stub_deadline() has come */
  STUB_FLASH, /* nothing to do until bytes come in, the flash is ready or stub_deadline() has come */
};

void stub_start(void);
/* One unit of work: at most 0.3 ms at 40 MHz. */
enum stub_wait stub_step(void);
/* hw_micros() at which something falls due; only meaningful after a wait, and then at most 1 s ahead. */
uint32_t stub_deadline(void);

#endif
