/*
 * The hardware layer in memory: a NOR flash that ends the program when it is told something wrong, a wire without loss, a clock that
 * counts the work of every step. Knows what the core is at only to check that nothing is erased before its block has proven right.
 */
#include "board.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core.h"

struct board board;
uint32_t board_seed;

static struct {
  uint8_t *bytes;
  uint32_t count, used, room;
} to_stub, from_stub;
static uint64_t busy_until;
static bool write_enabled;
static uint32_t divider;
static uint32_t coming = ~0u; /* the address that is being read */
static bool dual;
static uint32_t commits = 1, proven_at; /* a block is checked once for each write after a step that was not part of a COMMIT */
static uint32_t cycles; /* of the step under way */

/* Cycles per byte at 40 MHz, in the order of enum hw_work; a read of 64 bytes is 26 us, a command 2. */
static const uint32_t costs[] = {20, 8, 6, 4, 16, 10, 18};
#define READ_CYCLES 1040u
#define READ_DUAL_CYCLES 530u
#define COMMAND_CYCLES 80u
/* 0.3 ms, what stub.h promises. */
#define MOST_CYCLES 12000u

_Noreturn void broken(const char *what) {
  fprintf(stderr, "broken: %s (seed %u, operation %02x)\n", what, board_seed, op.code);
  abort();
}

uint32_t crc32_of(const uint8_t *bytes, uint32_t count) {
  static uint32_t table[256];
  for (uint32_t index = 255; table[1] == 0 && index > 0; index--) {
    table[index] = index;
    for (int bit = 0; bit < 8; bit++) table[index] = table[index] >> 1 ^ (0xEDB88320u & -(table[index] & 1));
  }
  uint32_t crc = 0xFFFFFFFFu;
  while (count-- > 0) crc = crc >> 8 ^ table[(crc ^ *bytes++) & 0xFF];
  return ~crc;
}

void board_start(void) {
  uint8_t *flash = board.flash == NULL ? malloc(FLASH_BYTES) : board.flash;
  board = (struct board){.flash = flash, .us = 1};
  to_stub.count = to_stub.used = from_stub.count = from_stub.used = 0;
  busy_until = 0;
  write_enabled = false;
  divider = 347; /* a read that is under way goes on, as in a chip */
  stub_start();
}

void board_send(const uint8_t *bytes, uint32_t count) {
  if (to_stub.used == to_stub.count) to_stub.used = to_stub.count = 0;
  if (to_stub.count + count > to_stub.room) to_stub.bytes = realloc(to_stub.bytes, to_stub.room = 2 * (to_stub.count + count));
  memcpy(to_stub.bytes + to_stub.count, bytes, count);
  to_stub.count += count;
}

uint32_t board_backlog(void) {
  return to_stub.count - to_stub.used;
}

uint32_t board_take(uint8_t *to, uint32_t most) {
  uint32_t count = from_stub.count < most ? from_stub.count : most;
  memcpy(to, from_stub.bytes, count);
  memmove(from_stub.bytes, from_stub.bytes + count, from_stub.count - count);
  from_stub.count -= count;
  return count;
}

static bool busy(void) {
  return board.stuck || board.us < busy_until;
}

static void work(uint32_t more) {
  cycles += more;
  MUST(cycles <= MOST_CYCLES);
}

int board_step(uint64_t until_us) {
  cycles = 0;
  if (op.code != 0x28 || !op.running) commits++;
  enum stub_wait wait = stub_step();
  board.us += 1 + cycles / 40;
  if (wait == STUB_MORE || to_stub.used < to_stub.count) return STUB_MORE;
  int32_t ahead = (int32_t)(stub_deadline() - (uint32_t)board.us);
  MUST(ahead <= 1000000);
  uint64_t next = ahead > 0 ? board.us + (uint32_t)ahead : board.us;
  if (wait == STUB_FLASH && !board.stuck && busy_until < next) next = busy_until;
  if (until_us < next) next = until_us;
  if (next > board.us) board.us = next;
  return (int)wait;
}

uint32_t hw_receive(uint8_t *to, uint32_t most) {
  uint32_t count = board_backlog() < most ? board_backlog() : most;
  memcpy(to, to_stub.bytes + to_stub.used, count);
  to_stub.used += count;
  return count;
}

uint32_t hw_transmit(const uint8_t *from, uint32_t count) {
  if (count > 96) count = 96; /* what was free in the FIFO */
  if (from_stub.count + count > from_stub.room) from_stub.bytes = realloc(from_stub.bytes, from_stub.room = 2 * (from_stub.count + count));
  memcpy(from_stub.bytes + from_stub.count, from, count);
  from_stub.count += count;
  return count;
}

