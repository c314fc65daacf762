/** As much of a chip's serial port as it takes to see what its firmware prints: what is sent has been sent at once. */
import type { Peripheral } from "./bus.ts";

export type UartKind = "nrf51" | "stm32f4" | "stm32f7" | "rp2040";

interface UartLayout {
  readonly data: number;
  /** Registers that say "ready" in these bits. */
  readonly ready: Readonly<Record<number, number>>;
}

/** Offsets of the data register, and the status bits that tell that it takes a byte. */
const layouts: Readonly<Record<UartKind, UartLayout>> = {
  nrf51: { data: 0x51c, ready: { 0x11c: 1 } }, // TXD, TXDRDY
  stm32f4: { data: 0x04, ready: { 0x00: 0xc0 } }, // DR; SR: TXE, TC
  stm32f7: { data: 0x28, ready: { 0x1c: 0xc0 } }, // TDR; ISR: TXE, TC
  rp2040: { data: 0x00, ready: { 0x18: 0x90 } }, // UARTDR; UARTFR: TXFE, RXFE
};

export class Uart implements Peripheral {
  readonly #layout: UartLayout;
  readonly #print: (byte: number) => void;
  readonly #registers = new Map<number, number>();

  constructor(kind: UartKind, print: (byte: number) => void) {
    this.#layout = layouts[kind];
    this.#print = print;
  }

  read(offset: number): number {
    return this.#layout.ready[offset] ?? this.#registers.get(offset) ?? 0;
  }

  write(offset: number, value: number): void {
    if (offset === this.#layout.data) this.#print(value & 0xff);
    else this.#registers.set(offset, value);
  }
}
