/* See streams.h. A second, plain reading of what stubs/README.md says of operations: shares nothing with the core but buffer sizes. */
#include "streams.h"
#include <string.h>
#include "core.h"
#include "peer.h"

struct stream stream;

static uint8_t composed[BLOCK_BYTES];
static uint32_t filled, length, source_cursor;
static uint8_t saved[SAVE_BYTES];
static uint32_t saved_bytes; /* from 0; what lies beyond is unknown */
static uint32_t packed_from; /* begin of the operations that are to be packed */
static bool packing;

static void byte(uint32_t value) {
  MUST(stream.count < STREAM_BYTES);
  stream.bytes[stream.count++] = (uint8_t)value;
}

static void number(uint32_t value) {
  for (; value >= 0x80; value >>= 7) byte(value | 0x80);
  byte(value);
}

/* In 5 bytes, whatever it is. */
static void put_number(uint8_t *to, uint32_t value) {
  for (int index = 0; index < 4; index++, value >>= 7) *to++ = (uint8_t)(value | 0x80);
  *to = (uint8_t)value;
}

static void begin(uint8_t code) {
  byte(code);
  stream.ops++;
}

static void source_at(uint32_t address, uint32_t count) {
  int32_t step = (int32_t)(address - source_cursor);
  number((uint32_t)step << 1 ^ (uint32_t)(step >> 31));
  source_cursor = address + count;
}

/* Small numbers often, large ones now and then. */
static uint32_t some(uint32_t most) {
  uint32_t bound = 1u << draw_below(18);
  return most == 0 ? 0 : draw_below(bound < most ? bound : most + 1);
}

static uint32_t some_source(uint32_t count) {
  uint32_t near = source_cursor + draw_below(64) - 32;
  if (draw_below(3) == 0 && source_cursor <= FLASH_BYTES - count) return source_cursor;
  return draw_below(2) && near <= FLASH_BYTES - count ? near : draw_below(FLASH_BYTES - count + 1);
}

static void add_runs(uint32_t count) {
  uint8_t runs[64 * 300];
  uint32_t at = 0, end = 0, made = 0;
  uint32_t wanted = draw_below(30);
  for (; made < wanted; made++) {
    uint32_t skip = draw_below(4) ? draw_below(31) : draw_below(4000);
    uint32_t bytes = 1 + (draw_below(4) ? draw_below(7) : draw_below(280));
    if (skip + bytes > count - at) break;
    runs[end++] = (uint8_t)((skip < 31 ? skip : 31) | (bytes <= 7 ? bytes - 1 : 7) << 5);
    for (int part = 0; part < 2; part++) {
      uint32_t rest = part == 0 ? skip - 31 : bytes - 8;
      if (part == 0 ? skip < 31 : bytes < 8) continue;
      for (; rest >= 0x80; rest >>= 7) runs[end++] = (uint8_t)(rest | 0x80);
      runs[end++] = (uint8_t)rest;
    }
    at += skip;
    bool only_clears = draw_below(2);
    for (; bytes > 0; bytes--, at++) runs[end++] = composed[filled + at] = (uint8_t)(only_clears ? composed[filled + at] & draw() : draw());
  }
  number(made);
  for (uint32_t index = 0; index < end; index++) byte(runs[index]);
}

static void compose_copy(uint32_t count) {
  bool adds = draw_below(2);
  uint32_t from = some_source(count);
  begin(adds ? 0x22 : 0x21);
  number(count);
  source_at(from, count);
  memcpy(composed + filled, stream.expected + from, count);
  if (adds) add_runs(count);
}

static void compose_some(void) {
  uint32_t rest = length - filled;
  uint32_t count = draw_below(8) == 0 ? rest : some(rest);
  uint32_t kind = draw_below(8);
  if (kind == 0) {
    if (count > 3000) count = draw_below(3000);
    begin(0x23);
    number(count);
    for (uint32_t index = 0; index < count; index++) byte(composed[filled + index] = (uint8_t)draw());
  } else if (kind == 1) {
    uint8_t value = draw_below(2) ? 0xFF : (uint8_t)draw();
    begin(0x24);
    number(count);
    number(value);
    memset(composed + filled, value, count);
  } else if (kind == 2 && saved_bytes > 0) {
    uint32_t offset = draw_below(saved_bytes);
    if (count > saved_bytes - offset) count = saved_bytes - offset;
    begin(0x25);
    number(offset);
    number(count);
    memcpy(composed + filled, saved + offset, count);
  } else if (kind == 3) {
    uint32_t bytes = some(SAVE_BYTES);
    uint32_t from = some_source(bytes);
    uint32_t offset = draw_below(saved_bytes + 1);
    if (bytes > SAVE_BYTES - offset) bytes = SAVE_BYTES - offset;
    begin(0x29);
    number(offset);
    number(bytes);
    source_at(from, bytes);
    memcpy(saved + offset, stream.expected + from, bytes);
    if (offset + bytes > saved_bytes) saved_bytes = offset + bytes;
    return;
  } else compose_copy(count);
  filled += count;
}

