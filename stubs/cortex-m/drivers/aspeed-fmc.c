/*
 * Firmware memory controller of Aspeed AST1030 with a SPI NOR flash behind its first chip select, which shows at 0x80000000. Numbers: Linux,
 * drivers/spi/spi-aspeed-smc.c; the flash's commands are those that all serial NOR flash with 3 address bytes share (JESD216).
 * Erase units: 4 KiB, and 64 KiB where a record covers them. state[0] keeps the control register of the chip select.
 */
#define DRIVER_ID 4
#define PROGRAM_UNIT 256
#include "../driver.h"

#define CONFIG 0x7E620000u
#define CONFIG_WRITE_CE0 (1u << 16)
#define CONTROL 0x7E620010u
#define CONTROL_READ 0x00030000u /* command 03, and the window reads by address */
#define CONTROL_USER 3u          /* each access of the window is a byte on the wire */
#define CONTROL_STOP 4u          /* in user mode: chip select high */
#define WINDOW 0x80000000u

#define WRITE_ENABLE 0x06u
#define READ_STATUS 0x05u
#define STATUS_BUSY 1u
#define PAGE_PROGRAM 0x02u
#define SECTOR_ERASE 0x20u
#define BLOCK_ERASE 0xD8u
#define SECTOR 0x1000u
#define BLOCK 0x10000u

static inline volatile uint8_t *wire(void) {
  return (volatile uint8_t *)(uintptr_t)WINDOW;
}

static void select_chip(uint32_t command) {
  *word_at(CONTROL) = CONTROL_USER | CONTROL_STOP;
  *word_at(CONTROL) = CONTROL_USER;
  *wire() = (uint8_t)command;
}

static void deselect(void) {
  *word_at(CONTROL) = CONTROL_USER | CONTROL_STOP;
}

static void begin(uint32_t command, uint32_t address) {
  select_chip(WRITE_ENABLE);
  deselect();
  select_chip(command);
  *wire() = (uint8_t)(address >> 16);
  *wire() = (uint8_t)(address >> 8);
  *wire() = (uint8_t)address;
}

/* The command begins when chip select goes high; the window reads by address again when it is done. */
static uint32_t finish(uint32_t loops) {
  uint32_t status = STATUS_OK;
  deselect();
  select_chip(READ_STATUS);
  while (*wire() & STATUS_BUSY)
    if (loops-- == 0) {
      status = STATUS_TIMEOUT;
      break;
    }
  deselect();
  *word_at(CONTROL) = CONTROL_READ;
  return status;
}

static inline uint32_t driver_init(uint32_t *state) {
  state[0] = *word_at(CONTROL);
  *word_at(CONFIG) |= CONFIG_WRITE_CE0;
  *word_at(CONTROL) = CONTROL_READ;
  return STATUS_OK;
}

/* A control register as after a reset may read with other lines or in user mode: the flash stays readable instead. */
static inline uint32_t driver_done(uint32_t *state) {
  if ((state[0] & CONTROL_USER) != CONTROL_USER) *word_at(CONTROL) = state[0];
  return STATUS_OK;
}

static inline uint32_t driver_erase(uint32_t *state, uint32_t address, uint32_t bytes) {
  (void)state;
  uint32_t status = STATUS_OK;
  for (uint32_t end = address + bytes; status == STATUS_OK && address < end;) {
    bool is_block = (address & (BLOCK - 1)) == 0 && end - address >= BLOCK;
    begin(is_block ? BLOCK_ERASE : SECTOR_ERASE, address - WINDOW);
    status = finish(ERASE_LOOPS);
    address += is_block ? BLOCK : SECTOR;
  }
  return status;
}

static inline uint32_t driver_program(uint32_t *state, uint32_t address, const uint32_t *words, uint32_t bytes) {
  (void)state;
  uint32_t status = STATUS_OK;
  const uint8_t *from = (const uint8_t *)words;
  for (uint32_t end = address + bytes; status == STATUS_OK && address < end; address += PROGRAM_UNIT) {
    begin(PAGE_PROGRAM, address - WINDOW);
    for (uint32_t left = PROGRAM_UNIT; left > 0; left--) *wire() = *from++;
    status = finish(PROGRAM_LOOPS);
  }
  return status;
}
