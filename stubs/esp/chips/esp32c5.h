/* ESP32-C5 over UART or USB-Serial-JTAG. Code and data share one bus. */
#define CHIP_ID 23
#define UART 0x60000000
#define UART_FSM 0x70
#define UART_UPDATE 0x98
#define UART_UPDATE_BIT 0
#define USB 0x6000f000
#define SYSTIMER 0x6000a000

#define SPI 0x60003000

#define TEXT_START 0x40800000
#define TEXT_BYTES 0x4000
/* Still in the window that the official stub's code has. */
#define DATA_START 0x40804000
#define DATA_BYTES 0x500
/* The ROM's download buffers begin at 4084E5A0. */
#define BSS_START 0x40804500
#define BSS_END 0x40838000

#define RAM_START 0x40800000
#define RAM_END 0x40860000
