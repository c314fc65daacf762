/* Debian's qemu-system-riscv32 -machine virt, as a chip. Numbers: QEMU hw/riscv/virt.c. */
#define CHIP_ID 0xf0
#define UART 0x10000000
#define UART_SHIFT 0
/* mtime of the CLINT, 10 MHz, low word */
#define TICKS 0x0200bff8
#define TICKS_PER_US 10

/* Where the machine begins, whatever the ELF file says. */
#define ENTRY_FIRST 1
#define TEXT_START 0x80000000
#define TEXT_BYTES 0x4000
#define DATA_START 0x80010000
#define DATA_BYTES 0x8000
#define BSS_START 0x80020000
#define BSS_END 0x80800000

/* The flash is an array. */
#define DATA_LINES 1
#define RAM_START 0x80000000
#define RAM_END 0x81000000

/* The flash is among it. */
#define ZEROED_BYTES 0x110000
