/*
 * The loader: carries out the command in the mailbox. Knows records, slots and digests; how flash is erased and programmed is the
 * driver's affair (DRIVER_FILE), how new contents are composed patch.c's.
 */
#include DRIVER_FILE
#include "loader.h"

#define ABI 1
/* Some minutes at a reset clock, seconds at a raised one: then nobody is there any more. */
#define SLOT_LOOPS (1u << 28)

static uint32_t word_of(const uint8_t *bytes, uint32_t count) {
  uint32_t word = 0;
  while (count > 0) word = word << 8 | bytes[--count];
  return word;
}

/* Over address and bytes it writes the digest. */
static void digest_range(uint32_t *range) {
  const uint8_t *from = (const uint8_t *)(uintptr_t)range[0];
  uint32_t left = range[1];
  struct digest digest = {0x9E3779B1u ^ left, 0x85EBCA77u};
  if ((uintptr_t)from % 4 == 0) {
    const uint32_t *words = (const uint32_t *)(const void *)from;
    from = (const uint8_t *)digest_words(words, words + left / 4, &digest);
    left &= 3;
  }
  for (uint32_t count = 4; left > 0; left -= count, from += count) {
    if (count > left) count = left;
    uint32_t word = word_of(from, count);
    digest_words(&word, &word + 1, &digest);
  }
  range[0] = digest.a;
  range[1] = digest.b;
}

static uint32_t digests(struct mailbox *box) {
  uint32_t *range = (uint32_t *)(uintptr_t)box->buffer;
  for (uint32_t left = box->count; left > 0; left--, range += 2) {
    if (box->abort) return STATUS_ABORTED;
    digest_range(range);
    box->done++;
  }
  return STATUS_OK;
}

static void info(const struct mailbox *box) {
  uint32_t *to = (uint32_t *)(uintptr_t)box->buffer;
  to[0] = ABI;
  to[1] = DRIVER_ID;
  to[2] = PROGRAM_UNIT;
  to[3] = LOADER_BUILD;
}

#ifdef NO_FLASH

static uint32_t batch(struct mailbox *box) {
  (void)box;
  return STATUS_NO_SUCH;
}

static uint32_t stream(struct mailbox *box) {
  (void)box;
  return STATUS_NO_SUCH;
}

#else

static const uint32_t *flash_at(uint32_t address) {
  return (const uint32_t *)(uintptr_t)address;
}

/* What is failing is at `address`, unless a status says that nothing does. */
static uint32_t failing(struct mailbox *box, uint32_t status, uint32_t address) {
  if (status != STATUS_OK) box->failure = address;
  return status;
}

/* Bytes from `address` on that read as the words say, at most `bytes`. */
static uint32_t equal_bytes(uint32_t address, const uint32_t *words, uint32_t bytes) {
  const uint32_t *const from = words;
  const uint32_t *const end = words + bytes / 4;
  const volatile uint32_t *flash = flash_at(address);
  while (words < end && *flash == *words) {
    words++;
    flash++;
  }
  return (uint32_t)(words - from) * 4;
}

static uint32_t compare(struct mailbox *box, uint32_t address, const uint32_t *words, uint32_t bytes) {
  if (!(box->flags & FLAG_VERIFY)) return STATUS_OK;
  uint32_t equal = equal_bytes(address, words, bytes);
  return equal == bytes ? STATUS_OK : failing(box, STATUS_VERIFY, address + equal);
}

/* Reads FF all over. */
static uint32_t check_blank(struct mailbox *box, uint32_t address, uint32_t bytes) {
  if (!(box->flags & FLAG_VERIFY)) return STATUS_OK;
  const volatile uint32_t *flash = flash_at(address);
  for (const uint32_t end = address + bytes; address < end; address += 4)
    if (*flash++ != 0xFFFFFFFFu) return failing(box, STATUS_ERASE, address);
  return STATUS_OK;
}

static uint32_t erase(struct mailbox *box, uint32_t address, uint32_t bytes) {
  uint32_t status = failing(box, driver_erase(box->driver, address, bytes), address);
  if (status == STATUS_OK) status = check_blank(box, address, bytes);
  if (status == STATUS_OK) box->erased += bytes;
  return status;
}

/* A program unit reads as the words say. */
static inline __attribute__((always_inline)) bool is_equal(const volatile uint32_t *flash, const uint32_t *words) {
  for (uint32_t at = 0; at < PROGRAM_UNIT / 4; at++)
    if (flash[at] != words[at]) return false;
  return true;
}

/* Bytes of whole units that already read so (or not so), at most RUN_BYTES and `bytes`. */
static uint32_t units(uint32_t address, const uint32_t *words, uint32_t bytes, bool equal) {
  const uint32_t *from = words;
  const volatile uint32_t *flash = flash_at(address);
  const uint32_t *end = words + (bytes < RUN_BYTES ? bytes : RUN_BYTES) / 4;
  while (words < end && is_equal(flash, words) == equal) {
    words += PROGRAM_UNIT / 4;
    flash += PROGRAM_UNIT / 4;
  }
  return (uint32_t)(words - from) * 4;
}

