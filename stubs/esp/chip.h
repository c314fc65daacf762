/*
 * A chip as data: CHIP_FILE says where things are, this file fills in what most chips share. The same numbers go through
 * the preprocessor into the link script, so nothing in here but #define.
 *
 * Sources: register headers of Espressif's esp-stub-lib and esp-idf (Apache-2.0); windows for code and data: the link scripts of
 * espressif/esp-flasher-stub; what the ROM uses while it loads: esp-idf components/bootloader/subproject/main/ld/<chip>.
 */
#ifndef CHIP_H
#define CHIP_H

#include CHIP_FILE

/* UART: from the ESP32-S2 on one layout with small differences (uart_reg.h). */
#ifndef UART_COUNT_MASK
#define UART_COUNT_MASK 0xff
#endif

/* SPI: registers of the flash controller from the ESP32-S2 on (spi_mem_reg.h, spi1_mem_reg.h, spi1_mem_c_reg.h). */
#ifndef SPI_USER
#define SPI_USER 0x18
#define SPI_USER1 0x1c
#define SPI_USER2 0x20
#define SPI_OUT_BITS 0x24
#define SPI_IN_BITS 0x28
#define SPI_WORDS 0x58
#define SPI_ADDRESS_SHIFT 0
#endif

#ifndef RING_BYTES
#define RING_BYTES 0x8000
#endif
#ifndef BLOCK_BYTES
#define BLOCK_BYTES 0x10000
#endif
#ifndef SAVE_BYTES
#define SAVE_BYTES 0xc000
#endif

/* main.c asks for no deadline, it just goes on. */
#define NEVER_WAITS 1

/* The core calls little and nests flat. */
#define STACK_BYTES 0x1000

/* Most of what is not a buffer: some 10 KiB. */
#ifndef ZEROED_BYTES
#define ZEROED_BYTES 0x3000
#endif

/* Last word of each part that is loaded later: written last, zeroed when the stub starts. */
#define PART_IS_THERE 1

#endif
