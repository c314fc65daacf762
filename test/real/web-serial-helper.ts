/** A simulated board as a `SerialPort` of the browser's Web Serial API, as far as esptool-js uses it. */
import type { EspBoard } from "../../src/sim/esp-board.ts";
import { BoardPump, type ClientLink, type SimSpeed } from "../../src/sim/serve-pump.ts";

interface Signals {
  readonly dataTerminalReady?: boolean;
  readonly requestToSend?: boolean;
}

/** Opened, closed and opened again at another rate by its user; the board lives on meanwhile. `stop` ends it all. */
export class WebSerialPort {
  readable: ReadableStream<Uint8Array> | null = null;
  writable: WritableStream<Uint8Array> | null = null;
  /** The rates at which the port was opened, in order. */
  readonly rates: number[] = [];
  readonly #pump: BoardPump;
  #link: ClientLink | undefined;
  #lines = { dtr: false, rts: false };

  constructor(board: EspBoard, speed: SimSpeed) {
    this.#pump = new BoardPump(board, speed, (reason) => {
      throw reason;
    });
  }

  open({ baudRate }: { baudRate: number }): Promise<void> {
    this.rates.push(baudRate);
    this.#pump.setBaudRate(baudRate);
    this.readable = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const link: ClientLink = {
          send: (bytes) => (this.#link === link ? controller.enqueue(bytes) : undefined),
          backlogBytes: () => 0,
          holdInput: () => undefined,
        };
        this.#link = link;
        this.#pump.attach(link);
      },
      cancel: () => this.#forget(),
    });
    this.writable = new WritableStream<Uint8Array>({ write: (bytes) => this.#pump.receive(bytes) });
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#forget();
    this.readable = null;
    this.writable = null;
    return Promise.resolve();
  }

  /** A line that is not named stays as it is. */
  setSignals({ dataTerminalReady, requestToSend }: Signals): Promise<void> {
    this.#lines = { dtr: dataTerminalReady ?? this.#lines.dtr, rts: requestToSend ?? this.#lines.rts };
    this.#pump.setSignals(this.#lines);
    return Promise.resolve();
  }

  /** CP2102N. */
  getInfo(): { readonly usbVendorId: number; readonly usbProductId: number } {
    return { usbVendorId: 0x10c4, usbProductId: 0xea60 };
  }

  stop(): void {
    this.#pump.stop();
  }

  /** The pump hands over what is ready when its client leaves, so the stream that is closed already must be out of the way first. */
  #forget(): void {
    const link = this.#link;
    this.#link = undefined;
    if (link !== undefined) this.#pump.detach(link);
  }
}