bool hw_transmitter_idle(void) {
  return true;
}

uint32_t hw_divider(void) {
  return divider;
}

void hw_set_divider(uint32_t value) {
  divider = value;
}

uint32_t hw_micros(void) {
  return (uint32_t)board.us;
}

uint32_t hw_flash_id(void) {
  MUST((!busy() || board.stuck) && coming == ~0u);
  return 0x1640EF;
}

uint8_t hw_flash_status(void) {
  MUST(coming == ~0u);
  work(COMMAND_CYCLES);
  return (uint8_t)(busy() | write_enabled << 1 | board.protection);
}

void hw_flash_write_enable(void) {
  MUST(coming == ~0u);
  work(COMMAND_CYCLES);
  write_enabled = !board.refuses && !busy();
}

void hw_flash_unprotect(void) {
  MUST(board.protection != 0 && !busy());
  board.protection &= 0x40;
  busy_until = board.us + 10000;
}

static void must_be_piece(uint32_t address, const uint32_t *words, uint32_t count) {
  MUST(address % 4 == 0 && count % 4 == 0 && count > 0 && count <= 64 && (uintptr_t)words % 4 == 0);
  MUST(address <= flash.size && count <= flash.size - address && flash.size <= FLASH_BYTES);
  MUST(!busy());
}

void hw_flash_read_begin(uint32_t address) {
  MUST(address % 64 == 0 && address <= flash.size && 64 <= flash.size - address && coming == ~0u && !busy());
  coming = address;
}

void hw_flash_read_end(uint32_t *to) {
  MUST(coming != ~0u && (uintptr_t)to % 4 == 0);
  memcpy(to, board.flash + coming, 64);
  if (dual && board.one_line) to[3] ^= 1;
  coming = ~0u;
  work(dual ? READ_DUAL_CYCLES : READ_CYCLES);
}

void hw_flash_read_dual(bool on) {
  MUST(coming == ~0u);
  dual = on;
}

static void begin_write(uint32_t us) {
  MUST(write_enabled && !busy());
  work(COMMAND_CYCLES);
  write_enabled = false;
  busy_until = board.us + us;
}

/* The heart of it: what is erased lies in a block that is complete and what was announced. */
static void must_be_proven(uint32_t address, uint32_t count) {
  MUST(op.code == 0x28 && block.length > 0 && block.filled == block.length);
  if (proven_at != commits) MUST(crc32_of((const uint8_t *)block_words, block.length) == block.announced);
  proven_at = commits;
  MUST(address >= block.address && count <= block.length && address - block.address <= block.length - count);
}

static void erase(uint32_t address, uint32_t count, uint32_t us) {
  MUST(address % count == 0 && address <= flash.size && count <= flash.size - address);
  if (op.code != 0x30) must_be_proven(address, count);
  begin_write(us);
  memset(board.flash + address, 0xFF, count);
  board.erases++;
}

void hw_flash_erase_sector(uint32_t address) {
  erase(address, SECTOR_BYTES, 45000);
}

void hw_flash_erase_block(uint32_t address) {
  erase(address, BLOCK_ERASE_BYTES, 150000);
}

void hw_flash_program(uint32_t address, const uint32_t *from, uint32_t count) {
  must_be_piece(address, from, count);
  MUST(address / 256 == (address + count - 1) / 256);
  must_be_proven(address, count);
  const uint8_t *bytes = (const uint8_t *)from;
  for (uint32_t index = 0; index < count; index++) MUST((bytes[index] & ~board.flash[address + index]) == 0);
  begin_write(125);
  memcpy(board.flash + address, from, count);
  board.programs++;
}

bool hw_ram_writable(uint32_t address, uint32_t count) {
  return address >= 0x1000 && address < 0x2000 && count <= 0x2000 - address;
}

void hw_ram_write(uint32_t address, const uint8_t *from, uint32_t count) {
  static uint8_t ram[0x1000];
  MUST(hw_ram_writable(address, count));
  memcpy(ram + (address - 0x1000), from, count);
}

uint32_t hw_register(uint32_t address, uint32_t value, uint32_t mask) {
  return address ^ (value & mask);
}

uint32_t hw_call(uint32_t address, const uint32_t arguments[4]) {
  return address + arguments[0] + arguments[3];
}

void hw_run(uint32_t address) {
  (void)address;
}

bool hw_part_loaded(enum hw_part part) {
  return !(board.missing & part);
}

uint8_t hw_chip(void) {
  return 5;
}

void hw_work(enum hw_work kind, uint32_t bytes) {
  work(costs[kind] * bytes);
}
