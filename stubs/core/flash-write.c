/* Erasing and programming: one at a time, write enable before each, and what protects the flash is lifted once. */
#include "core.h"

#define STATUS_BIT_BUSY 0x01u
#define STATUS_BIT_WRITE_ENABLED 0x02u
#define STATUS_BITS_PROTECTION 0x7Cu
/* Bit 6 is one more protection bit on some parts (Winbond: SEC), but Quad Enable on others (Macronix, ISSI), where it must stay. */
#define STATUS_BITS_SURELY_PROTECTION 0x3Cu

/* Far beyond the maxima of data sheets (400 ms, 2 s, 3 ms for the W25Q32JV), as SFDP's typical times 14 are. */
#define SECTOR_US 2000000u
#define BLOCK_US 4000000u
#define PAGE_US 20000u

static void begin_wait(uint32_t limit) {
  flash.busy = true;
  flash.since = hw_micros();
  flash.limit = limit;
}

/* Also true when the time limit is over: then the operation's status says so. */
bool flash_waited(void) {
  if (!(hw_flash_status() & STATUS_BIT_BUSY)) {
    flash.busy = false;
    return true;
  }
  fall_due(flash.since + flash.limit);
  if (!has_passed(flash.since, flash.limit)) return false;
  op.status = STATUS_BUSY;
  return true;
}

/* All of a piece, aligned to words, is FF. */
bool is_blank(const void *piece) {
  const uint32_t *words = piece;
  uint32_t index = 0;
  while (index < PIECE_BYTES / 4 && words[index] == 0xFFFFFFFF) index++;
  hw_work(HW_WORK_COMPARE, 4 * index);
  return index == PIECE_BYTES / 4;
}

/* Looked at for an erase, and for the first program in a sector; those behind it are read back in any case. */
static bool write_enabled(enum flash_write what, uint32_t address) {
  hw_flash_write_enable();
  if (what == FLASH_PROGRAM && flash.trusted == address / SECTOR_BYTES + 1) return true;
  flash.trusted = what == FLASH_PROGRAM ? address / SECTOR_BYTES + 1 : 0;
  return hw_flash_status() & STATUS_BIT_WRITE_ENABLED;
}

/* Erases a sector or a block, or programs a piece. Whoever yields CO_FLASH goes on when the flash is ready, or never. */
enum progress flash_write(enum flash_write what, uint32_t address, const uint32_t *from) {
  CO_BEGIN(flash.place);
  flash_start();
  if (!flash.tried_unprotect && hw_flash_status() & STATUS_BITS_PROTECTION) {
    hw_flash_unprotect();
    begin_wait(SECTOR_US);
    CO_YIELD(CO_FLASH);
    if (hw_flash_status() & STATUS_BITS_SURELY_PROTECTION) op.status = STATUS_REFUSED;
  }
  flash.tried_unprotect = true;
  if (op.status == STATUS_DONE && !write_enabled(what, address)) op.status = STATUS_REFUSED;
  if (op.status == STATUS_DONE) {
    if (what == FLASH_PROGRAM) hw_flash_program(address, from, PIECE_BYTES);
    else if (what == FLASH_SECTOR) hw_flash_erase_sector(address);
    else hw_flash_erase_block(address);
    begin_wait(what == FLASH_PROGRAM ? PAGE_US : what == FLASH_SECTOR ? SECTOR_US : BLOCK_US);
    CO_YIELD(CO_FLASH);
  }
  CO_END;
}
