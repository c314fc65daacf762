/* Debian's qemu-system-xtensa -machine lx60-nommu (core de212, with register windows), as a chip. Numbers: QEMU hw/xtensa/xtfpga.c. */
#define CHIP_ID 0xf1
#define XTENSA 1
#define WINDOWED 1
#define UART 0x9d050020
#define UART_SHIFT 2
/* Cycles that QEMU counts per us for this core. */
#define CPU_MHZ 10

#define TEXT_START 0x60000000
#define TEXT_BYTES 0x4000
#define DATA_START 0x60010000
#define DATA_BYTES 0x8000
#define BSS_START 0x60020000
#define BSS_END 0x60800000

/* The flash is an array. */
#define DATA_LINES 1
#define RAM_START 0x60000000
#define RAM_END 0x61000000

/* The flash is among it. */
#define ZEROED_BYTES 0x110000
