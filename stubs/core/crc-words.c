/* The same CRC as crc.c's, four bytes at a time. */
#include "core.h"

/* Of a byte that has 1, 2 and 3 bytes behind it. */
uint32_t crc_words_table[3][256];

/* Some 3,000 cycles. */
void crc_words_start(uint32_t behind) {
  const uint32_t *nearer = behind == 0 ? crc_table : crc_words_table[behind - 1];
  for (uint32_t index = 0; index < 256; index++) crc_words_table[behind][index] = crc_byte(nearer[index], 0);
}

/* `from` is aligned, `count` a multiple of 4. */
uint32_t crc_words(uint32_t crc, const uint32_t *from, uint32_t count) {
  hw_work(HW_WORK_CRC, count);
  for (const uint32_t *end = from + count / 4; from < end;) {
    crc ^= *from++;
    crc = crc_words_table[2][crc & 0xFF] ^ crc_words_table[1][crc >> 8 & 0xFF] ^ crc_words_table[0][crc >> 16 & 0xFF] ^ crc_table[crc >> 24];
  }
  return crc;
}
