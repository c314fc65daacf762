/* What ESP32-C5, C6, C61 and H2 share: UART or USB-Serial-JTAG, code and data on one bus. Their headers in `chips` say the rest. */
#define UART 0x60000000
#define UART_FSM 0x70
#define UART_UPDATE 0x98
#define UART_UPDATE_BIT 0
#define USB 0x6000f000

#define SPI 0x60003000

#define TEXT_START 0x40800000
#define TEXT_BYTES 0x4000
/* Still in the window that the official stub's code has. */
#define DATA_START 0x40804000
#define DATA_BYTES 0x500
/* Well below the ROM's download buffers, which begin elsewhere on each of them. */
#define BSS_START 0x40804500
#define BSS_END 0x40838000

#define RAM_START 0x40800000
