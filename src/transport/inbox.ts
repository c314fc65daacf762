/** A bounded queue of bytes that arrived and were not read yet, with readers that wait. Knows no port and no protocol. */
import { concat } from "../core/bytes.ts";
import type { FlashError } from "../core/errors.ts";
import type { TransportCounters } from "./transport.ts";

/** Where senders should pause. Far above what any loader sends unasked, far below what hurts. */
const DEFAULT_CAPACITY_BYTES = 1024 * 1024;

interface Reader {
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (error: FlashError) => void;
  readonly timer: NodeJS.Timeout;
}

export class Inbox {
  readonly counters: TransportCounters = { sentBytes: 0, receivedBytes: 0, roundTrips: 0 };
  readonly #capacityBytes: number;
  #chunks: Uint8Array[] = [];
  #size = 0;
  #end: FlashError | undefined;
  #sending = false;
  readonly #readers: Reader[] = [];
  #waitingForRoom: (() => void)[] = [];

  constructor(capacityBytes = DEFAULT_CAPACITY_BYTES) {
    this.#capacityBytes = capacityBytes;
  }

  /** Why nothing comes any more; undefined while the other end is there. */
  get end(): FlashError | undefined {
    return this.#end;
  }

  /** True = the sender should wait for `room`; what is pushed all the same is kept. */
  get isFull(): boolean {
    return this.#size >= this.#capacityBytes;
  }

  /** Resolves at once while there is room, else when a reader has made some or the queue ended. */
  room(): Promise<void> {
    if (!this.isFull || this.#end !== undefined) return Promise.resolve();
    return new Promise((resolve) => this.#waitingForRoom.push(resolve));
  }

  /** For the count of round trips: bytes go out now. */
  countSent(count: number): void {
    this.#sending = true;
    this.counters.sentBytes += count;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#end !== undefined) return;
    this.#chunks.push(bytes);
    this.#size += bytes.length;
    const reader = this.#readers.shift();
    if (reader === undefined) return;
    clearTimeout(reader.timer);
    reader.resolve(this.#take());
  }

  /** Nothing comes any more: every waiting reader is woken now, later ones get what is left first. Only the first reason counts. */
  finish(reason: FlashError): void {
    if (this.#end !== undefined) return;
    this.#end = reason;
    for (const reader of this.#readers.splice(0)) {
      clearTimeout(reader.timer);
      reader.reject(reason);
    }
    this.#announceRoom();
  }

  /** All that has arrived; an empty array when `timeoutMs` is over. @throws FlashError the reason given to `finish`. */
  read(timeoutMs: number): Promise<Uint8Array> {
    if (this.#sending) {
      this.#sending = false;
      this.counters.roundTrips++;
    }
    if (this.#size > 0) return Promise.resolve(this.#take());
    if (this.#end !== undefined) return Promise.reject(this.#end);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#readers.splice(this.#readers.indexOf(reader), 1);
        resolve(new Uint8Array());
      }, timeoutMs);
      const reader: Reader = { resolve, reject, timer };
      this.#readers.push(reader);
    });
  }

  /** Drops what was not read. */
  clear(): void {
    this.#chunks = [];
    this.#size = 0;
    this.#announceRoom();
  }

  #take(): Uint8Array {
    const [first] = this.#chunks;
    const all = this.#chunks.length === 1 && first !== undefined ? first : concat(this.#chunks);
    this.clear();
    this.counters.receivedBytes += all.length;
    return all;
  }

  #announceRoom(): void {
    const waiting = this.#waitingForRoom;
    this.#waitingForRoom = [];
    for (const resolve of waiting) resolve();
  }
}
