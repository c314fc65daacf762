/*
 * Functions that go on where they left off, so that work of seconds reads linearly and is done in steps of microseconds. Knows nothing
 * of what is waited for. Local variables do not survive a CO_YIELD, and none may stand inside another switch.
 */
#ifndef COROUTINE_H
#define COROUTINE_H

#include <stdint.h>

enum progress {
  CO_DONE,
  CO_MORE,  /* there is more to do now */
  CO_INPUT, /* waits for bytes off the wire */
  CO_FLASH, /* waits for the flash */
  CO_ROOM,  /* waits for room in the transmitter */
};

/* `place` is a uint16_t that keeps where to go on; 0 is the beginning. */
#define CO_BEGIN(place)        \
  uint16_t *const co = &(place); \
  switch (*co) {               \
    case 0:
#define CO_YIELD(progress) \
  do {                     \
    *co = __LINE__;        \
    return (progress);     \
    case __LINE__:;        \
  } while (0)
#define CO_AWAIT(condition, progress)  \
  do {                                 \
    *co = __LINE__;                    \
    /* fall through */                 \
    case __LINE__:                     \
      if (!(condition)) return (progress); \
  } while (0)
/* Carries out another coroutine to its end. */
#define CO_CALL(call)                           \
  do {                                          \
    *co = __LINE__;                             \
    /* fall through */                          \
    case __LINE__: {                            \
      enum progress progress = (call);          \
      if (progress != CO_DONE) return progress; \
    }                                           \
  } while (0)
#define CO_END \
  }            \
  *co = 0;     \
  return CO_DONE

#endif
