/*
 * Raw deflate (RFC 1951) out of the wire's ring into the window, a bounded piece at a time and at any cut of the input. Refuses every
 * stream that zlib refuses. Knows nothing of what the bytes mean.
 */
#include "packed.h"

#define FAST_BITS 9u
#define MOST_BITS 15u
#define LITERALS 288u
#define DISTANCES 32u
#define LENGTH_CODES 19u
#define END_OF_BLOCK 256u
#define LONGEST_MATCH 258u
#define LONGEST_SYMBOL 28 /* of the lengths, from 0 */
/* Of one step: most symbols, at some 60 cycles each, and most bytes, at some 10. */
#define STEP_SYMBOLS 64u
#define STEP_OUTPUT 160u

/* Codes of one alphabet. */
struct codes {
  uint16_t fast[1 << FAST_BITS]; /* by the next bits: symbol << 4 | length; 0: a longer code or none */
  uint16_t counts[MOST_BITS + 1];
  uint16_t symbols[LITERALS];    /* by code */
};

enum decoded { NEEDS_INPUT = -1, NO_CODE = -2 };

static struct codes literals, distances;
static uint8_t lengths[LITERALS + DISTANCES];
static struct {
  uint32_t bits;   /* not taken yet, the next one lowest */
  uint32_t count;  /* of these */
  uint16_t place;
  uint16_t lengths_place;
  uint16_t inner_place;
  uint8_t type;    /* of the block */
  bool ended;
  bool clean;
  bool last;       /* block */
  uint16_t literal_codes;
  uint16_t distance_codes;
  uint16_t length_codes;
  uint16_t at;     /* in `lengths` */
  int16_t symbol;
  uint32_t length; /* of a match, or of stored bytes */
} state;

void inflate_start(void) {
  state.bits = 0;
  state.count = 0;
  state.place = 0;
  state.lengths_place = 0;
  state.inner_place = 0;
  state.ended = false;
  state.clean = false;
}

bool inflate_is_clean(void) {
  return state.clean;
}

/* What is in reach and belongs to the stream. */
static void refill(void) {
  while (state.count <= 24 && packed_left > 0 && wire.in != wire.out) {
    state.bits |= (uint32_t)wire.bytes[wire.out++ & wire.mask] << state.count;
    state.count += 8;
    packed_left--;
  }
}

static bool has_bits(uint32_t count) {
  refill();
  return state.count >= count;
}

/* At most 16. */
static uint32_t take_bits(uint32_t count) {
  uint32_t bits = state.bits & ((1u << count) - 1);
  state.bits >>= count;
  state.count -= count;
  return bits;
}

