/* From the entry in start-*.S to the core, which never comes back. */
#include "hw.h"
#include "registers.h"
#include "stub.h"

#ifndef CPU_MHZ
#define CPU_MHZ 0
#endif

__attribute__((section(".patch.link"), used)) const volatile uint32_t stub_link = 0;
__attribute__((section(".patch.mhz"), used)) const volatile uint32_t stub_mhz = CPU_MHZ;

_Noreturn void stub_main(void);
void stub_main(void) {
  ram_start();
  spi_start();
  stub_start();
  for (;;) stub_step();
}
