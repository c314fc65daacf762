/*
 * Flash of the RP2040 by the registers of its SSI, for where there is no boot ROM: emulators. It does not take a flash chip out of a
 * continuous read mode. Numbers: RP2040 Datasheet, chapters 2.19.6.2 and 4.10; commands as on any SPI NOR (W25Q16JV).
 */
#define DRIVER_ID 3
#define PROGRAM_UNIT 256
#include "rp2040.h"

#define SSI_CTRLR0 SSI
#define SSI_CTRLR1 (SSI + 0x04)
#define SSI_SER (SSI + 0x10)
#define SSI_SPI_CTRLR0 (SSI + 0xF4)
/* Frames of 8 bits, both ways; and 32 bits that are read behind command and address. */
#define CTRLR0_BYTES (7u << 16)
#define CTRLR0_XIP (31u << 16 | 3u << 8)
/* Command 03h of 8 bits, address of 24. */
#define SPI_CTRLR0_XIP (0x03u << 24 | 2u << 8 | 6u << 2)
#define XIP_FLUSH 0x14000004u

#define QSPI_SCLK_CTRL 0x40018004u

#define WRITE_ENABLE 0x06u
#define PAGE_PROGRAM 0x02u
#define SECTOR_ERASE 0x20u
#define BLOCK_ERASE 0xD8u
#define SECTOR_BYTES 4096u
#define FLASH_BLOCK_BYTES 65536u

static void select_at(uint32_t byte, uint32_t address) {
  select(WRITE_ENABLE);
  deselect();
  select(byte);
  exchange(address >> 16 & 0xFF);
  exchange(address >> 8 & 0xFF);
  exchange(address & 0xFF);
}

static void set_ssi(uint32_t ctrlr0, uint32_t spi_ctrlr0, uint32_t select_by) {
  *word_at(SSI_SSIENR) = 0;
  *word_at(SSI_BAUDR) = FASTEST_DIVIDER;
  *word_at(SSI_CTRLR0) = ctrlr0;
  *word_at(SSI_CTRLR1) = 0;
  *word_at(SSI_SPI_CTRLR0) = spi_ctrlr0;
  *word_at(SSI_SER) = 1;
  *word_at(SSI_SSIENR) = 1;
  *word_at(QSPI_SS_CTRL) = select_by;
}

static void begin(void) {
  set_ssi(CTRLR0_BYTES, 0, SS_HIGH);
}

static void end(void) {
  set_ssi(CTRLR0_XIP, SPI_CTRLR0_XIP, SS_BY_SSI);
  *word_at(XIP_FLUSH) = 1;
  (void)*word_at(XIP_FLUSH); /* waits until it is done */
}

static inline uint32_t driver_init(uint32_t *state) {
  (void)state;
  park_core_1();
  raise_clock();
  uint32_t status = leave_reset(RESET_IO_QSPI | RESET_PADS_QSPI);
  for (uint32_t pin = 0; pin < 6; pin++) *word_at(QSPI_SCLK_CTRL + 8 * pin) = 0;
  begin();
  if (status == STATUS_OK) status = finish();
  end();
  return status;
}

static inline uint32_t driver_done(uint32_t *state) {
  (void)state;
  return STATUS_OK;
}

static inline uint32_t driver_erase(uint32_t *state, uint32_t address, uint32_t bytes) {
  (void)state;
  uint32_t status = STATUS_OK;
  begin();
  for (const uint32_t behind = address + bytes; status == STATUS_OK && address < behind;) {
    bool block = address % FLASH_BLOCK_BYTES == 0 && behind - address >= FLASH_BLOCK_BYTES;
    select_at(block ? BLOCK_ERASE : SECTOR_ERASE, address);
    status = finish();
    address += block ? FLASH_BLOCK_BYTES : SECTOR_BYTES;
  }
  end();
  return status;
}

static inline uint32_t driver_program(uint32_t *state, uint32_t address, const uint32_t *words, uint32_t bytes) {
  (void)state;
  uint32_t status = STATUS_OK;
  begin();
  for (; status == STATUS_OK && bytes > 0; bytes -= PROGRAM_UNIT, address += PROGRAM_UNIT) {
    select_at(PAGE_PROGRAM, address);
    for (uint32_t count = PROGRAM_UNIT; count > 0; count -= 4) {
      uint32_t word = *words++;
      for (uint32_t byte = 0; byte < 4; byte++, word >>= 8) exchange(word & 0xFF);
    }
    status = finish();
  }
  end();
  return status;
}
