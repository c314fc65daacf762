/* The operations of the write part. */
#include "core.h"

const struct kind write_kinds[] = {
  {op_read, ARGUMENTS(NUMBER_V, NUMBER_V, 0, 0, 0), 0x12, true},
  {op_blk, ARGUMENTS(NUMBER_V, NUMBER_V, NUMBER_U32, 0, 0), 0x20, false},
  {op_copy, ARGUMENTS(NUMBER_V, NUMBER_V, 0, 0, 0), 0x21, false},
  {op_copy, ARGUMENTS(NUMBER_V, NUMBER_V, NUMBER_V, 0, 0), 0x22, false},
  {op_ins, ARGUMENTS(NUMBER_V, 0, 0, 0, 0), 0x23, false},
  {op_fill, ARGUMENTS(NUMBER_V, NUMBER_U8, 0, 0, 0), 0x24, false},
  {op_saved, ARGUMENTS(NUMBER_V, NUMBER_V, 0, 0, 0), 0x25, false},
  {op_commit, ARGUMENTS(NUMBER_V, 0, 0, 0, 0), 0x28, true},
  {op_save, ARGUMENTS(NUMBER_V, NUMBER_V, NUMBER_V, 0, 0), 0x29, false},
  {op_erase, ARGUMENTS(NUMBER_V, NUMBER_V, 0, 0, 0), 0x30, true},
  {op_packed, ARGUMENTS(NUMBER_V, 0, 0, 0, 0), 0x33, false},
  {op_call, ARGUMENTS(NUMBER_U32, NUMBER_U32, NUMBER_U32, NUMBER_U32, NUMBER_U32), 0x41, true},
  {op_run, ARGUMENTS(NUMBER_U32, 0, 0, 0, 0), 0x7F, true},
  {0, 0, 0, false},
};
