/*
 * USB-Serial-JTAG: packets of 64 bytes, the host asks for them, nothing is lost. Numbers: soc/usb_serial_jtag_reg.h.
 */
#include "hw.h"
#include "registers.h"

#ifdef USB

#define USB_BYTE (USB + 0x00)
#define USB_STATE (USB + 0x04)
#define USB_FLUSH 1u    /* WR_DONE */
#define USB_ROOM 2u     /* SERIAL_IN_EP_DATA_FREE */
#define USB_ARRIVED 4u  /* SERIAL_OUT_EP_DATA_AVAIL */

/* Bytes stand in the packet, or a full packet went out: the host only hands on what a shorter one ends. */
static bool unflushed;

static void flush(void) {
  if (!unflushed || (get(USB_STATE) & USB_ROOM) == 0) return;
  set(USB_STATE, USB_FLUSH);
  unflushed = false;
}

/* Flushes here, so that several transmits between two looks at the receiver share a packet. */
uint32_t usb_receive(uint8_t *to, uint32_t most) {
  flush();
  uint32_t count = 0;
  while (count < most && (get(USB_STATE) & USB_ARRIVED) != 0) to[count++] = (uint8_t)get(USB_BYTE);
  return count;
}

uint32_t usb_transmit(const uint8_t *from, uint32_t count) {
  uint32_t index = 0;
  while (index < count && (get(USB_STATE) & USB_ROOM) != 0) set(USB_BYTE, from[index++]);
  if (index > 0) unflushed = true;
  return index;
}

bool usb_idle(void) {
  flush();
  return !unflushed && (get(USB_STATE) & USB_ROOM) != 0;
}

#endif
