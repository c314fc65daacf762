/* ESP32-C3 over UART or USB-Serial-JTAG. */
#define CHIP_ID 5
#define UART 0x60000000
#define UART_COUNT_MASK 0x3ff
#define UART_FSM 0x6c
#define UART_UPDATE 0x80
#define UART_UPDATE_BIT 31
#define USB 0x60043000
#define SYSTIMER 0x60023000

#define SPI 0x60002000

#define TEXT_START 0x40380000
/* Code shows up on the data bus 700000 lower: 4000 bytes on, the data begins. */
#define TEXT_BYTES 0x4000
#define DATA_START 0x3fc84000
#define DATA_BYTES 0x1000
/* Below the ROM's download buffers (3FCCAE00). */
#define BSS_START 0x3fc85000
#define BSS_END 0x3fccae00

#define RAM_START 0x3fc80000
#define RAM_END 0x3fce0000
#define CODE_START 0x40380000
#define CODE_END 0x403e0000
#define CODE_MINUS_DATA 0x700000
