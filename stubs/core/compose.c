/*
 * Composes the new contents of a block in RAM, out of what the flash holds and what comes over the wire. Knows nothing of how they get
 * into the flash.
 */
#include "core.h"

#ifndef AREAS
uint32_t block_words[BLOCK_BYTES / 4];
#endif

uint32_t laps[LAPS];

static uint32_t lap_began;
#ifndef AREAS
static uint32_t save_words[SAVE_BYTES / 4];
#endif

#define block_bytes ((uint8_t *)block_words)
#define save_bytes ((uint8_t *)save_words)

/* Counts the time since the last call for `what`. */
void lap(enum lap what) {
  uint32_t time = hw_micros();
  laps[what] += time - lap_began;
  lap_began = time;
}

/* Takes some more of the composed bytes into the CRC. False: there are too few. */
static bool take_into_crc(uint32_t most) {
  uint32_t count = (block.settled - block.checked) & ~3u;
  if (count == 0) return false;
  if (count > most) count = most;
  block.crc = crc_words(block.crc, block_words + block.checked / 4, count);
  block.checked += count;
  return true;
}

bool compose_check(void) {
  return take_into_crc(STEP_BYTES);
}

/* By words where there are some; most shifts are by no whole ones. Reads nothing beyond the bytes but what shares a word with them. */
static void copy_bytes(const uint8_t *from, uint32_t count) {
  uint8_t *to = op.to;
  hw_work(HW_WORK_COPY, count);
  op.to += count;
  for (; count > 0 && (uintptr_t)to % 4 != 0; count--) *to++ = *from++;
  uint32_t shift = (uintptr_t)from % 4 * 8;
  const uint32_t *words = (const uint32_t *)(const void *)(from - shift / 8);
  for (uint32_t low = *words; count >= 8; count -= 4, from += 4, to += 4) {
    uint32_t high = *++words;
    *(uint32_t *)(void *)to = low >> shift | high << 1 << (31 - shift);
    low = high;
  }
  for (; count > 0; count--) *to++ = *from++;
}

/* Takes op.left bytes off the stream to op.to, a piece at a time. CO_INPUT: more are to come. */
enum progress take_all(void) {
  while (op.left > 0) {
    uint32_t count;
    if (op.budget == 0) return CO_MORE;
    const uint8_t *from = take_bytes(&count);
    if (count == 0) return CO_INPUT;
    copy_bytes(from, count);
  }
  return CO_DONE;
}

static void begin_block(void) {
  uint32_t sector = op.argument[0];
  uint32_t sectors = op.argument[1];
  forget_block();
  if (sectors == 0 || sectors > BLOCK_BYTES / SECTOR_BYTES) op.status = STATUS_DOES_NOT_FIT;
  else if (sector > flash.size / SECTOR_BYTES || !flash_has(sector * SECTOR_BYTES, sectors * SECTOR_BYTES)) op.status = STATUS_OUTSIDE;
  else {
    block.address = sector * SECTOR_BYTES;
    block.length = sectors * SECTOR_BYTES;
    block.crc = CRC_START;
    block.announced = op.argument[2];
    block.cursor = block.address;
    for (int index = 0; index < LAPS; index++) laps[index] = 0;
    lap_began = hw_micros();
  }
}

enum progress op_blk(void) {
  static uint8_t tables; /* of the CRC's three that are made */
  CO_BEGIN(op.place);
  while (tables < 3) {
    crc_words_start(tables++);
    CO_YIELD(CO_MORE);
  }
  begin_block();
  CO_END;
}

/* op.to and op.left are the next bytes of the block, if it has so many left. */
static bool claim_block(uint32_t length) {
  if (length > block.length - block.filled) op.status = STATUS_DOES_NOT_FIT;
  op.to = block_bytes + block.filled;
  op.left = length;
  return op.status == STATUS_DONE;
}

static bool claim_save(uint32_t offset, uint32_t length) {
  if (offset > SAVE_BYTES || length > SAVE_BYTES - offset) op.status = STATUS_DOES_NOT_FIT;
  op.to = save_bytes + offset;
  op.left = length;
  return op.status == STATUS_DONE;
}

/* op.address is where so many bytes of the flash stand. */
static bool claim_source(uint32_t zigzag, uint32_t length) {
  op.address = block.cursor + (zigzag >> 1 ^ -(zigzag & 1));
  if (!flash_has(op.address, length)) return false;
  block.cursor = op.address + length;
  return true;
}

/* One piece or less of op.left bytes from op.address to op.to. Whole pieces go straight there if that is possible. */
static void copy_piece(void) {
  uint32_t count = PIECE_BYTES;
  if (op.left >= PIECE_BYTES && op.address % PIECE_BYTES == 0 && (uintptr_t)op.to % 4 == 0) {
    flash_piece(op.address, (uint32_t *)(void *)op.to);
    op.to += count;
  } else copy_bytes(flash_bytes(op.address, op.left, &count), count);
  op.address += count;
  op.left -= count;
  op.budget -= count < op.budget ? count : op.budget;
}

