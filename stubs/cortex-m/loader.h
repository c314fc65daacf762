/* What the parts of the loader know of each other. Numbers are those of README.md. */
#ifndef LOADER_H
#define LOADER_H

#include <stdbool.h>
#include <stdint.h>

enum command { COMMAND_INFO = 1, COMMAND_DIGEST, COMMAND_BATCH, COMMAND_STREAM };
enum record_kind { RECORD_WRITE = 1, RECORD_ERASE, RECORD_PATCH, RECORD_UPDATE };
enum flags { FLAG_VERIFY = 1, FLAG_SKIP = 2, FLAG_ONLY_RISING = 4, FLAG_PATCH_LOADED = 8 };
enum slot_state { SLOT_FREE, SLOT_FULL, SLOT_LAST };

/* The words are volatile where the host reads or writes them while the loader runs. */
struct mailbox {
  uint32_t command;
  volatile uint32_t status;
  uint32_t buffer;
  uint32_t buffer_bytes;
  uint32_t count;
  uint32_t work;
  uint32_t work_bytes;
  uint32_t flags;
  volatile uint32_t done;
  volatile uint32_t erased;
  volatile uint32_t programmed;
  volatile uint32_t skipped;
  volatile uint32_t failure;
  volatile uint32_t abort;
  volatile uint32_t waits;
  uint32_t save_size;
  uint32_t flash;
  uint32_t flash_bytes;
  uint32_t driver[6];
};
_Static_assert(sizeof(struct mailbox) == 96, "24 words");

struct record {
  uint32_t kind;
  uint32_t address;
  uint32_t bytes;
  uint32_t data_bytes;
  uint32_t data[];
};

struct digest {
  uint32_t a;
  uint32_t b;
};
/* hash.S: takes whole words into the digest. Returns `end`. */
const uint32_t *digest_words(const uint32_t *from, const uint32_t *end, struct digest *digest);

/* patch.c */
/* Before the first patch of a batch or stream. */
void patch_start(const struct mailbox *box);
/* Composes the record's block in the work area. True: it is there, and its CRC is right. */
bool patch_compose(const struct record *record);

#endif
