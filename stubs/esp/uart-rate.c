/* Whether UART0 has sent its last bit, and its divider. Numbers: as in uart.c. */
#include "hw.h"
#include "registers.h"

#define UART_DIVIDER (UART + 0x14)

#if defined UART_FSM
static bool shifting(void) {
  return (get(UART + UART_FSM) >> 4 & 15) != 0; /* UART_ST_UTX_OUT */
}
#elif defined WINDOWED
static bool shifting(void) {
  return (get(UART_STATUS) >> 24 & 15) != 0; /* the ESP32 has UART_ST_UTX_OUT there */
}
#else
/* The ESP8266 does not tell. Its UART runs on the processor's clock: a byte and a bit more after the FIFO has been seen empty, it is out. */
static bool shifting(void) {
  static uint32_t since;
  static bool counting;
  if (!counting) since = time_cycles();
  counting = true;
  if (time_cycles() - since < get(UART_DIVIDER) * 11) return true;
  counting = false;
  return false;
}
#endif

bool hw_transmitter_idle(void) {
  if (OVER_USB) return usb_idle();
  return uart_waiting() == 0 && !shifting();
}

uint32_t hw_divider(void) {
  return OVER_USB ? 0 : get(UART_DIVIDER);
}

void hw_set_divider(uint32_t divider) {
  if (OVER_USB) return;
  set(UART_DIVIDER, divider);
#ifdef UART_UPDATE
  /* The register is only read by the UART's own clock domain when it is told to. */
  uint32_t told = get(UART + UART_UPDATE) | 1u << UART_UPDATE_BIT;
  set(UART + UART_UPDATE, told);
  await_clear(UART + UART_UPDATE, 1u << UART_UPDATE_BIT);
#endif
}
