/*
 * The Cortex-M loader under sanitizers: random batches of records and patches, some damaged on purpose. Arguments are seconds and, to run
 * only one, its seed. It knows addresses of 32 bits, so everything lies low, with poison between. Needs Linux on x86-64.
 */
#define _GNU_SOURCE
#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include "../cortex-m/loader.h"

#define FLASH_BYTES 0x10000u
#define SECTOR 0x1000u
#define BUFFER_BYTES 0x8000u
#define WORK_BYTES 0x2000u
#define SAVE_BYTES_HERE 0x800u
#define GUARD 0x1000u
enum { OK = 0 };

void loader(struct mailbox *box);
/* Not of this processor; the digest is tried on an emulated one. */
const uint32_t *digest_words(const uint32_t *from, const uint32_t *end, struct digest *digest) {
  (void)from;
  (void)digest;
  return end;
}

static uint32_t seed;
static uint32_t draw(void) {
  seed ^= seed << 13;
  seed ^= seed >> 17;
  return seed ^= seed << 5;
}
static uint32_t draw_below(uint32_t bound) {
  return draw() % bound;
}

static uint8_t *memory;
static uint32_t used;
/* Memory of its own with poison behind it. */
static uint8_t *piece(uint32_t bytes) {
  uint8_t *at = memory + used;
  used += bytes + GUARD;
  __asan_poison_memory_region(at + bytes, GUARD);
  return at;
}

static struct mailbox *box;
static uint8_t *flash;
static uint8_t *buffer;
static uint8_t *work;
static uint8_t before[FLASH_BYTES];
static uint8_t wanted[FLASH_BYTES];
static uint32_t filled;

static void put(uint8_t byte) {
  if (filled < BUFFER_BYTES) buffer[filled++] = byte;
}
static void put_word(uint32_t word) {
  for (int index = 0; index < 4; index++) put((uint8_t)(word >> 8 * index));
}
static void put_number(uint32_t number) {
  for (; number >= 0x80; number >>= 7) put((uint8_t)(number | 0x80));
  put((uint8_t)number);
}

static uint32_t crc_of(const uint8_t *from, uint32_t count) {
  uint32_t crc = 0xFFFFFFFF;
  for (; count > 0; count--) {
    crc ^= *from++;
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (0xEDB88320u & -(crc & 1));
  }
  return ~crc;
}

/* Operations that make `bytes` random ones at `to`, out of the flash as it will stand then. */
static void put_operations(uint8_t *to, uint32_t address, uint32_t bytes) {
  uint32_t cursor = address;
  for (uint32_t left = bytes; left > 0;) {
    uint32_t length = 1 + draw_below(left < 700 ? left : 700);
    uint32_t kind = draw_below(4);
    if (kind == 0) {
      put(0x23);
      put_number(length);
      for (uint32_t at = 0; at < length; at++) put(to[at] = (uint8_t)draw());
    } else if (kind == 1) {
      put(0x24);
      put_number(length);
      put_number(to[0] = (uint8_t)draw());
      memset(to, to[0], length);
    } else {
      uint32_t from = draw_below(FLASH_BYTES - length);
      int32_t step = (int32_t)((uint32_t)(uintptr_t)flash + from - cursor);
      uint32_t skip = draw_below(length);
      bool add = kind == 3;
      put(add ? 0x22 : 0x21);
      put_number(length);
      put_number((uint32_t)step << 1 ^ (uint32_t)(step >> 31));
      memcpy(to, wanted + from, length);
      if (add) {
        put_number(1);
        put((uint8_t)(skip < 31 ? skip : 31));
        if (skip >= 31) put_number(skip - 31);
        put(to[skip] = (uint8_t)draw());
      }
      cursor = (uint32_t)(uintptr_t)flash + from + length;
    }
    to += length;
    left -= length;
  }
}

static void put_patch(uint32_t offset, uint32_t bytes) {
  static uint8_t made[WORK_BYTES];
  uint32_t address = (uint32_t)(uintptr_t)flash + offset;
  uint32_t head = filled;
  for (int word = 0; word < 4; word++) put_word(0);
  uint32_t from = filled;
  put(0x20);
  put_number(address / SECTOR);
  put_number(bytes / SECTOR);
  uint32_t crc_at = filled;
  for (int byte = 0; byte < 5; byte++) put(0);
  put_operations(made, address, bytes);
  put(0x28);
  put(0);
  memcpy(wanted + offset, made, bytes);
  uint32_t end = filled;
  while (filled % 4 != 0) put(0);
  uint32_t crc = crc_of(made, bytes);
  for (uint32_t byte = 0; byte < 5; byte++) buffer[crc_at + byte] = (uint8_t)(crc >> 7 * byte & 0x7F) | (byte < 4 ? 0x80 : 0);
  struct record record = {RECORD_PATCH, address, bytes, end - from};
  memcpy(buffer + head, &record, sizeof record);
}

