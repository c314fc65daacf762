/** The host's side of the bench for tests of simulated boards: frames and a clock, written anew so that nothing is shared. */
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { makeSimBoard, type SimBoardOptions } from "../../src/sim/boards.ts";

export function words(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  values.forEach((value, i) => new DataView(bytes.buffer).setUint32(4 * i, value >>> 0, true));
  return bytes;
}

function slip(payload: Uint8Array): Uint8Array {
  const inside = Array.from(payload, (byte) => (byte === 0xc0 ? [0xdb, 0xdc] : byte === 0xdb ? [0xdb, 0xdd] : [byte]));
  return Uint8Array.from([0xc0, ...inside.flat(), 0xc0]);
}

export function request(op: number, data: Uint8Array = new Uint8Array(0), checksum = 0): Uint8Array {
  const packet = Buffer.alloc(8 + data.length);
  packet.writeUInt8(op, 1);
  packet.writeUInt16LE(data.length, 2);
  packet.writeUInt32LE(checksum >>> 0, 4);
  packet.set(data, 8);
  return slip(packet);
}

function sum(data: Uint8Array): number {
  return data.reduce((all, byte) => all ^ byte, 0xef);
}

/** A data block with its header and checksum. */
export function block(op: number, data: Uint8Array, sequence: number, checksum = sum(data)): Uint8Array {
  return request(op, Buffer.concat([words(data.length, sequence, 0, 0), data]), checksum);
}

/** Payloads of all complete frames. */
export function frames(bytes: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  let inside: number[] | undefined;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    if (byte === 0xc0) {
      if (inside !== undefined && inside.length > 0) {
        found.push(Uint8Array.from(inside));
        inside = undefined;
      } else inside = [];
    } else if (byte === 0xdb) inside?.push(bytes[++i] === 0xdc ? 0xc0 : 0xdb);
    else inside?.push(byte);
  }
  return found;
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

export function syncPayload(): Uint8Array {
  return Uint8Array.from([7, 7, 0x12, 0x20, ...new Uint8Array(32).fill(0x55)]);
}

/** Bytes that look like code: some repetition, some noise. */
export function program(length: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, (_, i) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (i & 64) === 0 ? state >>> 24 : i >>> 8;
  });
}

export class Bench {
  readonly board: ReturnType<typeof makeSimBoard>;
  nowMs = 0;

  constructor(options: SimBoardOptions) {
    this.board = makeSimBoard(options);
    // The ESP8266's ROM starts at 115200 for a crystal of 40 MHz, but has one of 26.
    if (options.board === "esp8266") this.baud(74_880);
  }

  send(bytes: Uint8Array): void {
    this.board.receive(bytes, this.nowMs);
  }

  /** Lets time pass; what came meanwhile. */
  wait(ms: number): Uint8Array {
    return this.#until(this.nowMs + ms, () => false);
  }

  /** Sends, and waits for that many frames or the time to be over. @returns payloads as hex */
  exchange(bytes: Uint8Array, count = 1, timeoutMs = 3000): string[] {
    this.send(bytes);
    const got = this.#until(this.nowMs + timeoutMs, (so) => frames(so).length >= count);
    return frames(got).map(hex);
  }

  /** Sends a command and gives the first answer without its fixed parts: `op value data status`, or `silence`. */
  ask(op: number, data: Uint8Array = new Uint8Array(0), checksum = 0): string {
    return this.#first(request(op, data, checksum));
  }

  askBlock(op: number, data: Uint8Array, sequence: number, checksum = sum(data)): string {
    return this.#first(block(op, data, sequence, checksum));
  }

  readRegister(address: number): number {
    const [answer = ""] = this.exchange(request(0x0a, words(address)));
    return Buffer.from(answer, "hex").readUInt32LE(4);
  }

  lines(dtr: boolean, rts: boolean): void {
    this.board.setSignals({ dtr, rts }, this.nowMs);
  }

  baud(baud: number): void {
    this.board.setBaudRate(baud, this.nowMs);
  }

  /** The classic sequence; gives what the board printed. */
  resetIntoLoader(): string {
    this.lines(false, true);
    this.wait(100);
    this.lines(true, true);
    this.lines(true, false);
    const text = this.wait(50);
    this.lines(false, false);
    return Buffer.from(text).toString("latin1");
  }

  resetIntoProgram(ms = 1000): string {
    this.lines(false, true);
    this.wait(100);
    this.lines(false, false);
    return Buffer.from(this.wait(ms)).toString("latin1");
  }

  sync(): void {
    expect(this.exchange(request(0x08, syncPayload()), 8)).toHaveLength(8);
  }

  /** SPI_ATTACH and SPI_SET_PARAMS. */
  attach(): void {
    this.ask(0x0d, words(0, 0));
    this.ask(0x0b, words(0, this.board.flash.length, 0x10000, 0x1000, 0x100, 0xffff));
  }

  /** Uploads the stub that npm carries (1.2.2) and waits for its first word. */
  startStub(): void {
    const file = `../../node_modules/esptool-js/lib/targets/stub_flasher/${this.board.chip.id}.json`;
    const stub = JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8")) as Record<string, string & number>;
    for (const part of ["text", "data"]) {
      const bytes = Buffer.from(String(stub[part]), "base64");
      this.load(bytes, Number(stub[`${part}_start`]));
    }
    const [, hello] = this.exchange(request(0x06, words(0, Number(stub["entry"]))), 2);
    expect(hello).toBe(hex(Buffer.from("OHAI")));
  }

  load(bytes: Uint8Array, address: number): void {
    const size = 0x1800;
    const count = Math.ceil(bytes.length / size);
    this.ask(0x05, words(bytes.length, count, size, address));
    for (let i = 0; i < count; i++) this.askBlock(0x07, bytes.subarray(i * size, (i + 1) * size), i);
  }

  #first(frame: Uint8Array): string {
    const [answer] = this.exchange(frame);
    if (answer === undefined) return "silence";
    const bytes = Buffer.from(answer, "hex");
    return `${hex(bytes.subarray(1, 2))} ${hex(bytes.subarray(4, 8))} ${hex(bytes.subarray(8))}`;
  }

  #until(endMs: number, enough: (so: Uint8Array) => boolean): Uint8Array {
    let all = Buffer.alloc(0);
    for (;;) {
      const next = this.board.nextEventMs();
      if (next === undefined || next > endMs) break;
      this.nowMs = Math.max(this.nowMs, next);
      const got = this.board.advance(this.nowMs);
      if (got.length === 0) continue;
      all = Buffer.concat([all, got]);
      if (got.includes(0xc0) && enough(all)) return all;
    }
    this.nowMs = endMs;
    return Buffer.concat([all, this.board.advance(endMs)]);
  }
}

/** A board in the serial loader, synchronised and attached to its flash. */
export function loaderBench(options: SimBoardOptions): Bench {
  const bench = new Bench({ startInLoader: true, ...options });
  bench.sync();
  if (options.board !== "esp8266") bench.attach();
  return bench;
}
