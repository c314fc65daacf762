/* UART0 by polling; its divider is as the ROM left it. Numbers: soc/uart_reg.h of each chip in esp-stub-lib and esp-idf. */
#include "hw.h"
#include "registers.h"

#define UART_FIFO (UART + 0x00)
#ifndef UART_WRITE_FIFO
#define UART_WRITE_FIFO UART_FIFO
#endif
/* 128 bytes; some room for bytes that the count does not show yet. */
#define TRANSMIT_FIFO 120u

static uint32_t received_count(void) {
#ifdef UART_RECEIVE_POINTERS
  uint32_t pointers = get(UART + UART_RECEIVE_POINTERS);
  uint32_t count = ((pointers >> 13) - (pointers >> 2)) & 127;
  if (count != 0) return count;
  /* Equal pointers: empty, or quite full. A late count is never 128 for long; half of it is there in any case. */
  return (get(UART_STATUS) & UART_COUNT_MASK) == 128 ? 64 : 0;
#else
  return get(UART_STATUS) & UART_COUNT_MASK;
#endif
}

uint32_t hw_receive(uint8_t *to, uint32_t most) {
  if (OVER_USB) return usb_receive(to, most);
  uint32_t count = received_count();
  if (count > most) count = most;
  for (uint32_t index = 0; index < count; index++) to[index] = (uint8_t)get(UART_FIFO);
  return count;
}

uint32_t uart_waiting(void) {
  return get(UART_STATUS) >> 16 & UART_COUNT_MASK;
}

uint32_t hw_transmit(const uint8_t *from, uint32_t count) {
  if (OVER_USB) return usb_transmit(from, count);
  uint32_t waiting = uart_waiting();
  uint32_t room = waiting < TRANSMIT_FIFO ? TRANSMIT_FIFO - waiting : 0;
  if (count > room) count = room;
  for (uint32_t index = 0; index < count; index++) set(UART_WRITE_FIFO, from[index]);
  return count;
}
