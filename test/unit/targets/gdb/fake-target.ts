/** A core with RAM behind the fake server: memory, registers, breakpoints, and a program that writes its status and stops. */
import type { Answer } from "./fake-server.ts";

export const ramStart = 0x20000000;

export interface TargetOptions {
  /** Answers `X`. */
  readonly hasX?: boolean;
  /** `m` answers with so many bytes at most. */
  readonly mostReadBytes?: number;
  /** Number of xPSR. */
  readonly statusRegister?: number;
  /** Addresses from here on cannot be written. */
  readonly ramBytes?: number;
  /** Answers `p`. */
  readonly hasP?: boolean;
}

export class FakeTarget {
  readonly ram: Uint8Array;
  readonly registers = new Map<number, number>();
  readonly breakpoints = new Set<string>();
  readonly #options: TargetOptions;

  constructor(options: TargetOptions = {}) {
    this.#options = options;
    this.ram = new Uint8Array(options.ramBytes ?? 0x10000);
  }

  /** undefined = not about memory or registers. */
  readonly answer = (body: string): Answer => {
    const letter = body[0] ?? "";
    const [first = "", second = ""] = body.slice(1).split(/[,=:]/, 2);
    switch (letter) {
      case "m":
        return this.#read(Number.parseInt(first, 16), Number.parseInt(second, 16));
      case "M": {
        const data = Buffer.from(body.slice(body.indexOf(":") + 1), "hex");
        return this.#write(Number.parseInt(first, 16), Number.parseInt(second, 16), data);
      }
      case "X": {
        if (this.#options.hasX !== true) return "";
        const data = Buffer.from(body.slice(body.indexOf(":") + 1), "latin1");
        return data.length === 0 ? "OK" : this.#write(Number.parseInt(first, 16), Number.parseInt(second, 16), data);
      }
      case "P":
        this.registers.set(Number.parseInt(first, 16), Buffer.from(second, "hex").readUInt32LE());
        return "OK";
      case "p":
        return this.#options.hasP === false ? "" : this.#digits(Number.parseInt(body.slice(1), 16));
      case "g": {
        const numbers = [...Array.from({ length: 16 }, (_, index) => index), this.#options.statusRegister ?? 16];
        return numbers.map((number) => this.#digits(number)).join("");
      }
      case "Z":
        this.breakpoints.add(body.slice(1));
        return "OK";
      case "z":
        this.breakpoints.delete(body.slice(1));
        return "OK";
      default:
        return undefined;
    }
  };

  word(address: number): number {
    return new DataView(this.ram.buffer).getUint32(address - ramStart, true);
  }

  setWord(address: number, value: number): void {
    new DataView(this.ram.buffer).setUint32(address - ramStart, value, true);
  }

  #digits(number: number): string {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(this.registers.get(number) ?? 0);
    return bytes.toString("hex");
  }

  #read(address: number, length: number): Answer {
    const at = address - ramStart;
    if (at < 0 || at >= this.ram.length) return "E01";
    const most = Math.min(length, this.#options.mostReadBytes ?? Infinity);
    return Buffer.from(this.ram.subarray(at, at + most)).toString("hex");
  }

  #write(address: number, length: number, data: Uint8Array): Answer {
    const at = address - ramStart;
    if (data.length !== length) return "E16";
    if (at < 0 || at + length > this.ram.length) return "E0e";
    this.ram.set(data, at);
    return "OK";
  }
}
