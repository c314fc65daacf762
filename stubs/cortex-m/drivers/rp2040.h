/*
 * What both drivers of the RP2040 need: a clock, and a flash that is idle. Numbers: RP2040 Datasheet, build 2024-10-15, chapters 2.14 to
 * 2.18 and 4.10.
 */
#ifndef RP2040_H
#define RP2040_H

#include "../driver.h"

#define XIP_BASE 0x10000000u
#define SSI 0x18000000u
#define SSI_SSIENR (SSI + 0x08)
#define SSI_BAUDR (SSI + 0x14)
#define SSI_SR (SSI + 0x28)
#define SSI_DR (SSI + 0x60)
#define SR_RECEIVED 0x08u

/* The pins' control registers are 8 apart; SS's can override it. */
#define QSPI_SS_CTRL 0x4001800Cu
#define SS_LOW (2u << 8)
#define SS_HIGH (3u << 8)
#define SS_BY_SSI 0u

#define READ_STATUS 0x05u
/* A loop of these is a status byte: some 150 cycles. */
#define BUSY_LOOPS (1u << 24)

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
#define PSM_FRCE_OFF 0x40010004u
#define PSM_PROC1 (1u << 16)
#define PSM_LOOPS 64u
/* 40 ms at 6 MHz; the crystal takes 1 ms. */
#define CLOCK_LOOPS 0x8000u
/* Of clk_sys; reads by 03h may go at 50 MHz. Even. */
#define FASTEST_DIVIDER 4u

/*
 * A debugger's reset may be that of the core it asks alone, and then the other one goes on running from the flash that is about to be
 * erased. Switched off and on again it waits in the boot ROM to be started, as after power-up. Source: datasheet 2.8.2 and 2.13.5.
 */
static inline void park_core_1(void) {
  *word_at(PSM_FRCE_OFF) = PSM_PROC1;
  wait_while(PSM_FRCE_OFF, PSM_PROC1, 0, PSM_LOOPS);
  *word_at(PSM_FRCE_OFF) = 0;
}

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

/* These want an SSI that is set up for single bytes. */
static uint32_t exchange(uint32_t byte) {
  *word_at(SSI_DR) = byte;
  wait_while(SSI_SR, SR_RECEIVED, 0, PROGRAM_LOOPS);
  return *word_at(SSI_DR) & 0xFF;
}

static void select(uint32_t byte) {
  *word_at(QSPI_SS_CTRL) = SS_LOW;
  exchange(byte);
}

static void deselect(void) {
  *word_at(QSPI_SS_CTRL) = SS_HIGH;
}

/*
 * Until the flash is idle it reads wrongly and takes no commands; a job that ended in the middle may have left it at work. FF is what is read
 * where no flash answers.
 */
static uint32_t finish(void) {
  deselect();
  select(READ_STATUS);
  uint32_t loops = BUSY_LOOPS;
  uint32_t status;
  do status = exchange(0);
  while (status & 1 && status != 0xFF && --loops > 0);
  deselect();
  return loops > 0 ? STATUS_OK : STATUS_TIMEOUT;
}

#endif
