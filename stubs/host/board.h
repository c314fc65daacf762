/* A chip in memory for the core, and what must never happen to its flash. */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stdint.h>

#define FLASH_BYTES 0x40000u

struct board {
  uint8_t *flash; /* on the heap, so that a sanitizer sees every byte beyond */
  uint64_t us;
  bool stuck;     /* busy for ever */
  bool refuses;   /* write enable does not hold */
  bool one_line;  /* what comes over two data lines is wrong */
  uint8_t missing; /* parts that are not loaded: bits of enum hw_part */
  uint8_t protection;
  uint32_t erases, programs;
};
extern struct board board;
extern uint32_t board_seed; /* for the message of a broken run */

/* All anew, but for what the flash holds. */
void board_start(void);
/* What the host sends; copied. */
void board_send(const uint8_t *bytes, uint32_t count);
uint32_t board_backlog(void);
/* Takes what the stub sent. */
uint32_t board_take(uint8_t *to, uint32_t most);
/* One step of the stub, and the time that it takes or waits; at most until `until_us`. Returns what it waits for, see stub.h. */
int board_step(uint64_t until_us);
/* Ends the program with a message. */
_Noreturn void broken(const char *what);
#define MUST(condition)                 \
  do {                                  \
    if (!(condition)) broken(#condition); \
  } while (0)

uint32_t crc32_of(const uint8_t *bytes, uint32_t count);

#endif
