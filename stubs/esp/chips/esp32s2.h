/* ESP32-S2 over UART. Its USB-OTG needs the ROM's driver and is not for us. */
#define CHIP_ID 2
#define XTENSA 1
#define WINDOWED 1
#define UART 0x3f400000
#define UART_COUNT_MASK 0x3ff
#define UART_FSM 0x68
/* Its SYSTIMER counts by a step that fits no clock the ROM runs at (default 80 per tick of the crystal), so the processor's counter. */
#define CPU_MHZ 40

#define SPI 0x3f402000

#define TEXT_START 0x40028000
#define TEXT_BYTES 0x4000
/* Behind the code, which shows here 70000 lower; still in the window that the official stub's code has. */
#define DATA_START 0x3ffbc000
#define DATA_BYTES 0x1000
/* Up to the ROM's stack; the download buffers from 3FFEAB00 on are free once the ROM has loaded us. */
#define BSS_START 0x3ffbd000
#define BSS_END 0x3fffc000

#define RAM_START 0x3ffb0000
#define RAM_END 0x40000000
#define CODE_START 0x40020000
#define CODE_END 0x40070000
#define CODE_MINUS_DATA 0x70000
