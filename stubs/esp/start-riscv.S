/* Entry on RISC-V. The ROM jumps here out of its loader; it is not gone back to, but a program that is run later gets its stack. */
  .option arch, +zicsr
#include "chip.h"

#ifdef ENTRY_FIRST
  .section .text.first, "ax"
  j stub_entry
#endif

  .section .text.start, "ax"
  .global stub_entry
stub_entry:
  csrrci t0, mstatus, 8 /* MIE: the ROM's receive interrupt must not take our bytes */
  mv t1, sp
  .option push
  .option norelax
  la gp, __global_pointer$
  .option pop
  la sp, stub_stack_end
  la t2, stub_zero_start
  la t3, stub_zero_end
1:
  sw zero, 0(t2)
  addi t2, t2, 4
  bltu t2, t3, 1b
  la t2, entered
  sw t0, 0(t2)
  sw t1, 4(t2)
  j stub_main

  .section .text.start_program, "ax"
  .global start_program
start_program:
  la t2, entered
  lw t0, 0(t2)
  lw sp, 4(t2)
  andi t0, t0, 8
  csrs mstatus, t0
  jalr a0
1:
  j 1b /* it came back: there is no ROM to go to */

  .bss
  .balign 4
entered: /* mstatus and sp as they were */
  .skip 8