static void make_block(void) {
  uint32_t sectors = draw_below(3) == 0 ? BLOCK_BYTES / SECTOR_BYTES : 1 + draw_below(BLOCK_BYTES / SECTOR_BYTES);
  uint32_t sector = draw_below(2) ? draw_below(FLASH_BYTES / BLOCK_BYTES) * 16 : draw_below(FLASH_BYTES / SECTOR_BYTES - sectors + 1);
  uint32_t address = sector * SECTOR_BYTES;
  begin(0x20);
  number(sector);
  number(sectors);
  uint32_t crc_at = stream.count;
  for (int index = 0; index < 5; index++) byte(0);
  length = sectors * SECTOR_BYTES;
  filled = 0;
  source_cursor = address;
  bool keeps = draw_below(4) == 0;
  while (filled < length) {
    if (keeps && filled == 0) {
      begin(0x22);
      number(length);
      source_at(address, length);
      memcpy(composed, stream.expected + address, length);
      add_runs(length);
      filled = length;
    } else compose_some();
  }
  bool wrong = draw_below(30) == 0;
  put_number(stream.bytes + crc_at, crc32_of(composed, length) + wrong);
  if (wrong && stream.status == 0) {
    stream.status = STATUS_NOT_AS_ANNOUNCED;
    stream.ops_done = stream.ops;
  }
  begin(0x28);
  number(draw_below(18));
  if (stream.status == 0) memcpy(stream.expected + address, composed, length);
}

static void make_other(void) {
  uint32_t kind = draw_below(4);
  uint32_t sector = draw_below(FLASH_BYTES / SECTOR_BYTES), sectors = draw_below(4);
  if (sectors > FLASH_BYTES / SECTOR_BYTES - sector) sectors = 1;
  if (kind == 0) {
    begin(0x30);
    number(sector);
    number(sectors);
    if (stream.status == 0) memset(stream.expected + sector * SECTOR_BYTES, 0xFF, sectors * SECTOR_BYTES);
  } else if (kind == 1) {
    uint32_t unit = 1 + some(8000), n = draw_below(80);
    begin(0x11);
    number(draw_below(FLASH_BYTES / 2));
    number(unit * n > FLASH_BYTES / 2 ? 1 : n);
    number(unit);
  } else if (kind == 2) {
    begin(0x12);
    number(draw_below(FLASH_BYTES / 2));
    number(some(3000));
  } else {
    begin(0x40);
    number(0x1000 + draw_below(256));
    uint32_t count = draw_below(700);
    number(count);
    while (count-- > 0) byte(draw());
  }
}

/* Stored blocks around what was made since packed_from; a deflater is none of this file's business. */
static void end_packed(void) {
  static uint8_t plain[STREAM_BYTES];
  uint32_t count = stream.count - packed_from;
  memcpy(plain, stream.bytes + packed_from, count);
  stream.count = packed_from;
  uint32_t piece = 1 + draw_below(60000);
  uint32_t pieces = count == 0 ? 1 : (count + piece - 1) / piece;
  byte(0x33);
  number(count + 5 * pieces);
  for (uint32_t at = 0; pieces > 0; pieces--) {
    uint32_t here = count - at < piece ? count - at : piece;
    byte(pieces == 1);
    byte(here);
    byte(here >> 8);
    byte(~here);
    byte(~here >> 8);
    MUST(stream.count + here <= STREAM_BYTES);
    memcpy(stream.bytes + stream.count, plain + at, here);
    stream.count += here;
    at += here;
  }
  packing = false;
}

void stream_make(void) {
  memcpy(stream.expected, board.flash, FLASH_BYTES);
  stream.count = stream.ops = stream.status = stream.ops_done = 0;
  source_cursor = saved_bytes = 0;
  packing = false;
  for (uint32_t parts = 1 + draw_below(6); parts > 0; parts--) {
    if (!packing && draw_below(4) == 0) {
      packing = true;
      packed_from = stream.count;
      stream.ops++;
    }
    if (draw_below(3) == 0) make_other();
    else make_block();
    if (packing && draw_below(2)) end_packed();
  }
  if (packing) end_packed();
  if (stream.status == 0) stream.ops_done = stream.ops;
}
