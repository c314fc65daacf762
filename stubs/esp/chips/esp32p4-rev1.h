/* ESP32-P4 before revision 3.0. */
#include "esp/p4-like.h"

#define TEXT_START 0x4ff10000
#define DATA_START 0x4ff50000
/* The ROM has 4FF296B8 to 4FF40000; high RAM may be the level 2 cache. */
#define BSS_START 0x4ff51000
#define BSS_END 0x4ff81000
