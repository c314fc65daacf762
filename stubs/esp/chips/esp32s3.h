/* ESP32-S3 over UART or USB-Serial-JTAG. */
#define CHIP_ID 9
#define XTENSA 1
#define WINDOWED 1
#define UART 0x60000000
#define UART_COUNT_MASK 0x3ff
#define UART_FSM 0x6c
#define UART_UPDATE 0x80
#define UART_UPDATE_BIT 31
#define USB 0x60038000
#define SYSTIMER 0x60023000

#define SPI 0x60002000

#define TEXT_START 0x40378000
#define TEXT_BYTES 0x4000
#define DATA_START 0x3fca0000
#define DATA_BYTES 0x1000
/* Below the ROM's stack (3FCE9710) and its download buffers (3FCD7E00). */
#define BSS_START 0x3fca1000
#define BSS_END 0x3fcd7e00

#define RAM_START 0x3fc88000
#define RAM_END 0x3fd00000
#define CODE_START 0x40378000
#define CODE_END 0x403e0000
#define CODE_MINUS_DATA 0x6f0000
