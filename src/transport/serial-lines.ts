/** DTR and RTS of one open port, whichever way this system can move them. */
import { LineHelper } from "./line-helper.ts";
import { saysBreakUnsupported, saysNoModemLines } from "./serial-errors.ts";
import type { ModemLines } from "./transport.ts";

/** What of the serialport package's open port is needed here. */
export interface LinePort {
  /** Sets everything on each call; what is left out falls back to a default. */
  set(options: {
    readonly brk: boolean;
    readonly cts: boolean;
    readonly dsr: boolean;
    readonly dtr: boolean;
    readonly rts: boolean;
    readonly lowLatency: boolean;
  }): Promise<void>;
  get(): Promise<unknown>;
}

export class SerialLines implements AsyncDisposable {
  readonly #port: LinePort;
  readonly #fileDescriptor: number | undefined;
  #present: boolean;
  #helper: LineHelper | undefined;

  private constructor(port: LinePort, fileDescriptor: number | undefined, present: boolean) {
    this.#port = port;
    this.#fileDescriptor = fileDescriptor;
    this.#present = present;
  }

  /** Asks the port for its lines, which moves none of them. */
  static async of(port: LinePort, fileDescriptor: number | undefined): Promise<SerialLines> {
    const present = await port.get().then(
      () => true,
      (error: unknown) => !saysNoModemLines(error),
    );
    return new SerialLines(port, fileDescriptor, present);
  }

  get present(): boolean {
    return this.#present;
  }

  /** Both lines in one step, where the system can. Rejects with the package's error when the port is gone. */
  async set(lines: ModemLines): Promise<void> {
    if (!this.#present) return;
    if (this.#helper !== undefined) return this.#helper.set(lines);
    try {
      // Low latency has FTDI bridges hand over bytes after 1 ms instead of 16; others ignore it.
      await this.#port.set({ brk: false, cts: false, dsr: false, dtr: lines.dtr, rts: lines.rts, lowLatency: true });
    } catch (error) {
      if (saysNoModemLines(error)) {
        this.#present = false;
        return;
      }
      if (!saysBreakUnsupported(error) || this.#fileDescriptor === undefined) throw error;
      this.#helper = await LineHelper.start(this.#fileDescriptor);
      await this.#helper.set(lines);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#helper?.[Symbol.asyncDispose]();
  }
}
