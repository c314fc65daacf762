/*
 * What a driver knows: its flash controller, and nothing of mailbox, records and patches. A driver is one file, drivers/<name>.c, which
 * begins with its DRIVER_ID and PROGRAM_UNIT and includes this; `npm run stubs -- cortex-m-<name>` makes a program of it and the loader.
 *
 * The code runs on every Cortex-M wherever the host puts it: no variables that outlive a call but `state`, no constant tables with
 * addresses in them, no division, no unaligned access, no call into a library. Every wait has a bound. Interrupts are off.
 */
#ifndef DRIVER_H
#define DRIVER_H

#include <stdbool.h>
#include <stdint.h>

/* Numbers of ../cortex-m/README.md. */
enum status {
  STATUS_OK,
  STATUS_ERASE,
  STATUS_PROGRAM,
  STATUS_VERIFY,
  STATUS_PATCH,
  STATUS_NO_SUCH,
  STATUS_ABORTED,
  STATUS_TIMEOUT,
  STATUS_PROTECTED,
  STATUS_OUTSIDE,
};

/*
 * Words 18 to 23 of the mailbox. What the host puts there is the driver's affair (number of banks, width by supply voltage …); the driver
 * may also keep there what it has to remember from driver_init to driver_done.
 */
#define DRIVER_WORDS 6

/* All of them return a status, and leave the flash readable by address. */

/* Before each command but INFO, so before digests too: makes the flash readable and its registers writable; may raise the clock. */
static inline uint32_t driver_init(uint32_t *state);
#ifndef NO_FLASH
/* One erase unit, or as many as the record says: a block erase if the driver has one. `address` and `bytes` are multiples of the unit. */
static inline uint32_t driver_erase(uint32_t *state, uint32_t address, uint32_t bytes);
/* Both are multiples of PROGRAM_UNIT, at most RUN_BYTES; `words` lie in RAM, aligned to 4. */
static inline uint32_t driver_program(uint32_t *state, uint32_t address, const uint32_t *words, uint32_t bytes);
#endif
/* After each command, also one that failed: as it was before driver_init, but the flash may stay readable. */
static inline uint32_t driver_done(uint32_t *state);

/* Most that the loader programs in one call: in between it looks for an abort and says how far it is. A multiple of PROGRAM_UNIT. */
#ifndef RUN_BYTES
#define RUN_BYTES 4096u
#endif
_Static_assert(PROGRAM_UNIT >= 4 && (PROGRAM_UNIT & (PROGRAM_UNIT - 1)) == 0, "units are found by masks");
_Static_assert(RUN_BYTES % PROGRAM_UNIT == 0, "a run is made of units");

static inline volatile uint32_t *word_at(uint32_t address) {
  return (volatile uint32_t *)(uintptr_t)address;
}
static inline volatile uint16_t *half_at(uint32_t address) {
  return (volatile uint16_t *)(uintptr_t)address;
}

/* Loops while the bits that `mask` picks are `value`; each takes some 8 cycles. STATUS_TIMEOUT after so many. */
static inline uint32_t wait_while(uint32_t address, uint32_t mask, uint32_t value, uint32_t loops) {
  while ((*word_at(address) & mask) == value)
    if (loops-- == 0) return STATUS_TIMEOUT;
  return STATUS_OK;
}
/* Bounds for wait_while that no flash reaches: at 480 MHz 1.1 s and 70 s; the host's deadlines are shorter and know the chip. */
#define PROGRAM_LOOPS (1u << 26)
#define ERASE_LOOPS 0xFFFFFFFFu

#endif
