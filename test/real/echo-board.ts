/** A board for the tests of wires: says every byte back after a while, and writes down what it was told. */
import { concat } from "../../src/core/bytes.ts";
import { FlashError } from "../../src/core/errors.ts";
import type { SimBoard, SimCounters } from "../../src/sim/board.ts";

export class EchoBoard implements SimBoard {
  /** Rates and lines in the order in which they came, `baud 9600`, `dtr1 rts0`. */
  readonly log: string[] = [];
  readonly #delayMs: number;
  #due: { atMs: number; bytes: Uint8Array }[] = [];
  #bytesIn = 0;
  #bytesOut = 0;
  #unpluggedAfter = Infinity;

  constructor(delayMs = 1) {
    this.#delayMs = delayMs;
  }

  /** The cable comes out when `count` bytes have arrived. */
  unplugAfter(count: number): void {
    this.#unpluggedAfter = count;
  }

  receive(bytes: Uint8Array, atMs: number): void {
    this.#due.push({ atMs: atMs + this.#delayMs, bytes: bytes.slice() });
  }

  setSignals(lines: { readonly dtr: boolean; readonly rts: boolean }): void {
    this.log.push(`dtr${Number(lines.dtr)} rts${Number(lines.rts)}`);
  }

  setBaudRate(baud: number): void {
    this.log.push(`baud ${baud}`);
  }

  nextEventMs(): number | undefined {
    return this.#due[0]?.atMs;
  }

  advance(toMs: number): Uint8Array {
    const ready = this.#due.filter((answer) => answer.atMs <= toMs);
    this.#due = this.#due.filter((answer) => answer.atMs > toMs);
    const bytes = concat(ready.map((answer) => answer.bytes));
    this.#bytesIn += bytes.length;
    if (this.#bytesIn >= this.#unpluggedAfter) throw new FlashError("disconnected", "the cable was pulled");
    this.#bytesOut += bytes.length;
    return bytes;
  }

  counters(): SimCounters {
    return {
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      erases: {},
      pagesProgrammed: 0,
      flashBusyMs: 0,
      commands: {},
      resets: 0,
    };
  }
}
