/* Where the patch machine's areas are: in the work area that the host gave the loader. For ../core, which includes this. */
#ifndef AREAS_H
#define AREAS_H

#include <stdint.h>

/* Everything is linked into one program, so that nothing need be looked up in a table of addresses. */
#pragma GCC visibility push(hidden)

extern struct areas {
  uint32_t *block;
  uint32_t *save;
  uint32_t block_size;
  uint32_t save_size;
} areas;

#define block_words areas.block
#define save_words areas.save
#define BLOCK_BYTES areas.block_size
#define SAVE_BYTES areas.save_size

#endif
