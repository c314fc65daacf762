/*
 * The digest's inner loop: 10 cycles a word on a Cortex-M0, where a compiler makes 29 of it. What is asked first, before anything is
 * written, is how much of the flash is right already; that should not take longer than it must.
 */
  .syntax unified
  .cpu cortex-m0
  .thumb
  .section .text.digest_words, "ax", %progbits
  .global digest_words
  .hidden digest_words
  .thumb_func
  .type digest_words, %function

  .macro take_word
  ldmia r0!, {r2}
  eors r3, r2
  adds r4, r2
  muls r3, r5
  muls r4, r6
  lsrs r2, r3, #15
  eors r3, r2
  rors r4, r7
  .endm

/* const uint32_t *digest_words(const uint32_t *from, const uint32_t *end, struct digest *digest): whole words; `from` <= `end`. */
  .align 2
digest_words:
  push {r2, r4-r7, lr}
  ldmia r2!, {r3, r4}
  ldr r5, =0x01000193
  ldr r6, =0xC2B2AE3D
  movs r7, #19 /* to the right: 13 to the left */
  b 2f
1:
  .rept 4
  take_word
  .endr
2:
  subs r2, r1, r0
  cmp r2, #16
  bhs 1b
  b 4f
3:
  take_word
4:
  cmp r0, r1
  blo 3b
  pop {r2}
  stmia r2!, {r3, r4}
  pop {r4-r7, pc}
  .size digest_words, . - digest_words
  .ltorg
