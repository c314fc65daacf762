/* The host's programs: calling them, and leaving for good. */
#include "hw.h"
#include "registers.h"

/* start-*.S: with the stack and the interrupt state of the ROM, for programs that expect what MEM_END would give them. */
_Noreturn void start_program(uint32_t address);

uint32_t hw_call(uint32_t address, const uint32_t arguments[4]) {
  uint32_t (*function)(uint32_t, uint32_t, uint32_t, uint32_t) = (uint32_t(*)(uint32_t, uint32_t, uint32_t, uint32_t))address;
  return function(arguments[0], arguments[1], arguments[2], arguments[3]);
}

void hw_run(uint32_t address) {
  start_program(address);
}
