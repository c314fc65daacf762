/* The same board with the ESP8266's core, which has no register windows. */
#include "de212.h"
#undef WINDOWED
#undef CHIP_ID
#define CHIP_ID 0xf2
