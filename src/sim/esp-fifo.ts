/** A UART's receive FIFO that the program looks into when it has time; what comes while it is full is lost. */
import type { Receiver } from "./esp-slip.ts";

/** Source: technical reference manuals, UART. */
const UART_BYTES = 128;
/** USB has flow control: what finds no room waits at the host. More than any host sends ahead. */
const USB_BYTES = 256 * 1024;
/** A program that waits for input is woken by this many bytes, or by one that ends a frame. */
const WAKE_BYTES = 64;
const FRAME_END = 0;

export class FifoReceiver implements Receiver {
  /** Bytes that found the FIFO full. */
  lostBytes = 0;
  readonly #bytes: Uint8Array;
  #length = 0;
  #hasEnd = false;

  constructor(link: "uart" | "usb") {
    this.#bytes = new Uint8Array(link === "uart" ? UART_BYTES : USB_BYTES);
  }

  get length(): number {
    return this.#length;
  }

  get isReady(): boolean {
    return this.#hasEnd || this.#length >= WAKE_BYTES;
  }

  take(bytes: Uint8Array): number {
    let count = 0;
    for (const byte of bytes) {
      count++;
      if (this.#length === this.#bytes.length) {
        this.lostBytes++;
        continue;
      }
      this.#bytes[this.#length++] = byte;
      if (byte === FRAME_END) this.#hasEnd = true;
      if (this.isReady) return count;
    }
    return count;
  }

  /** Moves at most `to.length` bytes. @returns how many */
  drain(to: Uint8Array): number {
    const count = Math.min(to.length, this.#length);
    to.set(this.#bytes.subarray(0, count));
    this.#bytes.copyWithin(0, count, this.#length);
    this.#length -= count;
    this.#hasEnd = this.#bytes.subarray(0, this.#length).includes(FRAME_END);
    return count;
  }

  lineWasIdle(): void {
    // The FIFO does not mind.
  }
}