/* op.left bytes from op.address to op.to. */
enum progress copy_flash(void) {
  while (op.left > 0) {
    if (op.budget == 0) return CO_MORE;
    copy_piece();
  }
  return CO_DONE;
}

/* The same into the block; meanwhile what is older goes into its CRC. The last op.argument[4] bytes will be others. */
static enum progress copy_into_block(void) {
  while (op.left > 0) {
    if (op.budget == 0) return CO_MORE;
    copy_piece();
    uint32_t settled = (uint32_t)(op.to - block_bytes) - op.argument[4];
    if ((int32_t)(settled - block.settled) > 0) block.settled = settled;
    take_into_crc(PIECE_BYTES);
  }
  return CO_DONE;
}

/* Where the numbers of a run's token reach their escapes. */
#define LONG_SKIP 31u
#define LONG_RUN 8u
/* A run takes as long as so many bytes, besides its own. */
#define RUN_BYTES 8u

/* So many more of op.rest are to be copied. */
static bool claim_run(uint32_t count, uint32_t more) {
  if (more > BLOCK_BYTES || count + more > op.rest) op.status = STATUS_DOES_NOT_FIT;
  op.left += count + more;
  op.rest -= count + more;
  return op.status == STATUS_DONE;
}

/* A run's token, into op.argument[3]. */
static bool take_token(void) {
  if (source->in == source->out) return false;
  op.argument[3] = source->bytes[source->out++ & source->mask];
  return true;
}

/* COPY and ADD: of a run, its place is copied too, and then overwritten. */
enum progress op_copy(void) {
  CO_BEGIN(op.place);
  if (!claim_block(op.argument[0]) || !claim_source(op.argument[1], op.argument[0])) return CO_DONE;
  block.filled += op.argument[0];
  op.rest = op.argument[0];
  op.left = 0;
  for (op.count = op.code == OP_ADD ? op.argument[2] : 0; op.count > 0; op.count--) {
    if (op.budget < RUN_BYTES) CO_YIELD(CO_MORE);
    op.budget -= RUN_BYTES;
    CO_AWAIT(take_token(), CO_INPUT);
    op.number = 0;
    if ((op.argument[3] & LONG_SKIP) == LONG_SKIP) CO_AWAIT(take_number(), CO_INPUT);
    if (!claim_run(op.argument[3] & LONG_SKIP, op.number)) return CO_DONE;
    op.number = 0;
    if (op.argument[3] >> 5 == LONG_RUN - 1) CO_AWAIT(take_number(), CO_INPUT);
    op.argument[4] = (op.argument[3] >> 5) + 1 + op.number;
    if (!claim_run((op.argument[3] >> 5) + 1, op.number)) return CO_DONE;
    CO_CALL(copy_into_block());
    op.to -= op.argument[4];
    op.left = op.argument[4];
    CO_CALL(take_all());
  }
  op.argument[4] = 0;
  op.left = op.rest;
  CO_CALL(copy_into_block());
  CO_END;
}

enum progress op_ins(void) {
  CO_BEGIN(op.place);
  if (!claim_block(op.argument[0])) return CO_DONE;
  block.filled += op.argument[0];
  CO_CALL(take_all());
  CO_END;
}

enum progress op_fill(void) {
  CO_BEGIN(op.place);
  if (!claim_block(op.argument[0])) return CO_DONE;
  block.filled += op.argument[0];
  while (op.left > 0) {
    for (op.count = op.left < STEP_BYTES ? op.left : STEP_BYTES; op.count > 0; op.count--, op.left--) *op.to++ = (uint8_t)op.argument[1];
    CO_YIELD(CO_MORE);
  }
  CO_END;
}

enum progress op_saved(void) {
  CO_BEGIN(op.place);
  if (!claim_save(op.argument[0], op.argument[1]) || !claim_block(op.argument[1])) return CO_DONE;
  block.filled += op.argument[1];
  while (op.left > 0) {
    op.count = op.left < STEP_BYTES ? op.left : STEP_BYTES;
    copy_bytes(save_bytes + op.argument[0], op.count);
    op.argument[0] += op.count;
    op.left -= op.count;
    CO_YIELD(CO_MORE);
  }
  CO_END;
}

enum progress op_save(void) {
  CO_BEGIN(op.place);
  if (!claim_save(op.argument[0], op.argument[1]) || !claim_source(op.argument[2], op.argument[1])) return CO_DONE;
  CO_CALL(copy_flash());
  CO_END;
}
