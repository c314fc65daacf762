/** What a processor sees at an address: RAM, in several places if need be, and devices. Refuses what the real thing would refuse. */

export interface Device {
  read(address: number): number;
  write(address: number, value: number): void;
}

interface Window {
  readonly start: number;
  readonly end: number;
  readonly bytes: Uint8Array;
  readonly halves: Uint16Array;
  readonly words: Int32Array;
  /** A code bus that knows nothing smaller. */
  readonly wordsOnly: boolean;
}

export class Bus {
  readonly #windows: Window[] = [];
  readonly #device: Device;
  #last: Window | undefined;

  constructor(device: Device) {
    this.#device = device;
  }

  /** @param buffer of the RAM, which may show in other windows too */
  addRam(
    start: number,
    buffer: ArrayBuffer,
    options: { from?: number; bytes?: number; wordsOnly?: boolean } = {},
  ): void {
    const from = options.from ?? 0;
    const length = options.bytes ?? buffer.byteLength - from;
    this.#windows.push({
      start,
      end: start + length,
      bytes: new Uint8Array(buffer, from, length),
      halves: new Uint16Array(buffer, from, length >>> 1),
      words: new Int32Array(buffer, from, length >>> 2),
      wordsOnly: options.wordsOnly === true,
    });
  }

  /** @throws Error where nothing is */
  bytesAt(address: number, length: number): Uint8Array {
    const window = this.#find(address);
    if (window === undefined || address + length > window.end) throw new Error(`no RAM at ${address.toString(16)}`);
    return window.bytes.subarray(address - window.start, address - window.start + length);
  }

  /** For fetching instructions: any alignment. */
  fetchByte(address: number): number {
    const window =
      this.#last !== undefined && address >= this.#last.start && address < this.#last.end
        ? this.#last
        : this.#find(address);
    if (window === undefined) throw new Error(`instruction fetch from ${address.toString(16)}`);
    return window.bytes[address - window.start] ?? 0;
  }

  fetchHalf(address: number): number {
    const window = this.#find(address);
    if (window === undefined) throw new Error(`instruction fetch from ${address.toString(16)}`);
    return window.halves[(address - window.start) >>> 1] ?? 0;
  }

  /** Unsigned, but for words. */
  load(address: number, size: 1 | 2 | 4): number {
    const at = address >>> 0;
    if (at % size !== 0) throw new Error(`unaligned load of ${size} from ${at.toString(16)}`);
    const window = this.#find(at);
    if (window === undefined) {
      if (size !== 4) throw new Error(`load of ${size} bytes from a register at ${at.toString(16)}`);
      return this.#device.read(at) | 0;
    }
    if (size === 4) return window.words[(at - window.start) >>> 2] ?? 0;
    if (window.wordsOnly) throw new Error(`load of ${size} bytes from a code bus at ${at.toString(16)}`);
    return size === 1 ? (window.bytes[at - window.start] ?? 0) : (window.halves[(at - window.start) >>> 1] ?? 0);
  }

  store(address: number, size: 1 | 2 | 4, value: number): void {
    const at = address >>> 0;
    if (at % size !== 0) throw new Error(`unaligned store of ${size} to ${at.toString(16)}`);
    const window = this.#find(at);
    if (window === undefined) {
      if (size !== 4) throw new Error(`store of ${size} bytes to a register at ${at.toString(16)}`);
      this.#device.write(at, value >>> 0);
    } else if (size === 4) window.words[(at - window.start) >>> 2] = value;
    else if (window.wordsOnly) throw new Error(`store of ${size} bytes to a code bus at ${at.toString(16)}`);
    else if (size === 1) window.bytes[at - window.start] = value;
    else window.halves[(at - window.start) >>> 1] = value;
  }

  #find(address: number): Window | undefined {
    const last = this.#last;
    if (last !== undefined && address >= last.start && address < last.end) return last;
    for (const window of this.#windows) {
      if (address >= window.start && address < window.end) return (this.#last = window);
    }
    return undefined;
  }
}

/** A processor, an instruction at a time. */
export interface Processor {
  pc: number;
  step(): void;
}
