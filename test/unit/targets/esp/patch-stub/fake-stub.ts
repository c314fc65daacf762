/**
 * The far end of a stream of operations as `stubs/README.md` says it behaves, on a virtual clock, with frames lost where a test
 * wants them lost. An operation is its own length in two bytes and as many more as that says; what it does takes `operationMs`.
 */
import { TraceRecorder } from "../../../../../src/core/trace.ts";
import { VirtualClock } from "../../../../../src/sim/virtual-clock.ts";
import { encodeFrame, FrameDecoder, frameType, type Frame } from "../../../../../src/targets/esp/patch-stub/frames.ts";
import { StubLink } from "../../../../../src/targets/esp/patch-stub/link.ts";
import { ackFields, control, replyHead } from "../../../../../src/targets/esp/patch-stub/operations.ts";
import { OperationStream } from "../../../../../src/targets/esp/patch-stub/stream.ts";
import type { Context } from "../../../../../src/targets/target.ts";
import type { Transport } from "../../../../../src/transport/transport.ts";

export const baud = 921_600;
const wireMs = (bytes: number) => (bytes * 10_000) / baud;
const bridgeMs = 1;
const nakAgainMs = 20;

export interface FakeOptions {
  readonly ringBytes?: number;
  readonly operationMs?: number;
  /** Whether the frame of this number in its direction, from 0, is lost. */
  readonly loses?: (direction: "in" | "out", frame: Frame, number: number) => boolean;
  /** The operation that is answered with a status. */
  readonly fails?: { readonly index: number; readonly status: number };
  /** How many times every NAK is sent. */
  readonly naks?: number;
}

/** An operation of so many bytes. */
export function operationOf(bytes: number): { readonly ops: Uint8Array; readonly operations: number } {
  const ops = new Uint8Array(bytes);
  ops.set([bytes & 0xff, bytes >>> 8]);
  return { ops, operations: 1 };
}

export class FakeStub implements Transport {
  readonly name = "fake";
  readonly counters = { sentBytes: 0, receivedBytes: 0, roundTrips: 0 };
  readonly clock = new VirtualClock();
  /** Sizes of the operations that were carried out, in order. */
  readonly done: number[] = [];
  /** Frames that came when there was no room for them. */
  overflows = 0;
  isDead = false;
  readonly #options: FakeOptions;
  readonly #decoder = new FrameDecoder();
  #events: { readonly atMs: number; run(): void }[] = [];
  #outbox: Uint8Array[] = [];
  #wireFreeMs = 0;
  #sentUntilMs = 0;
  #busyUntilMs = 0;
  #lastNakMs = -Infinity;
  #nakFor = -1;
  #nextSeq = 0;
  #received = 0;
  #drained = 0;
  #status = 0;
  #buffer: number[] = [];
  #counts = { in: 0, out: 0 };

  constructor(options: FakeOptions = {}) {
    this.#options = options;
  }

  get ringBytes(): number {
    return this.#options.ringBytes ?? 0x8000;
  }

  write(bytes: Uint8Array): Promise<void> {
    this.counters.sentBytes += bytes.length;
    let startMs = Math.max(this.#wireFreeMs, this.clock.nowMs() + bridgeMs);
    for (const frame of this.#decoder.push(bytes)) {
      startMs += wireMs(encodeFrame(frame).length);
      const isLost = this.#options.loses?.("in", frame, this.#counts.in++) === true;
      if (!isLost) this.#at(startMs, () => this.#take(frame));
    }
    this.#wireFreeMs = startMs;
    return Promise.resolve();
  }

  read(timeoutMs: number): Promise<Uint8Array> {
    const deadlineMs = this.clock.nowMs() + timeoutMs;
    for (;;) {
      const [first] = this.#outbox.splice(0, 1);
      if (first !== undefined) return Promise.resolve(first);
      const [next] = this.#events;
      if (next === undefined || next.atMs > deadlineMs) break;
      this.#events.shift();
      this.clock.advanceTo(next.atMs);
      next.run();
    }
    this.clock.advanceTo(deadlineMs);
    return Promise.resolve(new Uint8Array(0));
  }

  flushInput(): Promise<void> {
    this.#outbox = [];
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.resolve();
  }

  #at(atMs: number, run: () => void): void {
    const place = this.#events.findIndex((event) => event.atMs > atMs);
    this.#events.splice(place < 0 ? this.#events.length : place, 0, { atMs, run });
  }

