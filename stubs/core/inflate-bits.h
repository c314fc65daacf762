/*
 * Bits and symbols off the wire's ring, as many as the stream has. Only inflate.c includes this: the inflate part is one object, which is
 * linked and loaded apart.
 */
#ifndef INFLATE_BITS_H
#define INFLATE_BITS_H

#include "inflate-codes.h"
#include "packed.h"

enum decoded { NEEDS_INPUT = -1, NO_CODE = -2 };

static struct {
  uint32_t bits;  /* not taken yet, the next one lowest */
  uint32_t count; /* of these */
} input;

/* What is in reach and belongs to the stream. */
static void refill(void) {
  while (input.count <= 24 && packed_left > 0 && wire.in != wire.out) {
    input.bits |= (uint32_t)wire.bytes[wire.out++ & wire.mask] << input.count;
    input.count += 8;
    packed_left--;
  }
}

/* At most 16. */
static uint32_t take_bits(uint32_t count) {
  uint32_t bits = input.bits & ((1u << count) - 1);
  input.bits >>= count;
  input.count -= count;
  return bits;
}

/* Codes longer than the table reaches, bit by bit. */
static int decode_long(const struct codes *codes) {
  int code = 0, first = 0, index = 0;
  for (uint32_t length = 1; length <= MOST_BITS; length++) {
    if (length > input.count) return NEEDS_INPUT;
    code |= input.bits >> (length - 1) & 1;
    int count = codes->counts[length];
    if (code - first < count) {
      take_bits(length);
      return codes->symbols[index + code - first];
    }
    index += count;
    first = (first + count) << 1;
    code <<= 1;
  }
  return NO_CODE;
}

static int decode(const struct codes *codes) {
  if (input.count < MOST_BITS) refill();
  uint32_t entry = codes->fast[input.bits & ((1 << FAST_BITS) - 1)];
  uint32_t length = entry & 15;
  if (length == 0) return decode_long(codes);
  if (length > input.count) return NEEDS_INPUT;
  take_bits(length);
  return (int)(entry >> 4);
}

#endif
