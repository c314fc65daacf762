/*
 * The flash as the operations see it: bytes at any address, and nothing beyond the size that HELLO gave. While one piece is worked on, the
 * next is on its way. Writing is flash-write.c's.
 */
#include "core.h"

/* Addresses are of 3 bytes. */
#define MOST_BYTES 0x1000000u
/* No piece begins there. */
#define NOWHERE 1u
/* On every board that has a program, bootloader or application have bytes there: three pieces, each 4 times as far on. */
#define FIRST_SAMPLE 0x1000u
#define LAST_SAMPLE 0x10000u
/* Of as many bytes that are FF. */
#define BLANK_CRC 0xF5F471B2u

struct flash flash = {.window_at = NOWHERE, .coming = NOWHERE};

static uint32_t window[PIECE_BYTES / 4];

static void await_piece(uint32_t *to) {
  if (flash.coming != NOWHERE) hw_flash_read_end(to);
  flash.coming = NOWHERE;
}

/* Before an operation that finds the flash other than it was, or asks it something else: nothing is on its way, nothing is known. */
void flash_start(void) {
  await_piece(window);
  flash.window_at = NOWHERE;
  flash.place = 0;
}

void flash_reset(uint32_t size) {
  flash_start();
  flash.size = (size > MOST_BYTES ? MOST_BYTES : size) & -SECTOR_BYTES;
  flash.tried_unprotect = false;
  flash.trusted = 0;
}

/* Sets the operation's status if not. Reading may run ahead up to the end of what was asked for. */
bool flash_has(uint32_t address, uint32_t count) {
  flash.until = address + count;
  if (address <= flash.size && count <= flash.size - address) return true;
  op.status = STATUS_OUTSIDE;
  return false;
}

/* A whole piece to `to`; the next one sets out. */
void flash_piece(uint32_t address, uint32_t *to) {
  if (flash.coming != address) {
    await_piece(to);
    hw_flash_read_begin(address);
  }
  hw_flash_read_end(to);
  address += PIECE_BYTES;
  flash.coming = NOWHERE;
  if (address >= flash.until) return;
  flash.coming = address;
  hw_flash_read_begin(address);
}

/* The flash's contents from `address` to the end of its piece, at most `most` bytes. */
const uint8_t *flash_bytes(uint32_t address, uint32_t most, uint32_t *count) {
  uint32_t offset = address % PIECE_BYTES;
  if (flash.window_at != address - offset) {
    flash.window_at = address - offset;
    flash_piece(flash.window_at, window);
  }
  *count = most < PIECE_BYTES - offset ? most : PIECE_BYTES - offset;
  return (const uint8_t *)window + offset;
}

/* Reads by two lines what was read by one: it must be the same, and not blank. */
void flash_choose_lines(void) {
  uint32_t before = 0;
  uint32_t crc = 0;
  for (uint32_t lines = 0; lines < 2; lines++) {
    before = crc;
    crc = CRC_START;
    hw_flash_read_dual(lines == 1);
    flash.until = 0;
    for (uint32_t address = FIRST_SAMPLE; address <= LAST_SAMPLE; address *= 4) {
      uint32_t count;
      const uint8_t *from = flash_bytes(address, PIECE_BYTES, &count);
      crc = crc_add(crc, from, count);
    }
  }
  flash.dual = crc == before && crc != BLANK_CRC;
  hw_flash_read_dual(flash.dual);
}
