/**
 * The wire between host and chip: when each byte arrives, at which rate it was sent, and what a receiver at another rate makes
 * of it. Knows no frames. Times come in; nothing here looks at a clock.
 */
import { Random } from "./random.ts";

const BITS_PER_BYTE = 10;
/** A receiver that is further off than this samples wrong bits. */
const RATE_TOLERANCE = 0.04;
/** USB-Serial-JTAG moves 0.8 to 1 MB/s (reports); the figure is for one byte. */
const USB_BYTE_MS = 1 / 800;

export interface WireOptions {
  /** A USB bridge's delay in each direction, milliseconds. What reaches it within that time towards the host arrives together. */
  readonly latencyMs: number;
  /** `usb`: the chip's own USB port, which has no rate. */
  readonly link: "uart" | "usb";
  readonly seed: number;
}

/** Bytes on their way: byte `i` has arrived at `startMs + (i + 1) * byteMs`. */
interface Train {
  readonly bytes: Uint8Array;
  at: number;
  readonly startMs: number;
  readonly byteMs: number;
  readonly baud: number;
}

export class Wire {
  /** 0: the host's rate is always the chip's, as on connections that have no rate. */
  hostBaud = 115_200;
  deviceBaud = 115_200;
  readonly #options: WireOptions;
  readonly #random: Random;
  #toDevice: Train[] = [];
  #toHost: Train[] = [];
  #hostFreeMs = -Infinity;
  #deviceFreeMs = -Infinity;
  #lastToDeviceMs = -Infinity;
  #gathered: { parts: Uint8Array[]; dueMs: number } | undefined;
  #inbox: Uint8Array[] = [];

  constructor(options: WireOptions) {
    this.#options = options;
    this.#random = new Random(options.seed ^ 0x77697265);
  }

