/* Frames to the wire: COBS, CRC, and when an ACK is due. What a frame holds is the others' business. */
#include "core.h"

#define TX_BYTES 2048u
/* The transmitter's FIFO of 128 bytes lasts for 0.64 ms at 2 Mbaud; it wants to be filled again before. */
#define REFILL_US 250u
#define ACK_EACH_BYTES 4096u
/* So long after the last byte no more are on their way, and it is time to say that all is done. */
#define QUIET_US 1000u

struct transmitter tx;
static uint8_t tx_bytes[TX_BYTES];

void transmit_reset(void) {
  tx.ack_due = false;
  tx.nak_due = false;
  tx.again = false;
  tx.said_done = 0;
  tx.said_out = 0;
}

bool transmit_room(uint32_t bytes) {
  return rate.state != RATE_ANSWERED /* nothing may go out behind the answer */ && TX_BYTES - (tx.in - tx.out) >= bytes;
}

void transmit_ack(void) {
  tx.ack_due = true;
}

void transmit_nak(void) {
  tx.nak_due = true;
}

void transmit_again(void) {
  tx.again = true;
}

uint8_t *put_u32(uint8_t *to, uint32_t value) {
  for (int index = 0; index < 4; index++, value >>= 8) *to++ = (uint8_t)value;
  return to;
}

/*
 * Codes and sends a frame of `count` bytes; the first two are for type and sequence number, and behind the last there is room for the
 * CRC. Only called with room in the transmitter.
 */
void transmit(uint8_t *frame, uint8_t type, uint8_t seq, uint32_t count) {
  frame[0] = type;
  frame[1] = seq;
  uint32_t group = tx.in; /* where the COBS group began */
  uint32_t at = group + 1;
  const uint8_t *const end = put_u32(frame + count, ~crc_add(CRC_START, frame, count));
  hw_work(HW_WORK_CODE, count + CRC_BYTES);
  for (; frame < end; frame++) {
    if (*frame != 0) tx_bytes[at++ % TX_BYTES] = *frame;
    if (*frame == 0 || at - group == 0xFF) {
      tx_bytes[group % TX_BYTES] = (uint8_t)(at - group);
      group = at++;
    }
  }
  tx_bytes[group % TX_BYTES] = (uint8_t)(at - group);
  tx_bytes[at++ % TX_BYTES] = 0;
  tx.in = at;
}

static void acknowledge(void) {
  uint8_t frame[HEAD_BYTES + 12 + CRC_BYTES];
  uint8_t *end = put_u32(frame + HEAD_BYTES, receive_next_seq() | (uint32_t)op.failure << 8 | (uint32_t)op.done << 16);
  put_u32(put_u32(end, wire.in), wire.out);
  transmit(frame, tx.nak_due ? FRAME_NAK : FRAME_ACK, 0, HEAD_BYTES + 12);
  tx.ack_due = false;
  tx.nak_due = false;
  tx.again = false;
  tx.said_done = op.done;
  tx.said_out = wire.out;
}

/* Said only when the wire is quiet, so that a stream of small operations does not get an ACK each. */
static bool has_news(void) {
  if (!tx.again && (!op.starving || (wire.out == tx.said_out && op.done == tx.said_done))) return false;
  if (has_passed(heard_at, QUIET_US)) return true;
  fall_due(heard_at + QUIET_US);
  return false;
}

static void acknowledge_if_due(void) {
  if (has_news() || wire.out - tx.said_out >= ACK_EACH_BYTES) tx.ack_due = true;
  if ((tx.ack_due || tx.nak_due) && transmit_room(SMALL_ROOM)) acknowledge();
}

void transmit_pump(void) {
  acknowledge_if_due();
  uint32_t at = tx.out % TX_BYTES;
  uint32_t count = tx.in - tx.out;
  if (count > TX_BYTES - at) count = TX_BYTES - at;
  if (count > 0) tx.out += hw_transmit(tx_bytes + at, count);
  if (tx.in != tx.out) fall_due(now + REFILL_US);
}
