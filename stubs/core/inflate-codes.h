/*
 * Huffman codes of deflate, from their lengths (RFC 1951, 3.2.2). Only inflate-bits.h includes this: the inflate part is one object,
 * which is linked and loaded apart.
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

/* Most symbols of one step, at some 100 cycles each: nobody looks after the receiver meanwhile. */
#define BUILD_SYMBOLS 24u

/* By length, while codes are being built: the next code, and where its symbol goes. */
static struct {
  uint16_t next[MOST_BITS + 1];
  uint16_t index[MOST_BITS + 1];
  uint32_t symbol;
} building;

static void build_clear(struct codes *codes) {
  for (uint32_t at = 0; at < 1 << FAST_BITS; at++) codes->fast[at] = 0;
}

/* False: more codes than there are, or bits that are no code, unless `sparse` and as zlib allows: one code of one bit, or none. */
static bool build_begin(struct codes *codes, const uint8_t *of, uint32_t symbols, bool sparse) {
  int left = 1;
  for (uint32_t length = 0; length <= MOST_BITS; length++) codes->counts[length] = 0;
  for (uint32_t symbol = 0; symbol < symbols; symbol++) codes->counts[of[symbol]]++;
  uint32_t used = symbols - codes->counts[0];
  codes->counts[0] = 0;
  building.symbol = 0;
  building.next[0] = 0;
  building.index[0] = 0;
  for (uint32_t length = 1; length <= MOST_BITS; length++) {
    left = 2 * left - codes->counts[length];
    if (left < 0) return false;
    building.next[length] = (uint16_t)((building.next[length - 1] + codes->counts[length - 1]) << 1);
    building.index[length] = (uint16_t)(building.index[length - 1] + codes->counts[length - 1]);
  }
  return left == 0 || (sparse && (used == 0 || (used == 1 && codes->counts[1] == 1)));
}

/* Some more of `symbols`. True: all are there. */
static bool build_more(struct codes *codes, const uint8_t *of, uint32_t symbols) {
  for (uint32_t budget = BUILD_SYMBOLS; budget > 0 && building.symbol < symbols; budget--, building.symbol++) {
    uint32_t length = of[building.symbol];
    if (length == 0) continue;
    if (length <= FAST_BITS) fill_fast(codes, building.next[length], length, building.symbol);
    building.next[length]++;
    codes->symbols[building.index[length]++] = (uint16_t)building.symbol;
  }
  return building.symbol == symbols;
}

#endif
