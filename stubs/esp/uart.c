/* UART0 by polling; its divider is taken as the ROM left it. Numbers: soc/uart_reg.h of each chip in esp-stub-lib and esp-idf. */
#include "hw.h"
#include "registers.h"

#define UART_FIFO (UART + 0x00)
#define UART_DIVIDER (UART + 0x14)
#define UART_STATUS (UART + 0x1c)
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

static uint32_t waiting_to_go(void) {
  return get(UART_STATUS) >> 16 & UART_COUNT_MASK;
}

uint32_t hw_transmit(const uint8_t *from, uint32_t count) {
  if (OVER_USB) return usb_transmit(from, count);
  uint32_t waiting = waiting_to_go();
  uint32_t room = waiting < TRANSMIT_FIFO ? TRANSMIT_FIFO - waiting : 0;
  if (count > room) count = room;
  for (uint32_t index = 0; index < count; index++) set(UART_WRITE_FIFO, from[index]);
  return count;
}

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
  return waiting_to_go() == 0 && !shifting();
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
