/* What both drivers of the RP2040 need: a clock. Numbers: RP2040 Datasheet, build 2024-10-15, chapters 2.14 to 2.18 and 4.10. */
#ifndef RP2040_H
#define RP2040_H

#include "../driver.h"

#define XIP_BASE 0x10000000u
#define SSI 0x18000000u
#define SSI_SSIENR (SSI + 0x08)
#define SSI_BAUDR (SSI + 0x14)

#define RESETS_CLEAR 0x4000F000u
#define RESETS_DONE 0x4000C008u
#define RESET_IO_QSPI (1u << 6)
#define RESET_PADS_QSPI (1u << 9)
#define RESET_PLL_SYS (1u << 12)
#define XOSC_CTRL 0x40024000u
#define XOSC_STATUS 0x40024004u
#define XOSC_STARTUP 0x4002400Cu
#define PLL_CS 0x40028000u
#define PLL_PWR_CLEAR 0x4002B004u
#define PLL_FBDIV 0x40028008u
#define PLL_PRIM 0x4002800Cu
#define CLK_SYS_CTRL 0x4000803Cu
#define CLK_SYS_SELECTED 0x40008044u
#define STABLE 0x80000000u
/* 40 ms at 6 MHz; the crystal takes 1 ms. */
#define CLOCK_LOOPS 0x8000u
/* Of clk_sys; reads by 03h may go at 50 MHz. Even. */
#define FASTEST_DIVIDER 4u

static inline uint32_t leave_reset(uint32_t mask) {
  *word_at(RESETS_CLEAR) = mask;
  return wait_while(RESETS_DONE, mask, 0, CLOCK_LOOPS);
}

/*
 * After a reset the core runs at some 6 MHz, at which flash is read at 23 KB/s. With the crystal that every board has (12 MHz) it goes up
 * to 125 MHz, as an application does; if there is none, it stays as it was.
 */
static inline void raise_clock(void) {
  if (*word_at(PLL_CS) & STABLE) return;
  *word_at(XOSC_STARTUP) = 47;
  *word_at(XOSC_CTRL) = 0xFABAA0;
  if (wait_while(XOSC_STATUS, STABLE, 0, CLOCK_LOOPS) != STATUS_OK) return;
  if (leave_reset(RESET_PLL_SYS) != STATUS_OK) return;
  *word_at(PLL_CS) = 1;
  *word_at(PLL_FBDIV) = 125;
  *word_at(PLL_PWR_CLEAR) = 0x21;
  if (wait_while(PLL_CS, STABLE, 0, CLOCK_LOOPS) != STATUS_OK) return;
  *word_at(PLL_PRIM) = 6u << 16 | 2u << 12;
  *word_at(PLL_PWR_CLEAR) = 0x08;
  *word_at(CLK_SYS_CTRL) = 0;
  *word_at(CLK_SYS_CTRL) = 1;
  wait_while(CLK_SYS_SELECTED, 2, 0, CLOCK_LOOPS);
}

#endif
