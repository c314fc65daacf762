/* What the parts of the core know of each other. Numbers of the protocol are those of ../README.md. */
#ifndef CORE_H
#define CORE_H

#include "coroutine.h"
#include "hw.h"
#include "stub.h"

/* Called out of the boot part: inlined there, it would be uploaded through the ROM. */
#define LATER_PART __attribute__((noinline))

/* What a chip has room for. AREAS: the block and the save area are not ours; that file says where they are and how large. */
#ifdef AREAS
#include AREAS
#endif
#ifndef RING_BYTES
#define RING_BYTES 32768
#endif
#ifndef BLOCK_BYTES
#define BLOCK_BYTES 65536
#endif
#ifndef SAVE_BYTES
#define SAVE_BYTES 32768
#endif
/* Most that the flash can be read by. */
#ifndef DATA_LINES
#define DATA_LINES 2
#endif
/* The ESP8266's ROM cannot change the rate before it loads the stub. */
#ifndef RATE_IN_BOOT
#define RATE_IN_BOOT 0
#endif
/* Tells one build from another; the build script sets it to a hash of the sources. */
#ifndef STUB_BUILD
#define STUB_BUILD 0
#endif

#define SECTOR_BYTES 4096u
#define BLOCK_ERASE_BYTES 65536u
/* Most that the flash controllers read or program in one command. */
#define PIECE_BYTES 64u
/* Most bytes that one step copies, checks or compares: at some 20 cycles each well below its 12,000 cycles. */
#define STEP_BYTES 192u

_Static_assert((RING_BYTES & (RING_BYTES - 1)) == 0, "the ring is indexed by totals");
#ifndef AREAS
_Static_assert(BLOCK_BYTES % SECTOR_BYTES == 0 && BLOCK_BYTES <= 65536, "sectors of a block are counted in bytes");
#endif

enum status {
  STATUS_DONE,
  STATUS_NO_SUCH,
  STATUS_DOES_NOT_FIT,
  STATUS_OUTSIDE,
  STATUS_NOT_AS_ANNOUNCED,
  STATUS_VERIFY,
  STATUS_BUSY,
  STATUS_REFUSED,
  STATUS_DROPPED,
  STATUS_NOT_LOADED,
  STATUS_NOT_DEFLATE,
};

/* Of a frame: type and sequence number in front, the CRC at the end. */
#define HEAD_BYTES 2u
#define CRC_BYTES 4u
enum frame_type { FRAME_STREAM = 0x01, FRAME_CONTROL, FRAME_ACK = 0x81, FRAME_NAK, FRAME_REPLY, FRAME_ANSWER };

/* Bytes on their way; in and out are totals, which wrap. */
struct ring {
  uint8_t *bytes;
  uint32_t mask;
  uint32_t in;
  uint32_t out;
};

/* crc.c */
#define CRC_START 0xFFFFFFFFu
extern uint32_t crc_table[256];
void crc_start(void);
uint32_t crc_add(uint32_t crc, const uint8_t *from, uint32_t count);
static inline uint32_t crc_byte(uint32_t crc, uint8_t byte) {
  return crc >> 8 ^ crc_table[(crc ^ byte) & 0xFF];
}

/* crc-words.c */
void crc_words_start(uint32_t behind);
uint32_t crc_words(uint32_t crc, const uint32_t *from, uint32_t count);

/* stub.c: the time, and who is to be woken when */
extern uint32_t now;
#ifdef NEVER_WAITS
static inline void fall_due(uint32_t time) {
  (void)time;
}
#else
void fall_due(uint32_t time);
#endif
static inline bool has_passed(uint32_t since, uint32_t microseconds) {
  return (int32_t)(now - since) >= (int32_t)microseconds; /* `since` may lie within this step, a little behind `now` */
}

/* receive.c: frames off the wire */
extern struct ring wire;
extern uint32_t heard_at; /* when the last byte came */
bool receive(void);
void receive_reset(void);
uint8_t receive_next_seq(void);
void receive_forget_frame(void);

/* transmit.c: frames to the wire */
#define SMALL_ROOM 64u
/* A reply, coded, and behind it always room for a few ACKs and answers. */
#define REPLY_ROOM 512u
bool transmit_room(uint32_t bytes);
extern struct transmitter {
  uint32_t in, out; /* totals, of coded bytes */
  uint32_t said_out;
  uint16_t said_done;
  bool ack_due;
  bool nak_due;
  bool again;       /* what the last ACK said was not heard */
} tx;
static inline bool transmit_idle(void) {
  return tx.in == tx.out && hw_transmitter_idle();
}
void transmit(uint8_t *frame, uint8_t type, uint8_t seq, uint32_t count);
void transmit_ack(void);
void transmit_nak(void);
void transmit_again(void);
void transmit_reset(void);
void transmit_pump(void);
uint8_t *put_u32(uint8_t *to, uint32_t value);

