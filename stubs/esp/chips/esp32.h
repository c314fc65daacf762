/* ESP32. */
#define CHIP_ID 0
#define XTENSA 1
#define WINDOWED 1
#define UART 0x3ff40000
/* Writes to the transmit FIFO go over the other bus, or some are lost when they follow each other; reads do not (esp-idf, hal/esp32/uart_ll.h). */
#define UART_WRITE_FIFO 0x60000000
/* After reads over this bus the count in STATUS is late; the pointers are right (same place). Read address at bit 2, write address at 13. */
#define UART_RECEIVE_POINTERS 0x60
/* Crystal, as the ROM leaves it; a 26 MHz board gets another word from the host. */
#define CPU_MHZ 40

#define SPI 0x3ff42000
#define SPI_USER 0x1c
#define SPI_USER1 0x20
#define SPI_USER2 0x24
#define SPI_OUT_BITS 0x28
#define SPI_IN_BITS 0x2c
#define SPI_WORDS 0x80
#define SPI_ADDRESS_SHIFT 8

#define TEXT_START 0x400a8000
/* The official window ends at 400AA100; SRAM1 goes on, and the ROM uses none of it below 400BC000 (that is 3FFE4000 on the data bus). */
#define TEXT_BYTES 0x4000
/* The end of the stub window: the ROM's packet buffer is at 3FFC0000, its data begins at 3FFE0000. */
#define DATA_START 0x3ffdf000
#define DATA_BYTES 0x1000
#define BSS_START 0x3ffb0000
#define BSS_END 0x3ffdf000
/* A sector less than the others: no more room. */
#define SAVE_BYTES 0xb000

/* Above, SRAM1 shows the code's memory backwards. */
#define RAM_START 0x3ffae000
#define RAM_END 0x3fff0000
#define CODE_START 0x40080000
#define CODE_END 0x400c0000
