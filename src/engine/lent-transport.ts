/** A port that is lent: whoever borrows it may close it, and its owner keeps it open. */
import type { ModemLines, SerialTransport, TransportCounters } from "../transport/transport.ts";

export class LentTransport implements SerialTransport {
  readonly #owned: SerialTransport;
  readonly usb?: { readonly vendorId: number; readonly productId: number };

  constructor(owned: SerialTransport) {
    this.#owned = owned;
    if (owned.usb !== undefined) this.usb = owned.usb;
  }

  get name(): string {
    return this.#owned.name;
  }

  get counters(): TransportCounters {
    return this.#owned.counters;
  }

  get hasModemLines(): boolean {
    return this.#owned.hasModemLines;
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#owned.write(bytes);
  }

  read(timeoutMs: number): Promise<Uint8Array> {
    return this.#owned.read(timeoutMs);
  }

  flushInput(): Promise<void> {
    return this.#owned.flushInput();
  }

  setSignals(signals: ModemLines): Promise<void> {
    return this.#owned.setSignals(signals);
  }

  setBaudRate(baud: number): Promise<void> {
    return this.#owned.setBaudRate(baud);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

/** Closes what may be gone already: gone is as good as closed. Never rejects. */
export async function closeQuietly(transport: SerialTransport | undefined): Promise<void> {
  try {
    await transport?.[Symbol.asyncDispose]();
  } catch {
    return;
  }
}
