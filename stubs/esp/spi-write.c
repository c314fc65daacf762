/* Commands that change the flash. Opcodes: any 25-series data sheet. */
#include "hw.h"
#include "registers.h"
#include "spi.h"

#define WRITE_STATUS 0x01
#define PROGRAM 0x02
#define READ_STATUS 0x05
#define WRITE_ENABLE 0x06
#define ERASE_SECTOR 0x20
#define READ_STATUS_2 0x35
#define READ_ID 0x9f
#define ERASE_BLOCK 0xd8

uint8_t hw_flash_status(void) {
  return (uint8_t)spi_ask(READ_STATUS, 1);
}

void hw_flash_write_enable(void) {
  spi_command(0, WRITE_ENABLE, 0, 0);
}

/*
 * Bits 2 to 5 are BP0 to BP3 or TB; with them zero nothing is protected, whatever bit 6 says, and bit 6 is QE on Macronix and ISSI parts.
 * Those and the larger GigaDevice parts take one byte; the others want the second register, which holds QE, repeated, or clear it
 * (esp-idf bootloader_flash_unlock_default has the same three kinds).
 */
void hw_flash_unprotect(void) {
  uint32_t status = spi_ask(READ_STATUS, 1);
  uint32_t id = spi_ask(READ_ID, 3);
  uint32_t maker = id & 0xff;
  uint32_t count = 1;
  if ((status & 0x3c) == 0) return;
  status &= ~0x3cu;
  if (maker != 0x9d && maker != 0xc2 && (maker != 0xc8 || id >> 16 < 0x16)) {
    status |= spi_ask(READ_STATUS_2, 1) << 8;
    count = 2;
  }
  hw_flash_write_enable();
  set(SPI + SPI_WORDS, status);
  spi_command(PHASE_OUT, WRITE_STATUS, 0, count);
}

void hw_flash_erase_sector(uint32_t address) {
  spi_command(PHASE_ADDRESS, ERASE_SECTOR, address, 0);
}

void hw_flash_erase_block(uint32_t address) {
  spi_command(PHASE_ADDRESS, ERASE_BLOCK, address, 0);
}

void hw_flash_program(uint32_t address, const uint32_t *from, uint32_t count) {
  for (uint32_t index = 0; index < count; index += 4) set(SPI + SPI_WORDS + index, *from++);
  spi_command(PHASE_ADDRESS | PHASE_OUT, PROGRAM, address, count);
}
