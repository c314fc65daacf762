/* ESP32-H2. The ROM's download buffers begin at 4083BA78. */
#include "esp/c6-like.h"
#define CHIP_ID 16
#define SYSTIMER 0x6000b000
#define RAM_END 0x40850000
