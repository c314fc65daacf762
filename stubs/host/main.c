/*
 * Random streams, some with noise on the wire, some damaged on purpose: arguments are seconds and, to run only one, its seed. Ends with a
 * message at the first that breaks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "core.h"
#include "peer.h"
#include "streams.h"

static void fill_flash(void) {
  uint32_t kind = draw_below(3);
  for (uint32_t at = 0; at < FLASH_BYTES; at++) board.flash[at] = (uint8_t)(kind == 0 ? 0xFF : kind == 1 ? draw() : at * 7 + (at >> 8));
  for (uint32_t count = draw_below(20); count > 0; count--) {
    memset(board.flash + draw_below(FLASH_BYTES / SECTOR_BYTES) * SECTOR_BYTES, 0xFF, SECTOR_BYTES);
  }
}

static void run_whole(void) {
  stream_make();
  peer_hello(FLASH_BYTES);
  struct result result = peer_stream(stream.bytes, stream.count, stream.ops);
  MUST(result.status == stream.status);
  MUST(result.ops == stream.ops_done);
  MUST(memcmp(board.flash, stream.expected, FLASH_BYTES) == 0);
}

/* Whatever comes of it: the invariants of the board hold, and a HELLO is enough to go on. */
static void run_damaged(void) {
  stream_make();
  for (uint32_t count = 1 + draw_below(4); count > 0; count--) {
    uint32_t reach = stream.count < 64 || draw_below(2) ? stream.count : 64; /* heads are worth more than literals */
    stream.bytes[draw_below(reach)] = (uint8_t)draw();
  }
  if (draw_below(2)) stream.count = 1 + draw_below(stream.count);
  uint32_t at = 0;
  peer_hello(draw_below(4) ? FLASH_BYTES : draw_below(FLASH_BYTES));
  for (uint8_t seq = 0; at < stream.count; seq++) {
    uint32_t count = stream.count - at < 1000 ? stream.count - at : 1000;
    peer_frame(0x01, seq, stream.bytes + at, count);
    at += count;
    for (uint32_t steps = draw_below(400); steps > 0; steps--) board_step(board.us + 1000);
  }
  for (uint32_t steps = draw_below(20000); steps > 0; steps--) board_step(board.us + 1000);
}

/* A flash that stops working in the middle. */
static void run_failing(void) {
  stream_make();
  peer_hello(FLASH_BYTES);
  if (draw_below(2)) board.refuses = true;
  board.protection = (uint8_t)(draw() & 0x7C);
  struct result result = peer_stream(stream.bytes, stream.count, stream.ops);
  MUST(result.status == stream.status || board.refuses);
  board.refuses = false;
}

int main(int count, char **words) {
  double seconds = count > 1 ? atof(words[1]) : 10;
  uint32_t seed = count > 2 ? (uint32_t)strtoul(words[2], NULL, 0) : 1;
  bool single = count > 2;
  time_t start = time(NULL);
  uint32_t runs = 0;
  do {
    board_seed = seed;
    draw_from(seed);
    board_start();
    fill_flash();
    static const uint32_t noises[] = {0, 0, 10000, 2000, 300};
    peer_noise(noises[draw_below(5)]);
    uint32_t kind = draw_below(6);
    if (kind == 0) run_damaged();
    else if (kind == 1) run_failing();
    run_whole();
    seed++;
    runs++;
  } while (!single && difftime(time(NULL), start) < seconds);
  printf("%u runs, up to seed %u\n", runs, seed - 1);
  return 0;
}
