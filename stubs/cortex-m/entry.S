/* What the host starts: the loader, with the mailbox in r0 and a stack. The end is where a debugger expects it. */
  .syntax unified
  .cpu cortex-m0
  .thumb
  .section .entry, "ax", %progbits
  .global entry
  .thumb_func
entry:
  bl start
  bkpt 0
  b .
  .thumb_func
start:
  push {r4, lr}
  cpsid i
  bl loader
  dsb
  pop {r4, pc}
