/*
 * Entry on Xtensa, in the call0 ABI on every chip: on those with register windows the ROM comes by CALLX8, which rotates nothing until an
 * ENTRY, so a call0 function just runs. The assembler is the ESP8266's and knows no windows: those instructions stand as bytes.
 */
#include "chip.h"

#define PS_WINDOWS 0x40000 /* WOE */

  .section .text.start, "ax"
  .literal_position
  .align 4
  .global stub_entry
stub_entry:
  rsil a2, 15 /* interrupts off, a2 = PS before */
  mov a3, a1
#ifdef WINDOWED
  /* Forget the ROM's frames: WINDOWSTART = 1 << WINDOWBASE. Without WOE no window exception ever comes. */
  .byte 0x40, 0x48, 0x03 /* rsr.windowbase a4 */
  ssl a4
  movi a5, 1
  sll a5, a5
  .byte 0x50, 0x49, 0x13 /* wsr.windowstart a5 */
  rsync
  movi a4, PS_WINDOWS
  or a5, a2, a4
  xor a5, a5, a4
  movi a4, 15
  or a5, a5, a4
  wsr a5, ps
  rsync
#endif
  movi a1, stub_stack_end
  movi a4, stub_zero_start
  movi a5, stub_zero_end
  movi a6, 0
1:
  s32i a6, a4, 0
  addi a4, a4, 4
  bltu a4, a5, 1b
  movi a4, entered
  s32i a2, a4, 0
  s32i a3, a4, 4
  movi a4, stub_main
  jx a4

  .section .text.start_program, "ax"
  .literal_position
  .align 4
  .global start_program
start_program:
  movi a4, entered
  l32i a1, a4, 4
  l32i a4, a4, 0
  wsr a4, ps
  rsync
#ifdef WINDOWED
  mov a10, a2
  .byte 0xe0, 0x0a, 0x00 /* callx8 a10: right for either ABI */
#else
  callx0 a2
#endif
1:
  j 1b /* it came back: there is no ROM to go to */

  .bss
  .align 4
entered: /* PS and a1 as they were */
  .space 8
