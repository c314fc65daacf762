/* ESP8266. The flash sits on the controller that its manual calls SPI0. */
#define CHIP_ID 0xff
#define XTENSA 1
#define UART 0x60000000
/* Twice the 26 MHz crystal, for processor and UART, as the ROM leaves it. */
#define CPU_MHZ 52

#define SPI 0x60000200
#define SPI_USER 0x1c
#define SPI_USER1 0x20
#define SPI_USER2 0x24
/* Lengths stand in USER1: bits - 1 at 17 (out) and 8 (in). */
#define SPI_LENGTHS_IN_USER1 1
#define SPI_WORDS 0x40
#define SPI_ADDRESS_SHIFT 8
/* Nothing tells whether its user commands obey the read modes. */
#define DATA_LINES 1
/* Its ROM cannot change the rate. */
#define RATE_IN_BOOT 1
/* eagle.rom.addr.v6.ld: SelectSpiFunction, spi_flash_attach. The ROM loader has no command for them. */
#define ROM_SELECT_PINS 0x40003f58
#define ROM_ATTACH 0x40004644

#define TEXT_START 0x4010c500
#define TEXT_BYTES 0x3600
#define DATA_START 0x3ffe8100
#define DATA_BYTES 0x1000
#define BSS_START 0x3ffe9100
#define BSS_END 0x3fffc000
/* 76 KiB have to do, and the inflater wants 36 of them. */
#define RING_BYTES 0x2000
#define BLOCK_BYTES 0x4000
#define SAVE_BYTES 0x1000

#define RAM_START 0x3ffe8000
#define RAM_END 0x3fffc000
#define CODE_START 0x40100000
#define CODE_END 0x40110000
