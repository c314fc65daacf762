/*
 * Frames off the wire: COBS, CRC, sequence numbers. The bytes of the operation stream go straight to where they belong in the ring and
 * only count once their frame has proven intact. Knows nothing of operations.
 */
#include "core.h"

#define FRAME_BYTES (HEAD_BYTES + 1024u + CRC_BYTES)
/* What is left when the CRC itself goes through the register. */
#define CRC_RESIDUE 0xDEBB20E3u
/* Of one step, at some 60 cycles each; half of the smallest UART's FIFO, which at 2 Mbaud is full after 0.64 ms. */
#define RECEIVE_BYTES 64u
/* A lost NAK is said again after this time. */
#define GAP_US 20000u

static uint8_t ring_bytes[RING_BYTES];
struct ring wire = {ring_bytes, RING_BYTES - 1, 0, 0};
uint32_t heard_at;

static struct {
  uint32_t crc;
  uint32_t count; /* decoded bytes of the frame so far */
  uint32_t gap_at;
  uint8_t left;   /* bytes of the COBS group still to come */
  bool zero;      /* a zero stands behind the group, unless it is the last */
  uint8_t next_seq;
  bool in_gap;
  union {
    struct control control;
    uint8_t bytes[sizeof(struct control)]; /* the first one is none of the frame's */
  } start;
} frame;

uint8_t receive_next_seq(void) {
  return frame.next_seq;
}

static void begin_frame(void) {
  frame.count = 0;
  frame.left = 0;
  frame.zero = false;
  frame.crc = CRC_START;
}

/* For a new stream: what is half received of the old one stands in the wrong place. A control does not matter where. */
void receive_reset(void) {
  wire.in = 0;
  wire.out = 0;
  frame.next_seq = 0;
  frame.in_gap = false;
  if (frame.count > 0 && frame.start.control.type == FRAME_STREAM) frame.crc = ~frame.crc; /* so that it will not fit */
}

/* At the start and after a change of rate. */
void receive_forget_frame(void) {
  begin_frame();
}

static uint32_t ring_room(void) {
  return RING_BYTES - (wire.in - wire.out);
}

/* Something is missing. Said once per gap and again when that may have been lost: what was on the way already would only repeat it. */
static void miss(void) {
  if (frame.in_gap && !has_passed(frame.gap_at, GAP_US)) return;
  frame.in_gap = true;
  frame.gap_at = now;
  transmit_nak();
}

static void accept_stream(uint32_t count) {
  if ((uint8_t)(frame.next_seq - 1 - frame.start.control.seq) < 128) {
    transmit_again(); /* seen before: an ACK was lost. A NAK would have it all sent a third time. */
    if (frame.in_gap) miss();
    return;
  }
  if (frame.start.control.seq != frame.next_seq || count > ring_room()) {
    miss();
    return;
  }
  wire.in += count;
  frame.next_seq++;
  frame.in_gap = false;
}

static void end_frame(void) {
  if (frame.left != 0 || frame.count < HEAD_BYTES + CRC_BYTES || frame.count > FRAME_BYTES || frame.crc != CRC_RESIDUE) {
    miss();
    return;
  }
  if (rate.state == RATE_ON_TRIAL) rate.state = RATE_SETTLED;
  uint32_t count = frame.count - HEAD_BYTES - CRC_BYTES;
  if (frame.start.control.type == FRAME_STREAM) accept_stream(count);
  else if (frame.start.control.type == FRAME_CONTROL) control(&frame.start.control, count);
}

/* To the two places where it may belong: what the frame is, and which of them counts, is known at its end. */
static void decoded(uint8_t byte) {
  frame.crc = crc_byte(frame.crc, byte);
  uint32_t at = frame.count - HEAD_BYTES;
  if (frame.count + 1 < sizeof frame.start) frame.start.bytes[frame.count + 1] = byte;
  if (at < ring_room()) wire.bytes[(wire.in + at) & wire.mask] = byte;
  frame.count++;
}

static void coded(uint8_t byte) {
  if (byte == 0) {
    if (frame.count > 0 || frame.left > 0) end_frame();
    begin_frame();
  } else if (frame.left > 0) {
    frame.left--;
    decoded(byte);
  } else {
    if (frame.zero) decoded(0);
    frame.left = byte - 1;
    frame.zero = byte != 0xFF;
  }
}

/* Looks after the receiver once. Says whether there was something. */
bool receive(void) {
  uint8_t bytes[RECEIVE_BYTES];
  uint32_t count = hw_receive(bytes, sizeof bytes);
  if (count == 0) return false;
  hw_work(HW_WORK_FRAME, count);
  heard_at = now;
  for (uint32_t index = 0; index < count; index++) coded(bytes[index]);
  return true;
}