/* Codes longer than the table reaches, bit by bit. */
static int decode_long(const struct codes *codes) {
  int code = 0, first = 0, index = 0;
  for (uint32_t length = 1; length <= MOST_BITS; length++) {
    if (length > state.count) return NEEDS_INPUT;
    code |= state.bits >> (length - 1) & 1;
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
  if (state.count < MOST_BITS) refill();
  uint32_t entry = codes->fast[state.bits & ((1 << FAST_BITS) - 1)];
  uint32_t length = entry & 15;
  if (length == 0) return decode_long(codes);
  if (length > state.count) return NEEDS_INPUT;
  take_bits(length);
  return (int)(entry >> 4);
}

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

static void set_lengths(uint32_t from, uint32_t to, uint8_t length) {
  for (; from < to; from++) lengths[from] = length;
}

static void fixed_lengths(void) {
  set_lengths(0, 144, 8);
  set_lengths(144, 256, 9);
  set_lengths(256, 280, 7);
  set_lengths(280, LITERALS, 8);
  set_lengths(LITERALS, LITERALS + DISTANCES, 5);
  state.literal_codes = LITERALS;
  state.distance_codes = DISTANCES;
}

static void put(uint32_t byte) {
  window.bytes[window.in++ & window.mask] = (uint8_t)byte;
}

static bool has_room(uint32_t count) {
  return WINDOW_BYTES - (window.in - window.out) >= count;
}

/* Extra bits and base of a length or distance follow from its symbol: 1 << `group` symbols share a count of bits. */
static uint32_t extra_bits(uint32_t symbol, uint32_t group) {
  return symbol < 2u << group ? 0 : (symbol >> group) - 1;
}

/* The number behind a symbol, counted from 0; its extra bits are there. */
static uint32_t take_value(uint32_t symbol, uint32_t group) {
  uint32_t extra = extra_bits(symbol, group);
  uint32_t base = extra == 0 ? symbol : ((1u << group) + (symbol & ((1u << group) - 1))) << extra;
  return base + take_bits(extra);
}

/* What an ended or refused stream leaves; the last byte may be used in part. */
static enum progress end(bool clean) {
  refill();
  state.clean = clean && packed_left == 0 && state.count < 8;
  state.ended = true;
  return CO_DONE;
}

/* Input is missing: it comes, or the stream is cut short. */
#define NEED(condition)                                       \
  do {                                                        \
    CO_AWAIT((condition) || packed_left == 0, CO_INPUT);      \
    if (!(condition)) return end(false);                      \
  } while (0)

static enum progress decode_symbol(const struct codes *codes) {
  int symbol = decode(codes);
  if (symbol == NEEDS_INPUT && packed_left > 0) return CO_INPUT;
  state.symbol = (int16_t)symbol; /* negative: refused */
  return CO_DONE;
}

static void copy_stored(void) {
  for (uint32_t budget = STEP_OUTPUT; budget > 0 && state.length > 0 && has_bits(8); budget--, state.length--) put(take_bits(8));
}

/* False: beyond what there was. */
static bool copy_match(uint32_t distance, uint32_t length) {
  if (distance > WINDOW_BYTES || distance > window.in) return false;
  for (; length > 0; length--) put(window.bytes[(window.in - distance) & window.mask]);
  return true;
}

/* A symbol of the coded lengths; its extra bits are there. False: refused. */
static bool take_lengths(uint32_t symbol) {
  uint32_t length = symbol;
  uint32_t count = 1;
  if (symbol == 16 && state.at == 0) return false;
  if (symbol == 16) length = lengths[state.at - 1];
  if (symbol > 16) length = 0;
  if (symbol >= 16) count = symbol == 18 ? 11 + take_bits(7) : 3 + take_bits(symbol - 14);
  if (count > state.literal_codes + state.distance_codes - state.at) return false;
  set_lengths(state.at, state.at + count, (uint8_t)length);
  state.at = (uint16_t)(state.at + count);
  return true;
}

static uint32_t bits_of_lengths(uint32_t symbol) {
  return symbol < 16 ? 0 : symbol == 18 ? 7 : symbol - 14;
}

/* The codes' lengths of a block, themselves coded. Ends the stream where they are refused. */
static enum progress read_lengths(void) {
  /* In the order of how often they are used (RFC 1951, 3.2.7). */
  static const uint8_t order[LENGTH_CODES] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
  uint32_t symbols = STEP_SYMBOLS;
  CO_BEGIN(state.lengths_place);
  NEED(has_bits(14));
  state.literal_codes = (uint16_t)(257 + take_bits(5));
  state.distance_codes = (uint16_t)(1 + take_bits(5));
  state.length_codes = (uint16_t)(4 + take_bits(4));
  if (state.literal_codes > 286 || state.distance_codes > 30) return end(false);
  set_lengths(0, LENGTH_CODES, 0);
  for (state.at = 0; state.at < state.length_codes; state.at++) {
    NEED(has_bits(3));
    lengths[order[state.at]] = (uint8_t)take_bits(3);
  }
  if (!build(&distances, lengths, LENGTH_CODES, false)) return end(false);
  state.at = 0;
  while (state.at < state.literal_codes + state.distance_codes) {
    CO_CALL(decode_symbol(&distances));
    if (state.symbol < 0) return end(false);
    NEED(has_bits(bits_of_lengths((uint32_t)state.symbol)));
    if (!take_lengths((uint32_t)state.symbol)) return end(false);
    if (--symbols == 0) CO_YIELD(CO_MORE);
  }
  if (lengths[END_OF_BLOCK] == 0) return end(false);
  CO_END;
}

static enum progress read_stored(void) {
  CO_BEGIN(state.inner_place);
  take_bits(state.count % 8);
  NEED(has_bits(16));
  state.length = take_bits(16);
  NEED(has_bits(16));
  if (take_bits(16) != (state.length ^ 0xFFFF)) return end(false);
  while (state.length > 0) {
    CO_AWAIT(has_room(STEP_OUTPUT), CO_ROOM);
    NEED(has_bits(8));
    copy_stored();
    CO_YIELD(CO_MORE);
  }
  CO_END;
}

static enum progress read_coded(void) {
  uint32_t symbols = STEP_SYMBOLS;
  uint32_t output = window.in;
  CO_BEGIN(state.inner_place);
  if (!build(&literals, lengths, state.literal_codes, true)) return end(false);
  CO_YIELD(CO_MORE);
  if (!build(&distances, lengths + state.literal_codes, state.distance_codes, true)) return end(false);
  CO_YIELD(CO_MORE);
  for (;;) {
    CO_AWAIT(has_room(LONGEST_MATCH), CO_ROOM);
    CO_CALL(decode_symbol(&literals));
    if (state.symbol < 0) return end(false);
    if (state.symbol == END_OF_BLOCK) break;
    if (state.symbol < (int)END_OF_BLOCK) put((uint32_t)state.symbol);
    else {
      state.symbol = (int16_t)(state.symbol - END_OF_BLOCK - 1);
      if (state.symbol > LONGEST_SYMBOL) return end(false);
      if (state.symbol == LONGEST_SYMBOL) state.length = LONGEST_MATCH;
      else {
        NEED(has_bits(extra_bits((uint32_t)state.symbol, 2)));
        state.length = 3 + take_value((uint32_t)state.symbol, 2);
      }
      CO_CALL(decode_symbol(&distances));
      if (state.symbol < 0 || state.symbol >= (int)DISTANCES - 2) return end(false);
      NEED(has_bits(extra_bits((uint32_t)state.symbol, 1)));
      if (!copy_match(1 + take_value((uint32_t)state.symbol, 1), state.length)) return end(false);
    }
    if (--symbols == 0 || window.in - output >= STEP_OUTPUT) CO_YIELD(CO_MORE);
  }
  CO_END;
}

/* Ends when state.ended. */
static enum progress run(void) {
  CO_BEGIN(state.place);
  do {
    NEED(has_bits(3));
    state.last = take_bits(1);
    state.type = (uint8_t)take_bits(2);
    if (state.type == 3) return end(false);
    if (state.type == 1) fixed_lengths();
    if (state.type == 2) CO_CALL(read_lengths());
    if (state.ended) return CO_DONE;
    if (state.type == 0) CO_CALL(read_stored());
    else CO_CALL(read_coded());
    if (state.ended) return CO_DONE;
  } while (!state.last);
  return end(true);
  CO_END;
}

enum progress inflate_step(void) {
  uint32_t before = window.in;
  enum progress progress = state.ended ? CO_DONE : run();
  hw_work(HW_WORK_INFLATE, window.in - before);
  return progress;
}
