/*
 * Raw deflate (RFC 1951) out of the wire's ring into the window, a bounded piece at a time and at any cut of the input. Refuses every
 * stream that zlib refuses. Knows nothing of what the bytes mean.
 */
#include "inflate-bits.h"
#include "packed.h"

#define DISTANCES 32u
#define LENGTH_CODES 19u
#define END_OF_BLOCK 256u
#define LONGEST_MATCH 258u
#define LONGEST_SYMBOL 28 /* of the lengths, from 0 */
/* Of one step: most symbols, at some 60 cycles each, and most bytes, at some 10. */
#define STEP_SYMBOLS 24u
#define STEP_OUTPUT 96u

static struct codes literals, distances;
static uint8_t lengths[LITERALS + DISTANCES];
static struct {
  uint32_t place;
  uint32_t lengths_place;
  uint32_t inner_place;
  uint32_t type;         /* of the block */
  uint32_t ended;
  uint32_t clean;
  uint32_t last;         /* block */
  uint32_t literal_codes;
  uint32_t distance_codes;
  uint32_t length_codes;
  uint32_t at;           /* in `lengths` */
  uint32_t symbol;
  uint32_t length;       /* of a match, or of stored bytes */
} state;

void inflate_start(void) {
  input.bits = 0;
  input.count = 0;
  state.place = 0;
  state.lengths_place = 0;
  state.inner_place = 0;
  state.ended = false;
  state.clean = false;
}

bool inflate_is_clean(void) {
  return state.clean;
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

/* The stream ended; its last byte may be used in part. What this returns goes up to inflate_step, which says CO_DONE. */
static enum progress end(bool clean) {
  refill();
  state.clean = clean && packed_left == 0 && input.count < 8;
  state.ended = true;
  return CO_MORE;
}

static enum progress refuse(void) {
  return end(false);
}

/* Bits are missing: they come, or the stream is cut short. */
static enum progress starve(void) {
  return packed_left > 0 ? CO_INPUT : refuse();
}

static enum progress need_bits(uint32_t count) {
  if (input.count < count) refill();
  return input.count >= count ? CO_DONE : starve();
}

/* The next symbol below `symbols`, in state.symbol. */
static enum progress decode_symbol(const struct codes *codes, int symbols) {
  int symbol = decode(codes);
  if (symbol == NEEDS_INPUT) return starve();
  if (symbol < 0 || symbol >= symbols) return refuse();
  state.symbol = (uint32_t)symbol;
  return CO_DONE;
}

static void copy_stored(void) {
  for (uint32_t budget = STEP_OUTPUT; budget > 0 && state.length > 0; budget--, state.length--) {
    if (need_bits(8) != CO_DONE) return;
    put(take_bits(8));
  }
}

/* False: beyond what there was. */
static bool copy_match(uint32_t distance, uint32_t length) {
  if (distance > WINDOW_BYTES || distance > window.in) return false;
  uint8_t *const bytes = window.bytes;
  uint32_t in = window.in;
  for (const uint32_t end = in + length; in != end; in++) bytes[in % WINDOW_BYTES] = bytes[(in - distance) % WINDOW_BYTES];
  window.in = in;
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
  state.at += count;
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
  CO_CALL(need_bits(14));
  state.literal_codes = 257 + take_bits(5);
  state.distance_codes = 1 + take_bits(5);
  state.length_codes = 4 + take_bits(4);
  if (state.literal_codes > 286 || state.distance_codes > 30) return refuse();
  set_lengths(0, LENGTH_CODES, 0);
  for (state.at = 0; state.at < state.length_codes; state.at++) {
    CO_CALL(need_bits(3));
    lengths[order[state.at]] = (uint8_t)take_bits(3);
  }
  build_clear(&distances);
  CO_YIELD(CO_MORE);
  if (!build_begin(&distances, lengths, LENGTH_CODES, false)) return refuse();
  build_more(&distances, lengths, LENGTH_CODES);
  CO_YIELD(CO_MORE);
  state.at = 0;
  while (state.at < state.literal_codes + state.distance_codes) {
    CO_CALL(decode_symbol(&distances, LENGTH_CODES));
    CO_CALL(need_bits(bits_of_lengths(state.symbol)));
    if (!take_lengths(state.symbol)) return refuse();
    if (--symbols == 0) CO_YIELD(CO_MORE);
  }
  if (lengths[END_OF_BLOCK] == 0) return refuse();
  CO_END;
}

static enum progress read_stored(void) {
  CO_BEGIN(state.inner_place);
  take_bits(input.count % 8);
  CO_CALL(need_bits(16));
  state.length = take_bits(16);
  CO_CALL(need_bits(16));
  if (take_bits(16) != (state.length ^ 0xFFFF)) return refuse();
  while (state.length > 0) {
    CO_AWAIT(has_room(STEP_OUTPUT), CO_ROOM);
    CO_CALL(need_bits(8));
    copy_stored();
    CO_YIELD(CO_MORE);
  }
  CO_END;
}

static enum progress read_coded(void) {
  uint32_t symbols = STEP_SYMBOLS;
  uint32_t output = window.in;
  CO_BEGIN(state.inner_place);
  build_clear(&literals);
  CO_YIELD(CO_MORE);
  if (!build_begin(&literals, lengths, state.literal_codes, true)) return refuse();
  do CO_YIELD(CO_MORE);
  while (!build_more(&literals, lengths, state.literal_codes));
  build_clear(&distances);
  CO_YIELD(CO_MORE);
  if (!build_begin(&distances, lengths + state.literal_codes, state.distance_codes, true)) return refuse();
  do CO_YIELD(CO_MORE);
  while (!build_more(&distances, lengths + state.literal_codes, state.distance_codes));
  for (;;) {
    CO_AWAIT(has_room(LONGEST_MATCH), CO_ROOM);
    CO_CALL(decode_symbol(&literals, LITERALS - 2));
    if (state.symbol == END_OF_BLOCK) break;
    if (state.symbol < END_OF_BLOCK) put(state.symbol);
    else {
      state.symbol -= END_OF_BLOCK + 1;
      if (state.symbol == LONGEST_SYMBOL) state.length = LONGEST_MATCH;
      else {
        CO_CALL(need_bits(extra_bits(state.symbol, 2)));
        state.length = 3 + take_value(state.symbol, 2);
      }
      CO_CALL(decode_symbol(&distances, DISTANCES - 2));
      CO_CALL(need_bits(extra_bits(state.symbol, 1)));
      if (!copy_match(1 + take_value(state.symbol, 1), state.length)) return refuse();
    }
    if (--symbols == 0 || window.in - output >= STEP_OUTPUT) CO_YIELD(CO_MORE);
  }
  CO_END;
}

/* Ends when state.ended. */
static enum progress run(void) {
  CO_BEGIN(state.place);
  do {
    CO_CALL(need_bits(3));
    state.last = take_bits(1);
    state.type = take_bits(2);
    if (state.type == 3) return refuse();
    if (state.type == 1) fixed_lengths();
    if (state.type == 2) CO_CALL(read_lengths());
    if (state.type == 0) CO_CALL(read_stored());
    else CO_CALL(read_coded());
  } while (!state.last);
  return end(true);
  CO_END;
}

enum progress inflate_step(void) {
  uint32_t before = window.in;
  enum progress progress = state.ended ? CO_DONE : run();
  hw_work(HW_WORK_INFLATE, window.in - before);
  return state.ended ? CO_DONE : progress;
}
