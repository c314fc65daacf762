/*
 * The patch machine of ../core with the flash read by address and the operations in RAM: what waits for bytes there never waits here, so
 * that bytes that do not come are an error. Its variables are the only ones of the loader; the host leaves room for them behind the code.
 * Compiled as one with its sources, so that what it does not need of them is left out.
 */
#define AREAS "areas.h"
#include "../core/compose.c"
#include "../core/operations.c"
#include "loader.h"

enum { OP_BLK = 0x20, OP_INS = 0x23, OP_FILL, OP_COMMIT = 0x28, OP_SAVE };

struct areas areas;
struct flash flash;
struct ring *source;
static uint32_t flash_start_address;

__attribute__((externally_visible)) void patch_start(const struct mailbox *box) {
  areas.block = (uint32_t *)(uintptr_t)box->work;
  areas.block_size = box->work_bytes;
  areas.save = (uint32_t *)(uintptr_t)(box->work + box->work_bytes);
  areas.save_size = box->save_size;
  flash_start_address = box->flash;
  flash.size = box->flash + box->flash_bytes;
  block.cursor = 0;
}

bool flash_has(uint32_t address, uint32_t count) {
  bool has = address >= flash_start_address && address <= flash.size && count <= flash.size - address;
  if (!has) op.status = STATUS_OUTSIDE;
  return has;
}

const uint8_t *flash_bytes(uint32_t address, uint32_t most, uint32_t *count) {
  *count = most;
  return (const uint8_t *)(uintptr_t)address;
}

void flash_piece(uint32_t address, uint32_t *to) {
  const uint32_t *from = (const uint32_t *)(uintptr_t)address;
  for (uint32_t index = 0; index < PIECE_BYTES / 4; index++) *to++ = *from++;
}

uint32_t hw_micros(void) {
  return 0;
}

void hw_work(enum hw_work kind, uint32_t bytes) {
  (void)kind;
  (void)bytes;
}

/* No tables: 4 KiB of RAM would be missed here. */
void crc_words_start(uint32_t behind) {
  (void)behind;
}

/* Of four bits each. */
static const uint32_t crc_nibbles[16] = {
  0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
  0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
};

uint32_t crc_words(uint32_t crc, const uint32_t *from, uint32_t count) {
  const uint32_t *const end = from + count / 4;
  do {
    crc ^= *from++;
#pragma GCC unroll 8
    for (uint32_t digit = 0; digit < 8; digit++) crc = crc >> 4 ^ crc_nibbles[crc & 15];
  } while (from < end);
  return crc;
}

/* How many numbers. */
static uint32_t arguments_of(uint32_t code) {
  switch (code) {
    case OP_BLK:
    case OP_ADD:
    case OP_SAVE: return 3;
    case OP_FILL:
    case OP_COPY:
    case OP_SAVED: return 2;
    case OP_INS:
    case OP_COMMIT: return 1;
    default: return 0;
  }
}

static enum progress step(void) {
  op.budget = 0x40000000;
  switch (op.code) {
    case OP_BLK: return op_blk();
    case OP_COPY:
    case OP_ADD: return op_copy();
    case OP_INS: return op_ins();
    case OP_FILL: return op_fill();
    case OP_SAVED: return op_saved();
    case OP_SAVE: return op_save();
    default: return CO_DONE;
  }
}

/* Takes code and arguments. False: they are not there, or there is no such operation. */
static bool take_operation(void) {
  op.status = STATUS_DONE;
  op.place = 0;
  if (!take_number()) return false;
  op.code = (uint8_t)op.number;
  uint32_t arguments = arguments_of(op.number);
  if (arguments == 0) return false;
  for (uint32_t *to = op.argument; arguments > 0; arguments--) {
    if (!take_number()) return false;
    *to++ = op.number;
  }
  return op.status == STATUS_DONE;
}

/* Carries out everything before COMMIT. */
static bool compose_all(void) {
  while (take_operation()) {
    if (op.code == OP_COMMIT) return true;
    enum progress progress;
    do progress = step();
    while (progress == CO_MORE);
    if (progress != CO_DONE || op.status != STATUS_DONE) return false;
    block.settled = block.filled;
  }
  return false;
}

__attribute__((externally_visible)) bool patch_compose(const struct record *record) {
  struct ring operations = {(uint8_t *)(uintptr_t)record->data, 0x7FFFFFFF, record->data_bytes, 0};
  source = &operations;
  forget_block();
  if (!compose_all()) return false;
  while (compose_check()) {}
  return block.address == record->address && block.length == record->bytes && block.filled == block.length && ~block.crc == block.announced;
}
