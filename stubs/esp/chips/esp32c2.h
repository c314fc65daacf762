/* ESP32-C2 (ESP8684), UART only. */
#define CHIP_ID 12
#define UART 0x60000000
#define UART_COUNT_MASK 0x3ff
#define UART_FSM 0x6c
#define UART_UPDATE 0x80
#define UART_UPDATE_BIT 31
#define SYSTIMER 0x60023000

#define SPI 0x60002000

#define TEXT_START 0x40380000
#define TEXT_BYTES 0x4000
#define DATA_START 0x3fca4000
#define DATA_BYTES 0x1000
/* Up to the ROM's stack (3FCDCB70); its download buffers from 3FCCB264 on are free once it has loaded us. */
#define BSS_START 0x3fca5000
#define BSS_END 0x3fcdc000

#define RAM_START 0x3fca0000
#define RAM_END 0x3fce0000
#define CODE_START 0x40380000
#define CODE_END 0x403c0000
#define CODE_MINUS_DATA 0x6e0000
