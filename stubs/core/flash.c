/* The flash as the operations see it: bytes at any address, one write at a time, and nothing beyond the size that HELLO gave. */
#include "core.h"

#define STATUS_BIT_BUSY 0x01u
#define STATUS_BIT_WRITE_ENABLED 0x02u
#define STATUS_BITS_PROTECTION 0x7Cu
/* Bit 6 is one more protection bit on some parts (Winbond: SEC), but Quad Enable on others (Macronix, ISSI), where it must stay. */
#define STATUS_BITS_SURELY_PROTECTION 0x3Cu

/* Addresses are of 3 bytes. */
#define MOST_BYTES 0x1000000u

/* Far beyond the maxima of data sheets (400 ms, 2 s, 3 ms for the W25Q32JV), as SFDP's typical times 14 are. */
#define SECTOR_US 2000000u
#define BLOCK_US 4000000u
#define PAGE_US 20000u

/* No piece begins there. */
#define NOWHERE 1u

uint32_t flash_size;

static uint32_t window[PIECE_BYTES / 4];
static struct {
  uint32_t window_at;
  uint32_t since;
  uint32_t limit;
  bool busy; /* as far as we know */
  bool tried_unprotect;
  uint32_t place;
} flash = {.window_at = NOWHERE};

void flash_reset(uint32_t size) {
  flash_size = (size > MOST_BYTES ? MOST_BYTES : size) & -SECTOR_BYTES;
  flash.tried_unprotect = false;
}

/* Before an operation. */
void flash_start(void) {
  flash.window_at = NOWHERE;
  flash.place = 0;
}

/* Sets the operation's status if not. */
bool flash_has(uint32_t address, uint32_t count) {
  if (address <= flash_size && count <= flash_size - address) return true;
  op.status = STATUS_OUTSIDE;
  return false;
}

static void begin_wait(uint32_t limit) {
  flash.window_at = NOWHERE;
  flash.busy = true;
  flash.since = hw_micros();
  flash.limit = limit;
}

/* Also true when the time limit is over: then the operation's status says so. */
bool flash_ready(void) {
  if (!flash.busy) return true;
  if (!(hw_flash_status() & STATUS_BIT_BUSY)) {
    flash.busy = false;
    return true;
  }
  fall_due(flash.since + flash.limit);
  if (!has_passed(flash.since, flash.limit)) return false;
  op.status = STATUS_BUSY;
  return true;
}

/* The flash's contents from `address` to the end of its piece, at most `most` bytes. */
const uint8_t *flash_bytes(uint32_t address, uint32_t most, uint32_t *count) {
  uint32_t offset = address % PIECE_BYTES;
  if (flash.window_at != address - offset) {
    flash.window_at = address - offset;
    hw_flash_read(flash.window_at, window, PIECE_BYTES);
  }
  *count = most < PIECE_BYTES - offset ? most : PIECE_BYTES - offset;
  return (const uint8_t *)window + offset;
}

/* All of a piece, aligned to words, is FF. */
bool is_blank(const void *piece) {
  const uint32_t *words = piece;
  uint32_t index = 0;
  while (index < PIECE_BYTES / 4 && words[index] == 0xFFFFFFFF) index++;
  hw_work(HW_WORK_COMPARE, 4 * index);
  return index == PIECE_BYTES / 4;
}

static bool write_enabled(void) {
  hw_flash_write_enable();
  return hw_flash_status() & STATUS_BIT_WRITE_ENABLED;
}

/* Erases a sector or a block, or programs a piece. Whoever yields CO_FLASH goes on when the flash is ready, or never. */
enum progress flash_write(enum flash_write what, uint32_t address, const uint32_t *from) {
  CO_BEGIN(flash.place);
  if (!flash.tried_unprotect && hw_flash_status() & STATUS_BITS_PROTECTION) {
    hw_flash_unprotect();
    begin_wait(SECTOR_US);
    CO_YIELD(CO_FLASH);
    if (hw_flash_status() & STATUS_BITS_SURELY_PROTECTION) op.status = STATUS_REFUSED;
  }
  flash.tried_unprotect = true;
  if (op.status == STATUS_DONE && !write_enabled()) op.status = STATUS_REFUSED;
  if (op.status == STATUS_DONE) {
    if (what == FLASH_PROGRAM) hw_flash_program(address, from, PIECE_BYTES);
    else if (what == FLASH_SECTOR) hw_flash_erase_sector(address);
    else hw_flash_erase_block(address);
    begin_wait(what == FLASH_PROGRAM ? PAGE_US : what == FLASH_SECTOR ? SECTOR_US : BLOCK_US);
    CO_YIELD(CO_FLASH);
  }
  CO_END;
}