  #say(frame: Frame): void {
    if (this.#options.loses?.("out", frame, this.#counts.out++) === true || this.isDead) return;
    const coded = encodeFrame(frame);
    this.#sentUntilMs = Math.max(this.#sentUntilMs, this.clock.nowMs()) + wireMs(coded.length);
    this.#at(this.#sentUntilMs + bridgeMs, () => void this.#outbox.push(coded));
  }

  #take(frame: Frame): void {
    if (this.isDead) return;
    if (frame.type === frameType.control) {
      this.#say({
        type: frameType.answer,
        seq: frame.seq,
        payload: Uint8Array.of(frame.payload[0] ?? control.ping, 0),
      });
      this.#acknowledge(frameType.ack);
      return;
    }
    const hasRoom = this.#received + frame.payload.length - this.#drained <= this.ringBytes;
    if (!hasRoom) this.overflows++;
    if (frame.seq !== (this.#nextSeq & 0xff) || !hasRoom) {
      const isDue = this.#nakFor !== this.#nextSeq || this.clock.nowMs() - this.#lastNakMs >= nakAgainMs;
      if (!isDue) return;
      this.#nakFor = this.#nextSeq;
      this.#lastNakMs = this.clock.nowMs();
      for (let count = 0; count < (this.#options.naks ?? 1); count++) this.#acknowledge(frameType.nak);
      return;
    }
    this.#nextSeq++;
    this.#received += frame.payload.length;
    this.#buffer.push(...frame.payload);
    this.#carryOut();
  }

  #carryOut(): void {
    for (;;) {
      const [low, high] = this.#buffer;
      if (low === undefined || high === undefined) return;
      const size = low | (high << 8);
      if (this.#buffer.length < size) return;
      this.#buffer = this.#buffer.slice(size);
      const endMs = Math.max(this.clock.nowMs(), this.#busyUntilMs) + (this.#options.operationMs ?? 0);
      this.#busyUntilMs = endMs;
      this.#at(endMs, () => this.#finish(size));
    }
  }

  #finish(size: number): void {
    this.#drained += size;
    const index = this.done.length;
    if (this.#status === 0 && this.#options.fails?.index === index) this.#status = this.#options.fails.status;
    const status = this.#status;
    if (status === 0) this.done.push(size);
    if (status === 0 || this.#options.fails?.index === index)
      this.#say({
        type: frameType.reply,
        seq: 0,
        payload: replyHead.write({ index: index & 0xffff, op: 0x28, status }),
      });
    this.#acknowledge(frameType.ack);
  }

  #acknowledge(type: number): void {
    const fields = { nextSeq: this.#nextSeq & 0xff, status: this.#status, ops: this.done.length & 0xffff };
    const payload = ackFields.write({ ...fields, received: this.#received, drained: this.#drained });
    this.#say({ type, seq: 0, payload });
  }
}

export interface StreamBench {
  readonly stub: FakeStub;
  readonly link: StubLink;
  readonly stream: OperationStream;
  readonly end: AbortController;
}

export function streamBench(options: FakeOptions = {}): StreamBench {
  const stub = new FakeStub(options);
  const end = new AbortController();
  const { clock } = stub;
  const context: Context = {
    clock,
    signal: end.signal,
    trace: new TraceRecorder(clock, { phase: "write", label: "" }),
    onProgress: () => undefined,
    log: () => undefined,
  };
  const link = new StubLink(stub, context, baud);
  return { stub, link, stream: new OperationStream(link, stub.ringBytes), end };
}