static void put_data(uint32_t kind, uint32_t offset, uint32_t bytes) {
  put_word(kind);
  put_word((uint32_t)(uintptr_t)flash + offset);
  put_word(bytes);
  put_word(kind == RECORD_ERASE ? 0 : bytes);
  if (kind == RECORD_ERASE) memset(wanted + offset, 0xFF, bytes);
  else
    for (uint32_t at = 0; at < bytes; at++) put(wanted[offset + at] = draw_below(3) ? (uint8_t)draw() : 0xFF);
}

static uint32_t put_records(void) {
  uint32_t count = 0;
  filled = 0;
  while (count < 4 && filled < BUFFER_BYTES / 4) {
    uint32_t sectors = 1 + draw_below(2);
    uint32_t offset = draw_below(FLASH_BYTES / SECTOR - 1) * SECTOR;
    uint32_t kind = draw_below(3);
    if (kind == 0) put_patch(offset, sectors * SECTOR);
    else if (kind == 1) put_data(RECORD_UPDATE, offset, SECTOR);
    else {
      put_data(RECORD_ERASE, offset, SECTOR);
      put_data(RECORD_WRITE, offset, 8 * (1 + draw_below(SECTOR / 8)));
      count++;
    }
    count++;
  }
  return count;
}

static void fail(const char *why, uint32_t from) {
  fprintf(stderr, "seed %u: %s, status %u at %x\n", from, why, box->status, box->failure);
  exit(1);
}

static void run(uint32_t from) {
  seed = from * 2654435761u | 1;
  for (uint32_t at = 0; at < FLASH_BYTES; at++) flash[at] = (uint8_t)draw();
  memcpy(before, flash, FLASH_BYTES);
  memcpy(wanted, flash, FLASH_BYTES);
  memset(box, 0, sizeof *box);
  uint32_t count = put_records();
  bool damaged = draw_below(2);
  bool fails = draw_below(8) == 0;
  for (uint32_t bits = damaged ? 1 + draw_below(4) : 0; bits > 0; bits--) buffer[draw_below(draw_below(2) ? 64 : filled)] ^= 1 << draw_below(8);
  *box = (struct mailbox){
    .command = COMMAND_BATCH,
    .status = 0xFFFFFFFF,
    .buffer = (uint32_t)(uintptr_t)buffer,
    .buffer_bytes = damaged && draw_below(4) == 0 ? draw_below(BUFFER_BYTES) : BUFFER_BYTES,
    .count = count,
    .work = (uint32_t)(uintptr_t)work,
    .work_bytes = WORK_BYTES,
    .save_size = SAVE_BYTES_HERE,
    .flags = FLAG_VERIFY | FLAG_SKIP | FLAG_PATCH_LOADED,
    .flash = (uint32_t)(uintptr_t)flash,
    .flash_bytes = FLASH_BYTES,
    .driver = {fails ? draw_below(5) : 0xFFFFFFFF},
  };
  loader(box);
  if (box->status == 0xFFFFFFFF) fail("no end", from);
  if (damaged || fails) return;
  if (box->status != OK) fail("it failed", from);
  if (memcmp(flash, wanted, FLASH_BYTES) != 0) fail("other contents", from);
}

int main(int count, char **words) {
  time_t until = time(0) + (count > 1 ? atoi(words[1]) : 10);
  memory = mmap(0, 0x100000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  if (memory == MAP_FAILED) return 2;
  memory = (uint8_t *)(((uintptr_t)memory + 0xFFFF) & ~(uintptr_t)0xFFFF);
  flash = piece(FLASH_BYTES);
  box = (struct mailbox *)piece(sizeof *box);
  buffer = piece(BUFFER_BYTES);
  work = piece(WORK_BYTES + SAVE_BYTES_HERE);
  uint32_t runs = 0;
  if (count > 2) run((uint32_t)atoi(words[2]));
  else
    for (; time(0) < until; runs++) run(runs + 1);
  printf("%u runs\n", runs);
  return 0;
}
