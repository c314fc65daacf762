/* See peer.h. Goes back on a NAK and asks by PING after a silence; nothing else is needed to get through. */
#include "peer.h"
#include <string.h>
#include "board.h"
#include "core.h"

#define PAYLOAD 1024u
#define IN_FLIGHT 100u
#define SILENCE_US 300000u
#define HOPELESS_US 60000000u

static uint32_t random_state = 1;
static uint32_t noise;
static struct {
  uint8_t coded[2048];
  uint32_t count;
} incoming;
static struct {
  uint8_t next_seq, status;
  uint16_t ops;
  uint32_t drained;
  bool open, heard, nak, answered;
  uint32_t nonce;
} said;

uint32_t draw(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  return random_state ^= random_state << 5;
}

uint32_t draw_below(uint32_t bound) {
  return (uint32_t)((uint64_t)draw() * bound >> 32);
}

void draw_from(uint32_t seed) {
  random_state = seed * 2654435761u | 1;
  for (int index = 0; index < 8; index++) draw();
}

void peer_noise(uint32_t one_in) {
  noise = one_in;
}

/* Copies bytes, some of them damaged. Returns how many there are now. */
static uint32_t damage(uint8_t *to, const uint8_t *from, uint32_t count) {
  uint8_t *start = to;
  for (uint32_t index = 0; index < count; index++) {
    uint32_t kind = noise != 0 && draw_below(noise) == 0 ? 1 + draw_below(3) : 0;
    if (kind == 1) *to++ = (uint8_t)(from[index] ^ 1 << draw_below(8));
    if (kind == 0 || kind == 3) *to++ = from[index];
    if (kind == 3) *to++ = from[index];
  }
  return (uint32_t)(to - start);
}

void peer_frame(uint8_t type, uint8_t seq, const uint8_t *payload, uint32_t count) {
  uint8_t plain[PAYLOAD + 64], coded[PAYLOAD + 128], noisy[2 * PAYLOAD + 256];
  plain[0] = type;
  plain[1] = seq;
  if (count > 0) memcpy(plain + 2, payload, count);
  put_u32(plain + 2 + count, crc32_of(plain, count + 2));
  uint32_t group = 0, end = 1;
  for (uint32_t index = 0; index < count + 6; index++) {
    if (plain[index] != 0) coded[end++] = plain[index];
    if (plain[index] == 0 || end - group == 0xFF) {
      coded[group] = (uint8_t)(end - group);
      group = end++;
    }
  }
  coded[group] = (uint8_t)(end - group);
  coded[end++] = 0;
  board_send(noisy, damage(noisy, coded, end));
}

static uint32_t get_u32(const uint8_t *from) {
  return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static void take_frame(const uint8_t *plain, uint32_t count) {
  if (count < 6 || crc32_of(plain, count - 4) != get_u32(plain + count - 4)) {
    MUST(noise != 0);
    return;
  }
  if (plain[0] == 0x81 || plain[0] == 0x82) {
    MUST(count == 18);
    if (!said.open) return; /* of the session before */
    said.next_seq = plain[2];
    said.status = plain[3];
    said.ops = (uint16_t)(plain[4] | plain[5] << 8);
    MUST(get_u32(plain + 10) - said.drained < 0x80000000u);
    said.drained = get_u32(plain + 10);
    said.heard = true;
    if (plain[0] == 0x82) said.nak = true;
  } else if (plain[0] == 0x84 && plain[2] == 1 && get_u32(plain + 4) == said.nonce) {
    said.answered = said.open = true;
    said.next_seq = said.status = 0;
    said.ops = 0;
    said.drained = 0;
  }
}

/* Some of what the stub has sent. False: there was nothing. */
static bool take_frames(void) {
  uint8_t bytes[256], noisy[512], plain[2048];
  uint32_t taken = board_take(bytes, sizeof bytes);
  uint32_t count = damage(noisy, bytes, taken);
  for (uint32_t index = 0; index < count; index++) {
    if (noisy[index] != 0) {
      if (incoming.count < sizeof incoming.coded) incoming.coded[incoming.count++] = noisy[index];
      continue;
    }
    uint32_t end = 0;
    for (uint32_t at = 0; at < incoming.count;) {
      uint8_t code = incoming.coded[at];
      for (uint32_t next = at + 1; next < at + code && next < incoming.count; next++) plain[end++] = incoming.coded[next];
      at += code;
      if (code < 0xFF && at < incoming.count) plain[end++] = 0;
    }
    if (incoming.count > 0) take_frame(plain, end);
    incoming.count = 0;
  }
  return taken > 0;
}

/* Until there is an answer, or for so long. */
static void listen(uint64_t us) {
  for (uint64_t until = board.us + us; board.us < until && !said.heard && !said.answered;) {
    board_step(until);
    while (take_frames()) continue;
  }
}

void peer_hello(uint32_t flash_bytes) {
  uint8_t arguments[9] = {1};
  uint64_t since = board.us;
  said.answered = said.open = false;
  for (uint8_t seq = 0; !said.answered; seq++) {
    MUST(board.us - since < HOPELESS_US);
    said.nonce = draw();
    put_u32(put_u32(arguments + 1, said.nonce), flash_bytes);
    peer_frame(0x02, seq, arguments, sizeof arguments);
    said.heard = false;
    for (uint64_t until = board.us + SILENCE_US; board.us < until && !said.answered;) {
      said.heard = false;
      listen(until - board.us);
    }
  }
  said.answered = false;
}

struct result peer_stream(const uint8_t *bytes, uint32_t count, uint32_t ops) {
  uint32_t frame_bytes = 1 + draw_below(PAYLOAD);
  if (count / frame_bytes > 2000) frame_bytes = PAYLOAD;
  uint32_t frames = (count + frame_bytes - 1) / frame_bytes;
  uint32_t accepted = 0, next = 0;
  uint64_t moved = board.us;
  while (said.status == 0 && (said.ops < ops || accepted < frames)) {
    MUST(board.us - moved < HOPELESS_US);
    while (next < frames && next - accepted < IN_FLIGHT && (next + 1) * frame_bytes - said.drained <= RING_BYTES) {
      uint32_t at = next * frame_bytes;
      peer_frame(0x01, (uint8_t)next, bytes + at, count - at < frame_bytes ? count - at : frame_bytes);
      next++;
    }
    said.heard = said.nak = said.answered = false;
    listen(SILENCE_US);
    uint8_t step = (uint8_t)(said.next_seq - accepted);
    if (said.heard && step <= next - accepted) {
      if (step > 0) moved = board.us;
      accepted += step;
      if (said.nak) next = accepted;
    }
    if (!said.heard) {
      uint8_t ping = 3;
      next = accepted;
      peer_frame(0x02, 0, &ping, 1);
    }
  }
  return (struct result){said.status, said.ops};
}
