/* Frames to the wire: COBS, CRC, and when an ACK is due. What a frame holds is the others' business. */
#include "core.h"

#define TX_BYTES 2048u
/* The transmitter's FIFO of 128 bytes lasts for 0.64 ms at 2 Mbaud; it wants to be filled again before. */
#define REFILL_US 250u
#define ACK_EACH_BYTES 4096u
/* So long after the last byte no more are on their way, and it is time to say that all is done. */
#define QUIET_US 1000u

uint32_t tx_in, tx_out;
static uint8_t tx_bytes[TX_BYTES];
static struct {
  uint32_t end;     /* of the frame that is being coded */
  uint32_t group;   /* where its COBS group began */
  uint8_t group_bytes;
  bool ack_due;
  bool nak_due;
  bool again;       /* what the last ACK said was not heard */
  uint16_t said_done;
  uint32_t said_out;
} tx;

void transmit_reset(void) {
  tx.ack_due = false;
  tx.nak_due = false;
  tx.again = false;
  tx.said_done = 0;
  tx.said_out = 0;
}

bool transmit_room(uint32_t bytes) {
  return rate.state != RATE_ANSWERED /* nothing may go out behind the answer */ && TX_BYTES - (tx_in - tx_out) >= bytes;
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

static void put(uint8_t byte) {
  tx_bytes[tx.end++ % TX_BYTES] = byte;
}

static void end_group(void) {
  tx_bytes[tx.group % TX_BYTES] = tx.group_bytes;
  tx.group_bytes = 1;
  tx.group = tx.end++;
}

static void code(uint8_t byte) {
  if (byte != 0) {
    put(byte);
    tx.group_bytes++;
  }
  if (byte == 0 || tx.group_bytes == 0xFF) end_group();
}

static uint32_t code_all(uint32_t crc, const uint8_t *from, uint32_t count) {
  for (uint32_t index = 0; index < count; index++) {
    crc = crc_byte(crc, from[index]);
    code(from[index]);
  }
  return crc;
}

/* Only called with room. */
void transmit(uint8_t type, uint8_t seq, const uint8_t *from, uint32_t count) {
  uint8_t head[2] = {type, seq};
  uint8_t tail[4];
  hw_work(HW_WORK_FRAME, count + 6);
  tx.end = tx_in;
  tx.group = tx.end++;
  tx.group_bytes = 1;
  uint32_t crc = code_all(code_all(CRC_START, head, sizeof head), from, count);
  put_u32(tail, ~crc);
  code_all(0, tail, sizeof tail);
  end_group();
  tx_bytes[(tx.end - 1) % TX_BYTES] = 0; /* in the place of a next group */
  tx_in = tx.end;
}

static void acknowledge(void) {
  uint8_t bytes[12];
  put_u32(bytes, receive_next_seq() | (uint32_t)op.failure << 8 | (uint32_t)op.done << 16);
  put_u32(put_u32(bytes + 4, wire.in), wire.out);
  transmit(tx.nak_due ? FRAME_NAK : FRAME_ACK, 0, bytes, sizeof bytes);
  tx.ack_due = false;
  tx.nak_due = false;
  tx.again = false;
  tx.said_done = op.done;
  tx.said_out = wire.out;
}

/* Said only when the wire is quiet, so that a stream of small operations does not get an ACK each. */
static bool has_news(bool starving) {
  if (!tx.again && (!starving || (wire.out == tx.said_out && op.done == tx.said_done))) return false;
  if (has_passed(heard_at, QUIET_US)) return true;
  fall_due(heard_at + QUIET_US);
  return false;
}

static void acknowledge_if_due(bool starving) {
  if (has_news(starving) || wire.out - tx.said_out >= ACK_EACH_BYTES) tx.ack_due = true;
  if ((tx.ack_due || tx.nak_due) && transmit_room(SMALL_ROOM)) acknowledge();
}

/* starving: all that was received has been carried out. */
void transmit_pump(bool starving) {
  acknowledge_if_due(starving);
  uint32_t at = tx_out % TX_BYTES;
  uint32_t count = tx_in - tx_out;
  if (count > TX_BYTES - at) count = TX_BYTES - at;
  if (count > 0) tx_out += hw_transmit(tx_bytes + at, count);
  if (tx_in != tx_out) fall_due(now + REFILL_US);
}
