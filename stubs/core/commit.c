/*
 * Brings a composed block into the flash: checks it before anything is erased, erases only where a bit must rise again, programs only
 * what differs, reads back what was touched. Knows nothing of where the contents came from.
 */
#include "core.h"

#define SECTOR_PIECES (SECTOR_BYTES / PIECE_BYTES)
#define BLOCK_SECTORS (BLOCK_BYTES / SECTOR_BYTES)

static uint8_t touched[BLOCK_BYTES / PIECE_BYTES / 8]; /* a bit for each piece that is to be programmed and read back */
enum fate { SKIPPED, PROGRAMMED, ERASED, BLOCK_ERASED, FATES };
static uint8_t fates[BLOCK_SECTORS];
static uint32_t erases;
static uint32_t piece;
static uint32_t sub_place;

static uint32_t pieces(void) {
  return block.length / PIECE_BYTES;
}

static uint32_t address_of(uint32_t which) {
  return block.address + which * PIECE_BYTES;
}

static const uint32_t *composed(uint32_t which) {
  return block_words + which * (PIECE_BYTES / 4);
}

static bool is_touched(uint32_t which) {
  return touched[which / 8] >> which % 8 & 1;
}

/* Every piece of it is to be programmed. */
static void mark_sector(uint32_t sector, uint8_t fate) {
  fates[sector] = fate;
  for (uint32_t index = 0; index < SECTOR_PIECES / 8; index++) touched[sector * (SECTOR_PIECES / 8) + index] = 0xFF;
}

/* What this piece makes of its sector. */
static uint8_t fate_of(uint32_t which) {
  uint32_t count;
  const uint32_t *old = (const uint32_t *)(const void *)flash_bytes(address_of(which), PIECE_BYTES, &count);
  const uint32_t *new = composed(which);
  uint8_t fate = SKIPPED;
  uint32_t index = 0;
  for (; index < PIECE_BYTES / 4 && fate != ERASED; index++) {
    if (new[index] & ~old[index]) fate = ERASED;
    else if (new[index] != old[index]) fate = PROGRAMMED;
  }
  hw_work(HW_WORK_COMPARE, 4 * index);
  return fate;
}

/* Compares one piece and says which comes next: the rest of a sector that must be erased does not matter. */
static uint32_t compare_piece(uint32_t which) {
  uint32_t sector = which / SECTOR_PIECES;
  uint8_t fate = fate_of(which);
  if (which % SECTOR_PIECES == 0) fates[sector] = SKIPPED;
  if (which % 8 == 0) touched[which / 8] = 0;
  if (fate == ERASED) {
    mark_sector(sector, ERASED);
    erases++;
    return (sector + 1) * SECTOR_PIECES;
  }
  if (fate == PROGRAMMED) {
    fates[sector] = PROGRAMMED;
    touched[which / 8] |= (uint8_t)(1 << which % 8);
  }
  return which + 1;
}

/* So many sectors need an erase that erasing all of the block is faster. */
static bool wants_block_erase(void) {
  uint32_t from = op.argument[0];
  return from != 0 && erases >= from && block.length == BLOCK_ERASE_BYTES && block.address % BLOCK_ERASE_BYTES == 0;
}

static enum progress compare(void) {
  for (uint32_t budget = STEP_BYTES / PIECE_BYTES; budget > 0; budget--) {
    if (piece >= pieces() || wants_block_erase()) return CO_DONE;
    piece = compare_piece(piece);
  }
  return CO_MORE;
}

/* Erases and programs. */
static enum progress write(void) {
  CO_BEGIN(sub_place);
  if (wants_block_erase()) {
    for (uint32_t sector = 0; sector < BLOCK_SECTORS; sector++) mark_sector(sector, BLOCK_ERASED);
    CO_CALL(flash_write(FLASH_BLOCK, block.address, 0));
    lap(LAP_ERASE);
  }
  for (piece = 0; piece < pieces(); piece++) {
    if (op.status != STATUS_DONE) return CO_DONE;
    if (piece % SECTOR_PIECES == 0) {
      if (fates[piece / SECTOR_PIECES] == ERASED) {
        lap(LAP_PROGRAM);
        CO_CALL(flash_write(FLASH_SECTOR, address_of(piece), 0));
        lap(LAP_ERASE);
      }
    }
    if (op.status == STATUS_DONE && is_touched(piece) && !is_blank(composed(piece)))
      CO_CALL(flash_write(FLASH_PROGRAM, address_of(piece), composed(piece)));
    else if (piece % 4 == 0) CO_YIELD(CO_MORE);
  }
  lap(LAP_PROGRAM);
  CO_END;
}

/* Reads back what was touched. */
static enum progress verify(void) {
  for (uint32_t budget = STEP_BYTES / PIECE_BYTES; budget > 0; budget--, piece++) {
    if (piece >= pieces()) return CO_DONE;
    if (is_touched(piece) && fate_of(piece) != SKIPPED) {
      op.address = address_of(piece);
      op.status = STATUS_VERIFY;
      return CO_DONE;
    }
  }
  return CO_MORE;
}

static void reply_commit(void) {
  uint8_t *to = reply_bytes + REPLY_DATA;
  for (uint32_t fate = 0; fate < FATES; fate++) {
    *to = 0;
    for (uint32_t sector = 0; sector < block.length / SECTOR_BYTES; sector++) *to += fates[sector] == fate;
    to++;
  }
  for (int index = 0; index < LAPS; index++) to = put_u32(to, laps[index]);
  reply(to);
}

enum progress op_commit(void) {
  CO_BEGIN(op.place);
  while (compose_check()) CO_YIELD(CO_MORE);
  lap(LAP_COMPOSE);
  if (block.length == 0 || block.filled != block.length || ~block.crc != block.announced) {
    op.status = STATUS_NOT_AS_ANNOUNCED;
    return CO_DONE;
  }
  erases = 0;
  piece = 0;
  flash.until = block.address + block.length;
  CO_CALL(compare());
  lap(LAP_COMPARE);
  sub_place = 0;
  CO_CALL(write());
  if (op.status != STATUS_DONE) return CO_DONE;
  piece = 0;
  flash.until = block.address + block.length;
  CO_CALL(verify());
  lap(LAP_VERIFY);
  if (op.status != STATUS_DONE) return CO_DONE;
  CO_AWAIT(transmit_room(REPLY_ROOM), CO_ROOM);
  reply_commit();
  forget_block();
  CO_END;
}
