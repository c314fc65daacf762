/* Random streams of operations, and what the flash must hold after them. */
#ifndef STREAMS_H
#define STREAMS_H

#include <stdint.h>
#include "board.h"

#define STREAM_BYTES 0x80000u

struct stream {
  uint8_t bytes[STREAM_BYTES];
  uint32_t count;
  uint32_t ops;
  uint8_t status;    /* that it must end with */
  uint32_t ops_done; /* and how many must be done before */
  uint8_t expected[FLASH_BYTES];
};
extern struct stream stream;

/* A new one, for what the flash holds now. */
void stream_make(void);

#endif