static uint32_t program(struct mailbox *box, uint32_t address, const uint32_t *words, uint32_t bytes) {
  const uint32_t *const all = words;
  for (uint32_t left = bytes; left > 0;) {
    if (box->abort) return STATUS_ABORTED;
    uint32_t run = units(address, words, left, false);
    if (run > 0) {
      uint32_t status = failing(box, driver_program(box->driver, address, words, run), address);
      if (status != STATUS_OK) return status;
      box->programmed += run;
    } else run = units(address, words, left, true);
    address += run;
    words += run / 4;
    left -= run;
  }
  return compare(box, address - bytes, all, bytes);
}

/* Some bit is to be 1 that is 0. */
static bool rises(uint32_t address, const uint32_t *words, uint32_t bytes) {
  const volatile uint32_t *flash = flash_at(address);
  for (const uint32_t *end = words + bytes / 4; words < end;)
    if (*words++ & ~*flash++) return true;
  return false;
}

static uint32_t update(struct mailbox *box, uint32_t address, const uint32_t *words, uint32_t bytes) {
  if (box->flags & FLAG_SKIP && equal_bytes(address, words, bytes) == bytes) {
    box->skipped += bytes;
    return STATUS_OK;
  }
  if (!(box->flags & FLAG_ONLY_RISING) || rises(address, words, bytes)) {
    uint32_t status = erase(box, address, bytes);
    if (status != STATUS_OK) return status;
  }
  return program(box, address, words, bytes);
}

static uint32_t patch(struct mailbox *box, const struct record *record) {
  if (!(box->flags & FLAG_PATCH_LOADED)) return STATUS_NO_SUCH;
  if (record->bytes > box->work_bytes) return STATUS_OUTSIDE;
  if (!patch_compose(record)) return STATUS_PATCH;
  return update(box, record->address, (const uint32_t *)(uintptr_t)box->work, record->bytes);
}

static uint32_t carry_out(struct mailbox *box, const struct record *record) {
  uint32_t address = record->address;
  uint32_t bytes = record->bytes;
  uint32_t kind = record->kind;
  uint32_t offset = address - box->flash;
  box->failure = address;
  if (offset > box->flash_bytes || bytes > box->flash_bytes - offset) return STATUS_OUTSIDE;
  if (((address | bytes) & (PROGRAM_UNIT - 1)) != 0) return STATUS_OUTSIDE;
  if (kind == RECORD_ERASE) return erase(box, address, bytes);
  if (kind == RECORD_PATCH) return patch(box, record);
  if (record->data_bytes == bytes) {
    if (kind == RECORD_WRITE) return program(box, address, record->data, bytes);
    if (kind == RECORD_UPDATE) return update(box, address, record->data, bytes);
  }
  return STATUS_NO_SUCH;
}

/* `count` records from `at` on, before `end`. */
static uint32_t records(struct mailbox *box, uint32_t at, uint32_t end, uint32_t count) {
  for (; count > 0; count--) {
    const struct record *record = (const struct record *)(uintptr_t)at;
    uint32_t room = end - at;
    if (box->abort) return STATUS_ABORTED;
    if (room < sizeof *record || record->data_bytes > room - sizeof *record) return STATUS_NO_SUCH;
    uint32_t status = carry_out(box, record);
    if (status != STATUS_OK) return status;
    box->failure = 0;
    box->done++;
    at += sizeof *record + ((record->data_bytes + 3) & ~3u);
  }
  return STATUS_OK;
}

static uint32_t batch(struct mailbox *box) {
  return records(box, box->buffer, box->buffer + box->buffer_bytes, box->count);
}

static uint32_t await_slot(struct mailbox *box, const volatile uint32_t *slot) {
  for (uint32_t loops = SLOT_LOOPS; *slot == SLOT_FREE; loops--) {
    if (box->abort) return STATUS_ABORTED;
    if (loops == 0) return STATUS_TIMEOUT;
    box->waits++;
  }
  return STATUS_OK;
}

static uint32_t stream(struct mailbox *box) {
  uint32_t bytes = box->buffer_bytes;
  for (uint32_t at = box->buffer, other = at + bytes;;) {
    volatile uint32_t *slot = word_at(at);
    uint32_t status = await_slot(box, slot);
    if (status != STATUS_OK) return status;
    uint32_t state = slot[0];
    __asm__ volatile("" ::: "memory"); /* the records are there only now */
    status = records(box, at + 8, at + bytes, slot[1]);
    if (status != STATUS_OK) return status;
    slot[0] = SLOT_FREE;
    if (state == SLOT_LAST) return STATUS_OK;
    uint32_t next = other;
    other = at;
    at = next;
  }
}

#endif

static uint32_t command(struct mailbox *box) {
  switch (box->command) {
    case COMMAND_DIGEST: return digests(box);
    case COMMAND_BATCH: return batch(box);
    case COMMAND_STREAM: return stream(box);
    default: return STATUS_NO_SUCH;
  }
}

static uint32_t with_driver(struct mailbox *box) {
  uint32_t status = driver_init(box->driver);
  if (status != STATUS_OK) return status;
#ifndef NO_FLASH
  if (box->flags & FLAG_PATCH_LOADED) patch_start(box);
#endif
  status = command(box);
  uint32_t closed = driver_done(box->driver);
  return status == STATUS_OK ? closed : status;
}

void loader(struct mailbox *box) {
  box->done = 0;
  box->erased = 0;
  box->programmed = 0;
  box->skipped = 0;
  box->failure = 0;
  box->waits = 0;
  uint32_t status = STATUS_OK;
  if (box->command == COMMAND_INFO) info(box);
  else status = with_driver(box);
  box->status = status;
}
