/*
 * The hardware layer for generic emulated processors: a 16550 by polling, a counter, and a NOR flash of 1 MiB in RAM that behaves like one
 * (programming only clears bits, pages wrap, erasing takes a while). Entry, link script and RAM access are those of the chips.
 */
#include "hw.h"
#include "registers.h"

#define REGISTER(index) at(UART + ((index) << UART_SHIFT))
#define LINE_STATUS 5
#define ARRIVED 0x01u
#define ROOM 0x20u
#define EMPTY 0x40u

#define FLASH_BYTES 0x100000u
#define SECTOR 0x1000u
#define BLOCK 0x10000u
#define PAGE 0x100u

static uint8_t flash[FLASH_BYTES];
static bool write_enabled;
static uint32_t protection = 0x1c; /* as a new part may come: the core has to clear it */
static uint32_t busy_from, busy_for;

/* 16550s are read and written by bytes. */
static uint8_t get_byte(uint32_t index) {
  return *(volatile uint8_t *)REGISTER(index);
}

uint32_t hw_receive(uint8_t *to, uint32_t most) {
  uint32_t count = 0;
  while (count < most && (get_byte(LINE_STATUS) & ARRIVED) != 0) to[count++] = get_byte(0);
  return count;
}

uint32_t hw_transmit(const uint8_t *from, uint32_t count) {
  uint32_t index = 0;
  while (index < count && (get_byte(LINE_STATUS) & ROOM) != 0) *(volatile uint8_t *)REGISTER(0) = from[index++];
  return index;
}

bool hw_transmitter_idle(void) {
  return (get_byte(LINE_STATUS) & EMPTY) != 0;
}

static uint32_t divider = 1;
uint32_t hw_divider(void) {
  return divider;
}
/* The wire has no rate. */
void hw_set_divider(uint32_t value) {
  divider = value;
}

#ifdef TICKS /* else esp/time.c counts cycles */
uint32_t hw_micros(void) {
  static uint32_t micros, counted;
  uint32_t passed = (get(TICKS) - counted) / TICKS_PER_US;
  counted += passed * TICKS_PER_US;
  return micros += passed;
}
#endif

/* Wakes up with nothing to attach. */
void spi_start(void) {
  for (uint32_t index = 0; index < FLASH_BYTES; index++) flash[index] = 0xff;
}

uint32_t hw_flash_id(void) {
  return 0x1440ef;
}

static bool is_busy(void) {
  if (busy_for != 0 && hw_micros() - busy_from >= busy_for) busy_for = 0;
  return busy_for != 0;
}

uint8_t hw_flash_status(void) {
  return (uint8_t)(protection | (write_enabled ? 2 : 0) | (is_busy() ? 1 : 0));
}

void hw_flash_write_enable(void) {
  if (!is_busy()) write_enabled = true;
}

void hw_flash_unprotect(void) {
  hw_flash_write_enable();
  protection = 0;
  write_enabled = false;
}

static bool begin(uint32_t microseconds) {
  if (!write_enabled || is_busy() || protection != 0) return false;
  write_enabled = false;
  busy_from = hw_micros();
  busy_for = microseconds;
  return true;
}

static uint32_t coming;
void hw_flash_read_begin(uint32_t address) {
  coming = address;
}
void hw_flash_read_end(uint32_t *to) {
  uint8_t *bytes = (uint8_t *)to;
  bool busy = is_busy();
  for (uint32_t index = 0; index < 64; index++) bytes[index] = busy ? 0xa5 : flash[(coming + index) % FLASH_BYTES];
}
void hw_flash_read_dual(bool on) {
  (void)on;
}

static void erase(uint32_t address, uint32_t size) {
  if (!begin(size / 8)) return;
  uint32_t start = address % FLASH_BYTES & ~(size - 1);
  for (uint32_t index = 0; index < size; index++) flash[start + index] = 0xff;
}
void hw_flash_erase_sector(uint32_t address) {
  erase(address, SECTOR);
}
void hw_flash_erase_block(uint32_t address) {
  erase(address, BLOCK);
}

void hw_flash_program(uint32_t address, const uint32_t *from, uint32_t count) {
  if (!begin(50)) return;
  const uint8_t *bytes = (const uint8_t *)from;
  uint32_t page = address % FLASH_BYTES & ~(PAGE - 1);
  for (uint32_t index = 0; index < count; index++) flash[page + (address + index) % PAGE] &= bytes[index];
}