/* control.c */
/* A frame that is one, as it comes. */
struct control {
  uint8_t nothing; /* so that the arguments are words */
  uint8_t type;
  uint8_t seq;
  uint8_t op;
  uint32_t argument[2];
};
enum { CONTROL_HELLO = 1, CONTROL_BAUD, CONTROL_PING };
extern struct rate {
  uint8_t state; /* enum */
  uint32_t divider; /* the new one; on trial: the old one */
  uint32_t since;
} rate;
enum { RATE_SETTLED, RATE_ANSWERED, RATE_ON_TRIAL };
void control(const struct control *frame, uint32_t count);
void control_start(void);
enum progress control_step(void);

/* rate.c */
LATER_PART void rate_step(void);
/* Controls that are not the boot part's. `count` is their payload. */
LATER_PART enum status control_other(const struct control *frame, uint32_t count);

/* flash.c: reading */
extern struct flash {
  uint32_t until;     /* reading goes on at most up to here */
  uint32_t window_at; /* the piece that stands in the window */
  uint32_t coming;    /* the piece that is on its way */
  uint32_t since;     /* for the write part's: when it began, and how long it may take */
  uint32_t limit;
  uint32_t place;
  uint32_t trusted;   /* sector + 1 in which write enable has been seen to hold */
  uint32_t size;      /* what HELLO gave */
  bool dual;          /* two data lines are in use */
  bool busy;          /* as far as we know */
  bool tried_unprotect;
} flash;
void flash_reset(uint32_t size);
void flash_start(void);
bool flash_has(uint32_t address, uint32_t count);
void flash_piece(uint32_t address, uint32_t *to);
const uint8_t *flash_bytes(uint32_t address, uint32_t most, uint32_t *count);
void flash_choose_lines(void);

/* flash-write.c */
enum flash_write { FLASH_PROGRAM, FLASH_SECTOR, FLASH_BLOCK };
bool is_blank(const void *piece);
LATER_PART bool flash_waited(void);
static inline bool flash_ready(void) {
  return !flash.busy || flash_waited();
}
enum progress flash_write(enum flash_write what, uint32_t address, const uint32_t *from);

/* operations.c */
enum { OP_COPY = 0x21, OP_ADD, OP_SAVED = 0x25 };
struct operation {
  uint16_t done;    /* operations since HELLO */
  uint8_t failure;  /* of the stream */
  uint8_t reply_seq;
  bool starving;    /* all that was received has been carried out */
  /* The one under way. */
  bool begun;       /* its code is there */
  bool running;     /* its arguments are there */
  uint8_t code;
  uint8_t status;
  uint8_t arguments;
  const struct kind *kind;
  uint32_t place;   /* of its coroutine */
  uint32_t number;  /* the last one that was taken */
  uint32_t argument[5];
  uint32_t address; /* what it is at; these are the operation's own */
  uint32_t left;
  uint32_t rest;
  uint32_t count;
  uint32_t budget;  /* bytes that this step may still work on */
  uint8_t *to;
};
extern struct operation op;
extern struct ring *source;
struct kind {
  enum progress (*carry_out)(void);
  uint8_t arguments; /* how many numbers */
  uint8_t code;      /* 0: the table's end */
  bool replies;
};
extern const struct kind write_kinds[]; /* of the write part, kinds.c */
enum progress operate(void);
void operations_drop(void);
bool take_number(void);
const uint8_t *take_bytes(uint32_t *count);
/* Data of a reply stand behind what `reply` fills in. */
#define REPLY_DATA (HEAD_BYTES + 4u)
#define REPLY_BYTES (REPLY_DATA + 260u + CRC_BYTES)
extern uint8_t reply_bytes[REPLY_BYTES];
void reply(const uint8_t *end);

/* What is known of the block outside of the write part: that there is none, mostly. */
struct block {
  uint32_t address;
  uint32_t length;  /* 0: none has begun */
  uint32_t filled;
  uint32_t settled; /* nothing changes any more up to here */
  uint32_t checked; /* the CRC is that of the bytes up to here */
  uint32_t crc;
  uint32_t announced;
  uint32_t cursor;  /* the source cursor */
};
enum lap { LAP_COMPOSE, LAP_COMPARE, LAP_ERASE, LAP_PROGRAM, LAP_VERIFY, LAP_STARVED, LAPS };
extern struct block block;
static inline void forget_block(void) {
  block.length = 0;
  block.filled = 0;
  block.settled = 0;
  block.checked = 0;
}
#ifndef AREAS
extern uint32_t block_words[BLOCK_BYTES / 4];
#endif
extern uint32_t laps[LAPS];
void lap(enum lap what);
void compose_start(void);
void compose_reset(void);
enum progress copy_flash(void);
enum progress take_all(void);
bool compose_check(void);

/* compose.c */
LATER_PART bool compose_check(void);
enum progress op_blk(void);
enum progress op_copy(void);
enum progress op_ins(void);
enum progress op_fill(void);
enum progress op_saved(void);
enum progress op_save(void);

/* commit.c */
enum progress op_commit(void);

/* hash.c */
enum progress op_hash(void);

/* inspect.c */
enum progress op_read(void);
enum progress op_erase(void);

/* memory.c */
enum progress op_ram(void);

/* run.c */
enum progress op_reg(void);
enum progress op_call(void);
enum progress op_run(void);

/* packed.c */
LATER_PART enum progress packed_step(enum progress waits_for);
enum progress op_packed(void);

#endif
