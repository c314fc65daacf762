/*
 * Composes the new contents of a block in RAM, out of what the flash holds and what comes over the wire. Knows nothing of how they get
 * into the flash.
 */
#include "core.h"

uint32_t block_words[BLOCK_BYTES / 4];

static uint32_t save_words[SAVE_BYTES / 4];

#define block_bytes ((uint8_t *)block_words)
#define save_bytes ((uint8_t *)save_words)

/* Takes some more of the composed bytes into the CRC. */
void compose_crc(void) {
  uint32_t count = block.settled - block.checked;
  if (count > STEP_BYTES) count = STEP_BYTES;
  block.crc = crc_add(block.crc, block_bytes + block.checked, count);
  block.checked += count;
}

/* Takes op.left bytes to op.to, a piece at a time. CO_INPUT: more are to come. */
enum progress take_all(void) {
  uint32_t count;
  const uint8_t *from = take_bytes(op.left < STEP_BYTES ? op.left : STEP_BYTES, &count);
  if (count == 0) return op.left == 0 ? CO_DONE : CO_INPUT;
  hw_work(HW_WORK_COPY, count);
  op.left -= count;
  for (; count > 0; count--) *op.to++ = *from++;
  return op.left == 0 ? CO_DONE : CO_MORE;
}

enum progress op_blk(void) {
  uint32_t sector = op.argument[0];
  uint32_t sectors = op.argument[1];
  compose_reset();
  if (sectors == 0 || sectors > BLOCK_BYTES / SECTOR_BYTES) op.status = STATUS_DOES_NOT_FIT;
  else if (sector > flash_size / SECTOR_BYTES || !flash_has(sector * SECTOR_BYTES, sectors * SECTOR_BYTES)) op.status = STATUS_OUTSIDE;
  else {
    block.address = sector * SECTOR_BYTES;
    block.length = sectors * SECTOR_BYTES;
    block.crc = CRC_START;
    block.announced = op.argument[2];
    cursor = block.address;
    for (int index = 0; index < LAPS; index++) laps[index] = 0;
    lap_began = hw_micros();
  }
  return CO_DONE;
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
  op.address = cursor + (zigzag >> 1 ^ -(zigzag & 1));
  if (!flash_has(op.address, length)) return false;
  cursor = op.address + length;
  return true;
}

static void copy_bytes(const uint8_t *from, uint32_t count) {
  hw_work(HW_WORK_COPY, count);
  for (; count > 0; count--) *op.to++ = *from++;
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
}

/* op.left bytes from op.address to op.to. */
enum progress copy_flash(void) {
  if (op.left == 0) return CO_DONE;
  for (uint32_t budget = STEP_BYTES / PIECE_BYTES; op.left > 0 && budget > 0; budget--) copy_piece();
  return CO_MORE;
}

/* Where the numbers of a run's token reach their escapes. */
#define LONG_SKIP 31u
#define LONG_RUN 8u
/* A run takes as long as so many bytes, besides its own. */
#define RUN_BYTES 8u

/* Half a run, op.left bytes from op.to, if the copied bytes reach so far. */
static bool claim_run(uint32_t count, uint32_t more) {
  uint32_t copied = (uint32_t)(block_bytes + block.filled - op.to);
  op.left = count + more;
  if (more > BLOCK_BYTES || op.left > copied) op.status = STATUS_DOES_NOT_FIT;
  return op.status == STATUS_DONE;
}

/* COPY and ADD. */
enum progress op_copy(void) {
  uint32_t budget = STEP_BYTES;
  CO_BEGIN(op.place);
  if (!claim_block(op.argument[0]) || !claim_source(op.argument[1], op.argument[0])) return CO_DONE;
  block.filled += op.argument[0];
  CO_CALL(copy_flash());
  op.count = op.code == OP_ADD ? op.argument[2] : 0;
  op.to -= op.argument[0];
  for (; op.count > 0; op.count--) {
    CO_AWAIT(take_number(NUMBER_U8), CO_INPUT);
    op.argument[3] = op.number;
    op.number = 0;
    if ((op.argument[3] & LONG_SKIP) == LONG_SKIP) CO_AWAIT(take_number(NUMBER_V), CO_INPUT);
    if (!claim_run(op.argument[3] & LONG_SKIP, op.number)) return CO_DONE;
    op.to += op.left;
    op.number = 0;
    if (op.argument[3] >> 5 == LONG_RUN - 1) CO_AWAIT(take_number(NUMBER_V), CO_INPUT);
    if (!claim_run((op.argument[3] >> 5) + 1, op.number)) return CO_DONE;
    op.argument[4] = op.left + RUN_BYTES;
    CO_CALL(take_all());
    if (op.argument[4] >= budget) CO_YIELD(CO_MORE);
    else budget -= op.argument[4];
  }
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
