/*
 * The flash chip behind the controller's user commands, 24-bit addresses. Every register that shapes a command is written
 * in full each time, whatever the ROM left there; clock and chip-select timing stay as SPI_ATTACH set them.
 * Numbers: soc/spi_reg.h, spi_mem_reg.h; opcodes: any 25-series data sheet.
 */
#include "hw.h"
#include "registers.h"
#include "spi.h"

#define SPI_COMMAND (SPI + 0x00)
#define SPI_ADDRESS (SPI + 0x04)
#define SPI_CONTROL (SPI + 0x08)
#define START_USER (1u << 18)

/* FASTRD_MODE, FREAD_DUAL, FREAD_QUAD, FREAD_DIO, FREAD_QIO: bits 13, 14, 20, 23, 24 on every chip. They would bend a plain read. */
#define READ_MODES 0x01906000u
/* FASTRD_MODE with FREAD_DUAL: data come in over two lines, nothing else changes (esp-idf, spi_flash_ll_set_read_mode). */
#define READ_MODE_DUAL 0x6000u
/* Counts only with PHASE_DUMMY: 8, less one. */
#define DUMMY_CLOCKS 7u
/* CS_HOLD, CS_SETUP and the clock edges lie in here on every chip, and nothing that shapes a command does. */
#define TIMING 0x2f0u

#define READ 0x03
#define READ_DUAL 0x3b
#define READ_ID 0x9f

void spi_begin(uint32_t phases, uint32_t opcode, uint32_t address, uint32_t count) {
  uint32_t bits = count * 8 - 1;
  set(SPI + SPI_USER, (get(SPI + SPI_USER) & TIMING) | PHASE_COMMAND | phases);
#ifdef SPI_LENGTHS_IN_USER1
  uint32_t out = phases & PHASE_OUT ? bits << 17 : 0;
  uint32_t in = phases & PHASE_IN ? bits << 8 : 0;
  set(SPI + SPI_USER1, 23u << 26 | out | in);
#else
  set(SPI + SPI_USER1, 23u << 26 | DUMMY_CLOCKS);
  set(SPI + SPI_OUT_BITS, phases & PHASE_OUT ? bits : 0);
  set(SPI + SPI_IN_BITS, phases & PHASE_IN ? bits : 0);
#endif
  set(SPI + SPI_USER2, 7u << 28 | opcode);
  set(SPI_ADDRESS, address << SPI_ADDRESS_SHIFT);
  set(SPI_COMMAND, START_USER);
}

void spi_end(void) {
  await_clear(SPI_COMMAND, START_USER);
}

void spi_command(uint32_t phases, uint32_t opcode, uint32_t address, uint32_t count) {
  spi_begin(phases, opcode, address, count);
  spi_end();
}

uint32_t spi_ask(uint32_t opcode, uint32_t count) {
  set(SPI + SPI_WORDS, 0);
  spi_command(PHASE_IN, opcode, 0, count);
  return get(SPI + SPI_WORDS) & (0xffffffffu >> (32 - 8 * count));
}

#ifdef ROM_ATTACH
static void call_rom(uint32_t address) {
  __asm__("" : "+r"(address)); /* too far for a direct call, which the compiler would make */
  ((void (*)(void))address)();
}
#endif

void spi_start(void) {
#ifdef ROM_ATTACH
  call_rom(ROM_SELECT_PINS);
  call_rom(ROM_ATTACH);
#endif
  set(SPI_CONTROL, get(SPI_CONTROL) & ~READ_MODES);
}

uint32_t hw_flash_id(void) {
  return spi_ask(READ_ID, 3);
}

static bool dual;

/* The read mode is set for this one command only: the others must not be bent. */
void hw_flash_read_begin(uint32_t address) {
  if (dual) set(SPI_CONTROL, get(SPI_CONTROL) | READ_MODE_DUAL);
  if (dual) spi_begin(PHASE_ADDRESS | PHASE_DUMMY | PHASE_IN, READ_DUAL, address, 64);
  else spi_begin(PHASE_ADDRESS | PHASE_IN, READ, address, 64);
}

void hw_flash_read_end(uint32_t *to) {
  spi_end();
  if (dual) set(SPI_CONTROL, get(SPI_CONTROL) & ~READ_MODES);
  for (uint32_t index = 0; index < 64; index += 4) *to++ = get(SPI + SPI_WORDS + index);
}

void hw_flash_read_dual(bool on) {
  dual = on;
}
