/* How this folder touches hardware, and what its files know of each other. */
#ifndef REGISTERS_H
#define REGISTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "chip.h"

static inline volatile uint32_t *at(uint32_t address) {
  return (volatile uint32_t *)address;
}
static inline uint32_t get(uint32_t address) {
  return *at(address);
}
static inline void set(uint32_t address, uint32_t value) {
  *at(address) = value;
}

/* Longest wait for a bit that hardware changes by itself, in reads of some 0.1 us: it is never needed, it only keeps a broken chip from hanging us. */
#define PATIENCE 20000u
static inline void await_clear(uint32_t address, uint32_t bits) {
  for (uint32_t left = PATIENCE; left > 0 && (get(address) & bits) != 0; left--) continue;
}

/*
 * Words that the host may change in the image before it uploads it; they stand at the start of the data segment.
 * Which interface the host talks through: 0 = UART0, 1 = USB-Serial-JTAG.
 */
extern const volatile uint32_t stub_link;
/* Processor clock in MHz; only read where hw_micros() counts the processor's cycles. */
extern const volatile uint32_t stub_mhz;

#ifdef USB
#define OVER_USB (stub_link == 1)
uint32_t usb_receive(uint8_t *to, uint32_t most);
uint32_t usb_transmit(const uint8_t *from, uint32_t count);
bool usb_idle(void);
#else
#define OVER_USB false
static inline uint32_t usb_receive(uint8_t *to, uint32_t most) { return (void)to, most * 0; }
static inline uint32_t usb_transmit(const uint8_t *from, uint32_t count) { return (void)from, count * 0; }
static inline bool usb_idle(void) { return true; }
#endif

/* uart.c */
#define UART_STATUS (UART + 0x1c)
uint32_t uart_waiting(void); /* bytes in the transmit FIFO */
/* time.c: processor cycles, where there is a counter of them */
uint32_t time_cycles(void);
/* ram-free.c */
__attribute__((noinline)) bool ram_is_free(uint32_t address, uint32_t count);
/* ram.c, spi.c */
void ram_start(void);
void spi_start(void);

#endif
