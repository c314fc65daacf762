/* ESP32-C5. The ROM's download buffers begin at 4084E5A0. */
#include "esp/c6-like.h"
#define CHIP_ID 23
#define SYSTIMER 0x6000a000
#define RAM_END 0x40860000
