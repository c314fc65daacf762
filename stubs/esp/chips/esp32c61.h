/* ESP32-C61. The ROM's download buffers begin at 4083E670. */
#include "esp/c6-like.h"
#define CHIP_ID 20
#define SYSTIMER 0x6000a000
#define RAM_END 0x40850000
