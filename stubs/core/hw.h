/*
 * All that the core wants of a chip. Every function returns at once: nothing here waits for the wire or for the flash, and nothing takes
 * longer than 100 us, because the receiver is only looked after between steps.
 */
#ifndef HW_H
#define HW_H

#include <stdbool.h>
#include <stdint.h>

/* Takes at most `most` bytes off the receiver. Returns how many. */
uint32_t hw_receive(uint8_t *to, uint32_t most);
/* Hands at most `count` bytes to the transmitter. Returns how many it took. */
uint32_t hw_transmit(const uint8_t *from, uint32_t count);
/* The last bit is out. */
bool hw_transmitter_idle(void);
/* The UART's divider as its register holds it; 0 where there is none. */
uint32_t hw_divider(void);
void hw_set_divider(uint32_t divider);

/* Microseconds; wraps. */
uint32_t hw_micros(void);

/* JEDEC id as three bytes, manufacturer lowest. */
uint32_t hw_flash_id(void);
/* Status register 1: bit 0 busy, bit 1 write enabled, bits 2..6 protection. */
uint8_t hw_flash_status(void);
void hw_flash_write_enable(void);
/* Clears the protection bits; other bits stay. Only called when one is set and the chip is not busy. */
void hw_flash_unprotect(void);
/* 64 bytes, aligned to 64. Returns while they travel; until hw_flash_read_end nothing else is asked of the flash. */
void hw_flash_read_begin(uint32_t address);
/* Takes them; waits for what is left, at most 40 us. Aligned to 4. */
void hw_flash_read_end(uint32_t *to);
/* Two data lines (3Bh, 8 dummy clocks) instead of one (03h), from the next read on. */
void hw_flash_read_dual(bool on);
/* These begin and return while the chip is busy. Write enable goes before each. */
void hw_flash_erase_sector(uint32_t address);
void hw_flash_erase_block(uint32_t address);
/* count <= 64 and a multiple of 4, both aligned to 4, inside one page of 256. */
void hw_flash_program(uint32_t address, const uint32_t *from, uint32_t count);

/* True where RAM may write: not the stub itself. */
bool hw_ram_writable(uint32_t address, uint32_t count);
void hw_ram_write(uint32_t address, const uint8_t *from, uint32_t count);
uint32_t hw_register(uint32_t address, uint32_t value, uint32_t mask);
uint32_t hw_call(uint32_t address, const uint32_t arguments[4]);
void hw_run(uint32_t address);
/* The parts that are loaded later, by the stub itself. */
enum hw_part { HW_PART_WRITE = 1, HW_PART_INFLATE = 2 };
bool hw_part_loaded(enum hw_part part);
/* As in image headers; FF for the ESP8266. */
uint8_t hw_chip(void);

/* What the processor is doing, for the clock of simulated boards: nothing on a chip. */
enum hw_work { HW_WORK_FRAME, HW_WORK_CRC, HW_WORK_COPY, HW_WORK_COMPARE, HW_WORK_INFLATE, HW_WORK_HASH, HW_WORK_CODE };
void hw_work(enum hw_work kind, uint32_t bytes);

#endif
