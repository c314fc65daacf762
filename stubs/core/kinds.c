/* The operations of the write part. */
#include "core.h"

const struct kind write_kinds[] = {
  {op_read, 2, 0x12, true},
  {op_blk, 3, 0x20, false},
  {op_copy, 2, 0x21, false},
  {op_copy, 3, 0x22, false},
  {op_ins, 1, 0x23, false},
  {op_fill, 2, 0x24, false},
  {op_saved, 2, 0x25, false},
  {op_commit, 1, 0x28, true},
  {op_save, 3, 0x29, false},
  {op_erase, 2, 0x30, true},
  {op_packed, 1, 0x33, false},
  {op_call, 5, 0x41, true},
  {op_reg, 3, 0x42, true},
  {op_run, 1, 0x7F, true},
  {0, 0, 0, false},
};
