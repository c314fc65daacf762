/** Joins a simulated board and a virtual clock to the transport interface: waiting for the board is what moves the clock. */
import { FlashError } from "../core/errors.ts";
import type { ModemLines, SerialTransport, TransportCounters } from "../transport/transport.ts";
import type { SimBoard } from "./board.ts";
import type { VirtualClock } from "./virtual-clock.ts";

export interface SimTransportOptions {
  readonly name?: string;
  readonly hasModemLines?: boolean;
  /** What the operating system would say about the port. */
  readonly usb?: { readonly vendorId: number; readonly productId: number };
}

export class SimTransport implements SerialTransport {
  readonly name: string;
  readonly hasModemLines: boolean;
  readonly usb?: { readonly vendorId: number; readonly productId: number };
  readonly counters: TransportCounters = { sentBytes: 0, receivedBytes: 0, roundTrips: 0 };
  readonly #board: SimBoard;
  readonly #clock: VirtualClock;
  #sending = false;
  #closed = false;

  constructor(board: SimBoard, clock: VirtualClock, options: SimTransportOptions = {}) {
    this.#board = board;
    this.#clock = clock;
    this.name = options.name ?? "sim";
    this.hasModemLines = options.hasModemLines ?? true;
    if (options.usb !== undefined) this.usb = options.usb;
    board.hostConnects?.(clock.nowMs());
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#checkOpen();
    this.#sending = true;
    this.counters.sentBytes += bytes.length;
    this.#board.receive(bytes, this.#clock.nowMs());
    await Promise.resolve();
  }

  async read(timeoutMs: number): Promise<Uint8Array> {
    this.#checkOpen();
    if (this.#sending) {
      this.#sending = false;
      this.counters.roundTrips++;
    }
    const deadlineMs = this.#clock.nowMs() + timeoutMs;
    await Promise.resolve();
    for (;;) {
      const arrived = this.#board.advance(this.#clock.nowMs());
      if (arrived.length > 0) {
        this.counters.receivedBytes += arrived.length;
        return arrived;
      }
      if (this.#clock.nowMs() >= deadlineMs) return arrived;
      this.#clock.advanceTo(Math.min(this.#board.nextEventMs() ?? deadlineMs, deadlineMs));
      const pause = this.#clock.settle();
      if (pause !== undefined) await pause;
    }
  }

  async flushInput(): Promise<void> {
    this.#checkOpen();
    this.#board.advance(this.#clock.nowMs());
    await Promise.resolve();
  }

  async setSignals(lines: ModemLines): Promise<void> {
    this.#checkOpen();
    if (this.hasModemLines) this.#board.setSignals(lines, this.#clock.nowMs());
    await Promise.resolve();
  }

  async setBaudRate(baud: number): Promise<void> {
    this.#checkOpen();
    this.#board.setBaudRate(baud, this.#clock.nowMs());
    await Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#closed) this.#board.hostLeaves?.(this.#clock.nowMs());
    this.#closed = true;
    await Promise.resolve();
  }

  #checkOpen(): void {
    if (this.#closed) throw new FlashError("disconnected", `${this.name} is closed`);
  }
}
