/* Microseconds, off the system timer or off the processor's cycle counter. */
#include "hw.h"
#include "registers.h"

#ifdef SYSTIMER

/* soc/systimer_reg.h, the same from the ESP32-C3 on: 52 bits at 16 MHz from the crystal; a snapshot is asked for with bit 30, there with bit 29. */
#define SNAPSHOT (SYSTIMER + 0x04)
#define VALUE_HIGH (SYSTIMER + 0x40)
#define VALUE_LOW (SYSTIMER + 0x44)

uint32_t hw_micros(void) {
  set(SNAPSHOT, 1u << 30);
  for (uint32_t left = PATIENCE; left > 0 && (get(SNAPSHOT) & 1u << 29) == 0; left--) continue;
  return get(VALUE_HIGH) << 28 | get(VALUE_LOW) >> 4;
}

#elif defined XTENSA

uint32_t time_cycles(void) {
  uint32_t cycles;
  __asm__ volatile("rsr %0, ccount" : "=a"(cycles));
  return cycles;
}

/* Asked far more often than the counter wraps (82 s at 52 MHz). No division: these processors have none. */
uint32_t hw_micros(void) {
  static uint32_t micros;
  static uint32_t counted;
  uint32_t mhz = stub_mhz;
  uint32_t left = time_cycles() - counted;
  uint32_t passed = 0;
  for (int32_t power = 18; power >= 0; power -= 3) {
    while (left >= mhz << power) {
      left -= mhz << power;
      passed += 1u << power;
    }
  }
  counted += passed * mhz;
  micros += passed;
  return micros;
}

#endif
