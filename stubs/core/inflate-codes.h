/*
 * Huffman codes of deflate, from their lengths (RFC 1951, 3.2.2). Only inflate.c includes this: the inflate part is one object, which is
 * linked and loaded apart.
 */
#ifndef INFLATE_CODES_H
#define INFLATE_CODES_H

#include <stdbool.h>
#include <stdint.h>

#define FAST_BITS 9u
#define MOST_BITS 15u
#define LITERALS 288u

/* Codes of one alphabet. */
struct codes {
  uint16_t fast[1 << FAST_BITS]; /* by the next bits: symbol << 4 | length; 0: a longer code or none */
  uint16_t counts[MOST_BITS + 1];
  uint16_t symbols[LITERALS];    /* by code */
};

/* Every entry of the table whose low bits are this code, which has its first bit highest. */
static void fill_fast(struct codes *codes, uint32_t code, uint32_t length, uint32_t symbol) {
  uint32_t reversed = 0;
  for (uint32_t bit = 0; bit < length; bit++) reversed |= (code >> bit & 1) << (length - 1 - bit);
  for (; reversed < 1 << FAST_BITS; reversed += 1u << length) codes->fast[reversed] = (uint16_t)(symbol << 4 | length);
}

/* False: more codes than there are, or bits that are no code, unless `sparse` and as zlib allows: one code of one bit, or none. */
static bool build(struct codes *codes, const uint8_t *of, uint32_t symbols, bool sparse) {
  uint16_t next[MOST_BITS + 1];
  uint16_t index[MOST_BITS + 1];
  int left = 1;
  for (uint32_t length = 0; length <= MOST_BITS; length++) codes->counts[length] = 0;
  for (uint32_t at = 0; at < 1 << FAST_BITS; at++) codes->fast[at] = 0;
  for (uint32_t symbol = 0; symbol < symbols; symbol++) codes->counts[of[symbol]]++;
  uint32_t used = symbols - codes->counts[0];
  codes->counts[0] = 0;
  next[0] = 0;
  index[0] = 0;
  for (uint32_t length = 1; length <= MOST_BITS; length++) {
    left = 2 * left - codes->counts[length];
    if (left < 0) return false;
    next[length] = (uint16_t)((next[length - 1] + codes->counts[length - 1]) << 1);
    index[length] = (uint16_t)(index[length - 1] + codes->counts[length - 1]);
  }
  for (uint32_t symbol = 0; symbol < symbols; symbol++) {
    uint32_t length = of[symbol];
    if (length == 0) continue;
    if (length <= FAST_BITS) fill_fast(codes, next[length], length, symbol);
    next[length]++;
    codes->symbols[index[length]++] = (uint16_t)symbol;
  }
  return left == 0 || (sparse && (used == 0 || (used == 1 && codes->counts[1] == 1)));
}

#endif
