/* ESP32-P4, revision 3.0 and later. */
#include "esp/p4-like.h"

#define TEXT_START 0x4ff50000
#define DATA_START 0x4ff60000
/* The ROM's download buffers begin at 4FFA96B8; low RAM may be the level 2 cache. */
#define BSS_START 0x4ff61000
#define BSS_END 0x4ff91000