  sendFromHost(bytes: Uint8Array, nowMs: number): void {
    if (bytes.length === 0) return;
    const baud = this.hostBaud === 0 ? this.deviceBaud : this.hostBaud;
    const startMs = Math.max(nowMs + this.#options.latencyMs, this.#hostFreeMs);
    const train = { bytes, at: 0, startMs, byteMs: this.#byteMs(baud), baud };
    this.#hostFreeMs = startMs + bytes.length * train.byteMs;
    this.#toDevice.push(train);
  }

  sendFromDevice(bytes: Uint8Array, nowMs: number): void {
    if (bytes.length === 0) return;
    const startMs = Math.max(nowMs, this.#deviceFreeMs);
    const train = { bytes, at: 0, startMs, byteMs: this.#byteMs(this.deviceBaud), baud: this.deviceBaud };
    this.#deviceFreeMs = startMs + bytes.length * train.byteMs;
    this.#toHost.push(train);
  }

  /** When the chip's transmitter has sent all it was given. */
  deviceIdleMs(): number {
    return this.#deviceFreeMs;
  }

  /** When the last byte that the host has handed over reaches the chip. */
  hostIdleMs(): number {
    return this.#hostFreeMs;
  }

  /** Time of one byte from the chip. */
  deviceByteMs(): number {
    return this.#byteMs(this.deviceBaud);
  }

  /** The bridge's delay in each direction. */
  get latencyMs(): number {
    return this.#options.latencyMs;
  }

  /** When the next byte reaches the chip. */
  nextToDeviceMs(): number | undefined {
    const train = this.#toDevice[0];
    return train === undefined ? undefined : train.startMs + (train.at + 1) * train.byteMs;
  }

  /** The bytes that reach the chip by `untilMs`, out of one train, as the chip's receiver understands them; `consume` what was used. */
  peekToDevice(untilMs: number): { bytes: Uint8Array; sameRate: boolean; baud: number } | undefined {
    const train = this.#toDevice[0];
    if (train === undefined) return undefined;
    // The small allowance keeps a byte whose arrival was itself the limit from being lost to rounding.
    const arrived = Math.floor((untilMs - train.startMs) / train.byteMs + 1e-6);
    const end = Math.min(train.bytes.length, Math.max(arrived, 0));
    if (end <= train.at) return undefined;
    const bytes = train.bytes.subarray(train.at, end);
    const sameRate = this.hostBaud === 0 || this.#matches(train.baud, this.deviceBaud);
    return { bytes: sameRate ? bytes : this.#garble(bytes, this.deviceBaud / train.baud), sameRate, baud: train.baud };
  }

  /** The next byte to reach the chip comes after a pause of more than a byte. */
  comesAfterPause(): boolean {
    const train = this.#toDevice[0];
    return train !== undefined && train.at === 0 && train.startMs > this.#lastToDeviceMs + train.byteMs;
  }

  /** @returns the arrival time of the last byte consumed */
  consume(count: number): number {
    const train = this.#toDevice[0];
    if (train === undefined) return 0;
    train.at += count;
    if (train.at >= train.bytes.length) this.#toDevice.shift();
    this.#lastToDeviceMs = train.startMs + train.at * train.byteMs;
    return this.#lastToDeviceMs;
  }

  /** When something reaches the host next. */
  nextToHostMs(): number | undefined {
    if (this.#inbox.length > 0) return -Infinity;
    if (this.#gathered !== undefined) return this.#gathered.dueMs;
    const train = this.#toHost[0];
    return train === undefined ? undefined : train.startMs + (train.at + 1) * train.byteMs + this.#options.latencyMs;
  }

  /** Moves what has reached the bridge, and the host, by `nowMs`. Call before a rate changes. */
  settle(nowMs: number): void {
    for (;;) {
      const train = this.#toHost[0];
      const nextMs = train === undefined ? Infinity : train.startMs + (train.at + 1) * train.byteMs;
      if (this.#gathered !== undefined && this.#gathered.dueMs <= Math.min(nowMs, nextMs)) {
        this.#inbox.push(...this.#gathered.parts);
        this.#gathered = undefined;
        continue;
      }
      if (train === undefined || nextMs > nowMs) return;
      this.#gathered ??= { parts: [], dueMs: nextMs + this.#options.latencyMs };
      this.#gather(train, Math.min(nowMs, this.#gathered.dueMs), this.#gathered.parts);
    }
  }

  get hasForHost(): boolean {
    return this.#inbox.length > 0;
  }

  /** All that has reached the host. */
  takeForHost(): readonly Uint8Array[] {
    const inbox = this.#inbox;
    this.#inbox = [];
    return inbox;
  }

  /** The cable is pulled: what is under way is lost; what has reached the host stays. */
  cut(nowMs: number): void {
    this.settle(nowMs);
    if (this.#gathered !== undefined) this.#inbox.push(...this.#gathered.parts);
    this.#gathered = undefined;
    this.#toDevice = [];
    this.#toHost = [];
    this.#hostFreeMs = nowMs;
    this.#deviceFreeMs = nowMs;
  }

  /** The chip is reset: what it had not sent yet is lost, the byte under way included. */
  silenceDevice(nowMs: number): void {
    this.settle(nowMs);
    this.#toHost = [];
    this.#deviceFreeMs = nowMs;
  }

  #gather(train: Train, untilMs: number, parts: Uint8Array[]): void {
    const arrived = Math.floor((untilMs - train.startMs) / train.byteMs + 1e-6);
    const end = Math.min(train.bytes.length, Math.max(arrived, train.at + 1));
    const bytes = train.bytes.subarray(train.at, end);
    const hostBaud = this.hostBaud === 0 ? train.baud : this.hostBaud;
    parts.push(this.#matches(train.baud, hostBaud) ? bytes : this.#garble(bytes, hostBaud / train.baud));
    train.at = end;
    if (end >= train.bytes.length) this.#toHost.shift();
  }

  #matches(sent: number, received: number): boolean {
    return this.#options.link === "usb" || Math.abs(sent / received - 1) <= RATE_TOLERANCE;
  }

  #byteMs(baud: number): number {
    return this.#options.link === "usb" ? USB_BYTE_MS : (BITS_PER_BYTE * 1000) / baud;
  }

  /** As many bytes as went in, so that positions hold; edges at the wrong places give mostly zeros, ones and neighbours of them. */
  #garble(bytes: Uint8Array, ratio: number): Uint8Array {
    const shapes = ratio > 1 ? [0x00, 0x80, 0xf8, 0xfe, 0x78, 0xe0] : [0xff, 0xfd, 0x55, 0xbb, 0xf7, 0x00];
    return bytes.map(() => shapes[this.#random.u32() % shapes.length] ?? 0);
  }
}
