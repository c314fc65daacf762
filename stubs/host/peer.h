/* The host's end of the wire: frames, go back where something is missing, noise on the way. Knows nothing of operations. */
#ifndef PEER_H
#define PEER_H

#include <stdbool.h>
#include <stdint.h>

/* xorshift32: the same everywhere. */
uint32_t draw(void);
uint32_t draw_below(uint32_t bound);
void draw_from(uint32_t seed);

struct result {
  uint8_t status;
  uint16_t ops;
};

/* One in so many bytes is flipped, lost or doubled; 0: none. */
void peer_noise(uint32_t one_in);
/* HELLO until it is answered. */
void peer_hello(uint32_t flash_bytes);
/* Sends a stream until `ops` operations are done or one has failed. Ends the program when nothing moves any more. */
struct result peer_stream(const uint8_t *bytes, uint32_t count, uint32_t ops);
/* Sends one frame. */
void peer_frame(uint8_t type, uint8_t seq, const uint8_t *payload, uint32_t count);

#endif
