/* ESP32-C6. The ROM's download buffers begin at 4086AD08. */
#include "esp/c6-like.h"
#define CHIP_ID 13
#define SYSTIMER 0x6000a000
#define RAM_END 0x40880000
