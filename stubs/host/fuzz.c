/*
 * libFuzzer's entry: the input is what comes off the wire, as it is, in good frames, or as a deflate stream. What must hold is in board.c;
 * a HELLO must be enough to forget the input before.
 */
#include <string.h>
#include "board.h"
#include "core.h"
#include "peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t count);

#define MOST_INPUT 4000u

static void send_frames(const uint8_t *bytes, uint32_t count, uint32_t frame_bytes) {
  for (uint8_t seq = 0; count > 0; seq++) {
    uint32_t here = count < frame_bytes ? count : frame_bytes;
    peer_frame(0x01, seq, bytes, here);
    bytes += here;
    count -= here;
    for (int step = 0; step < 4; step++) board_step(board.us + 1000);
  }
}

/* A whole PACKED of the input; its operations do nothing good. */
static void send_packed(const uint8_t *bytes, uint32_t count, uint32_t frame_bytes) {
  uint8_t packed[MOST_INPUT + 3] = {0x33, (uint8_t)(count | 0x80), (uint8_t)(count >> 7)};
  memcpy(packed + 3, bytes, count);
  send_frames(packed, count + 3, frame_bytes);
}

/* What was announced does not say what the fuzzer can guess: the CRC of a BLK in front is made right for a block of one FILL. */
static void send_after_commit(const uint8_t *bytes, uint32_t count, uint32_t frame_bytes) {
  uint8_t ops[MOST_INPUT + 16] = {0x20, 2, 1};
  uint8_t behind[] = {0x24, 0x80, 0x20, bytes[0] | 0x80, bytes[0] >> 7, 0x28, 1};
  uint8_t contents[SECTOR_BYTES];
  memset(contents, bytes[0], sizeof contents);
  uint32_t crc = crc32_of(contents, sizeof contents);
  for (uint32_t at = 3; at < 8; at++, crc >>= 7) ops[at] = (uint8_t)(crc | (at < 7 ? 0x80 : 0));
  memcpy(ops + 8, behind, sizeof behind);
  memcpy(ops + 15, bytes, count);
  send_frames(ops, count + 15, frame_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t count) {
  if (count < 3 || count > MOST_INPUT) return 0;
  static bool started;
  if (!started) {
    board_start();
    for (uint32_t at = 0; at < FLASH_BYTES; at++) board.flash[at] = (uint8_t)(at >= 0x8000 ? 0xFF : at * 7 + (at >> 8));
    started = true;
  }
  peer_hello(data[0] & 0x80 ? FLASH_BYTES : 0x8000);
  uint32_t frame_bytes = 1 + data[1] * 4u;
  const uint8_t *bytes = data + 2;
  uint32_t rest = (uint32_t)count - 2;
  if (data[0] % 4 == 0) board_send(bytes, rest);
  else if (data[0] % 4 == 1) send_frames(bytes, rest, frame_bytes);
  else if (data[0] % 4 == 2) send_packed(bytes, rest, frame_bytes);
  else send_after_commit(bytes, rest, frame_bytes);
  for (uint64_t until = board.us + 3000000; board.us < until && board_step(until) != STUB_INPUT;) continue;
  return 0;
}
