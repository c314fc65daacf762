/*
 * The flash chip behind the controller's user commands, one data line, 24-bit addresses. Every register that shapes a command is written
 * in full each time, whatever the ROM left there; clock and chip-select timing stay as SPI_ATTACH set them.
 * Numbers: soc/spi_reg.h, spi_mem_reg.h; opcodes: any 25-series data sheet.
 */
#include "hw.h"
#include "registers.h"

#define SPI_COMMAND (SPI + 0x00)
#define SPI_ADDRESS (SPI + 0x04)
#define SPI_CONTROL (SPI + 0x08)
#define START_USER (1u << 18)

/* FASTRD_MODE, FREAD_DUAL, FREAD_QUAD, FREAD_DIO, FREAD_QIO: bits 13, 14, 20, 23, 24 on every chip. They would bend a plain read. */
#define READ_MODES 0x01906000u
/* CS_HOLD, CS_SETUP and the clock edges lie in here on every chip, and nothing that shapes a command does. */
#define TIMING 0x2f0u

#define PHASE_COMMAND (1u << 31)
#define PHASE_ADDRESS (1u << 30)
#define PHASE_IN (1u << 28)
#define PHASE_OUT (1u << 27)

#define WRITE_STATUS 0x01
#define PROGRAM 0x02
#define READ 0x03
#define READ_STATUS 0x05
#define WRITE_ENABLE 0x06
#define ERASE_SECTOR 0x20
#define READ_STATUS_2 0x35
#define READ_ID 0x9f
#define ERASE_BLOCK 0xd8

static void command(uint32_t phases, uint32_t opcode, uint32_t address, uint32_t count) {
  uint32_t bits = count * 8 - 1;
  set(SPI + SPI_USER, (get(SPI + SPI_USER) & TIMING) | PHASE_COMMAND | phases);
#ifdef SPI_LENGTHS_IN_USER1
  uint32_t out = phases & PHASE_OUT ? bits << 17 : 0;
  uint32_t in = phases & PHASE_IN ? bits << 8 : 0;
  set(SPI + SPI_USER1, 23u << 26 | out | in);
#else
  set(SPI + SPI_USER1, 23u << 26);
  set(SPI + SPI_OUT_BITS, phases & PHASE_OUT ? bits : 0);
  set(SPI + SPI_IN_BITS, phases & PHASE_IN ? bits : 0);
#endif
  set(SPI + SPI_USER2, 7u << 28 | opcode);
  set(SPI_ADDRESS, address << SPI_ADDRESS_SHIFT);
  set(SPI_COMMAND, START_USER);
  await_clear(SPI_COMMAND, START_USER);
}

static uint32_t ask(uint32_t opcode, uint32_t count) {
  set(SPI + SPI_WORDS, 0);
  command(PHASE_IN, opcode, 0, count);
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
  return ask(READ_ID, 3);
}

uint8_t hw_flash_status(void) {
  return (uint8_t)ask(READ_STATUS, 1);
}

void hw_flash_write_enable(void) {
  command(0, WRITE_ENABLE, 0, 0);
}

/*
 * Bits 2 to 5 are BP0 to BP3 or TB; with them zero nothing is protected, whatever bit 6 says, and bit 6 is QE on Macronix and ISSI parts.
 * Those and the larger GigaDevice parts take one byte; the others want the second register, which holds QE, repeated, or clear it
 * (esp-idf bootloader_flash_unlock_default has the same three kinds).
 */
void hw_flash_unprotect(void) {
  uint32_t status = ask(READ_STATUS, 1);
  uint32_t id = ask(READ_ID, 3);
  uint32_t maker = id & 0xff;
  uint32_t count = 1;
  if ((status & 0x3c) == 0) return;
  status &= ~0x3cu;
  if (maker != 0x9d && maker != 0xc2 && (maker != 0xc8 || id >> 16 < 0x16)) {
    status |= ask(READ_STATUS_2, 1) << 8;
    count = 2;
  }
  hw_flash_write_enable();
  set(SPI + SPI_WORDS, status);
  command(PHASE_OUT, WRITE_STATUS, 0, count);
}

void hw_flash_read(uint32_t address, uint32_t *to, uint32_t count) {
  command(PHASE_ADDRESS | PHASE_IN, READ, address, count);
  for (uint32_t index = 0; index < count; index += 4) *to++ = get(SPI + SPI_WORDS + index);
}

void hw_flash_erase_sector(uint32_t address) {
  command(PHASE_ADDRESS, ERASE_SECTOR, address, 0);
}

void hw_flash_erase_block(uint32_t address) {
  command(PHASE_ADDRESS, ERASE_BLOCK, address, 0);
}

void hw_flash_program(uint32_t address, const uint32_t *from, uint32_t count) {
  for (uint32_t index = 0; index < count; index += 4) set(SPI + SPI_WORDS + index, *from++);
  command(PHASE_ADDRESS | PHASE_OUT, PROGRAM, address, count);
}
