/* What all revisions of the ESP32-P4 share: UART or USB-Serial-JTAG. Where the stub lies is said by each header in `chips`. */
#define CHIP_ID 18
#define UART 0x500ca000
#define UART_FSM 0x70
#define UART_UPDATE 0x98
#define UART_UPDATE_BIT 0
#define USB 0x500d2000
#define SYSTIMER 0x500e2000

#define SPI 0x5008d000

#define TEXT_BYTES 0x4000
#define DATA_BYTES 0x1000

/* RAM again, past the caches: what others are to execute is written there (esp-idf soc.h, SOC_NON_CACHEABLE_OFFSET_SRAM). */
#define UNCACHED_OFFSET 0x40000000
#define RAM_START 0x4ff00000
#define RAM_END 0x4ffa0000
