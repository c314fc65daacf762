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

/* `place` is a uint32_t that keeps where to go on; 0 is the beginning. Places are small numbers because these make short instructions. */
#define CO_BEGIN(place)                 \
  enum { co_first = __COUNTER__ };      \
  uint32_t *const co = &(place);        \
  switch (*co) {                        \
    case 0:
#define CO_YIELD(progress) CO_YIELD_AT(__COUNTER__ - co_first, progress)
#define CO_YIELD_AT(here, progress) \
  do {                              \
    *co = (here);                   \
    return (progress);              \
    case (here):;                   \
  } while (0)
#define CO_AWAIT(condition, progress) CO_AWAIT_AT(__COUNTER__ - co_first, condition, progress)
#define CO_AWAIT_AT(here, condition, progress) \
  do {                                         \
    *co = (here);                              \
    /* fall through */                         \
    case (here):                               \
      if (!(condition)) return (progress);     \
  } while (0)
/* Carries out another coroutine to its end. */
#define CO_CALL(call) CO_CALL_AT(__COUNTER__ - co_first, call)
#define CO_CALL_AT(here, call)                  \
  do {                                          \
    *co = (here);                               \
    /* fall through */                          \
    case (here): {                              \
      enum progress progress = (call);          \
      if (progress != CO_DONE) return progress; \
    }                                           \
  } while (0)
#define CO_END \
  }            \
  *co = 0;     \
  return CO_DONE

#endif
