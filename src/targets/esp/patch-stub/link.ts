/** Frames to and from the stub, one at a time, and its controls. Knows when the wire will be free; knows no operation. */
import { FlashError } from "../../../core/errors.ts";
import type { Transport } from "../../../transport/transport.ts";
import type { Context } from "../../target.ts";
import { encodeFrame, FrameDecoder, frameType, type Frame } from "./frames.ts";
import { control, dividerField, helloAnswer, helloRequest } from "./operations.ts";

/** Longest wait without a look at the cancel signal. */
const longestWaitMs = 100;
/** A frame there, a turn of the bridge and a frame back; one lost frame costs as much. */
const controlMs = 120;
const controlAttempts = 6;
/** The very first one may meet a stub that has not yet begun to listen. */
const firstHelloMs = 50;
const helloVersion = 1;

export type Hello = ReturnType<typeof helloAnswer.read>;

export class StubLink {
  readonly transport: Transport;
  readonly context: Context;
  /** Bits per second, to tell how long what was sent keeps the wire busy. */
  baud: number;
  readonly #decoder = new FrameDecoder();
  readonly #frames: Frame[] = [];
  #wireFreeMs = 0;
  #tag = 0;

  constructor(transport: Transport, context: Context, baud: number) {
    this.transport = transport;
    this.context = context;
    this.baud = baud;
  }

  /** Frames that came in damaged. */
  get damaged(): number {
    return this.#decoder.damaged;
  }

  /** When the last byte that was sent has reached the stub or will reach it, on the context's clock. */
  get sentUntilMs(): number {
    return this.#wireFreeMs;
  }

  /** When everything that was sent will have reached the stub, on the context's clock. */
  get wireFreeMs(): number {
    return Math.max(this.#wireFreeMs, this.context.clock.nowMs());
  }

  async send(frames: readonly Frame[]): Promise<void> {
    this.#checkCancelled();
    const coded = Buffer.concat(frames.map(encodeFrame));
    this.#wireFreeMs = this.wireFreeMs + (coded.length * 10_000) / this.baud;
    await this.transport.write(coded);
  }

  /** The next intact frame, or undefined when `timeoutMs` is over. @throws FlashError `cancelled`, `disconnected` */
  async next(timeoutMs: number): Promise<Frame | undefined> {
    const { clock } = this.context;
    const deadlineMs = clock.nowMs() + timeoutMs;
    for (;;) {
      const frame = this.#frames.shift();
      if (frame !== undefined) return frame;
      this.#checkCancelled();
      const leftMs = deadlineMs - clock.nowMs();
      if (leftMs <= 0) return undefined;
      this.#frames.push(...this.#decoder.push(await this.transport.read(Math.min(leftMs, longestWaitMs))));
    }
  }

  /** Sends a control without waiting. @returns the tag that its answer will carry */
  async startControl(op: number, data: Uint8Array): Promise<number> {
    this.#tag = (this.#tag + 1) & 0xff;
    const payload = new Uint8Array(1 + data.length);
    payload[0] = op;
    payload.set(data, 1);
    await this.send([{ type: frameType.control, seq: this.#tag, payload }]);
    return this.#tag;
  }

  /**
   * Empties the stub's ring, drops what is half done and starts a new stream.
   * @param flashBytes no operation touches anything beyond
   * @throws FlashError `timeout` when the stub does not answer, `protocol` when it speaks another version
   */
  async hello(flashBytes: number, attempts = controlAttempts): Promise<Hello> {
    const { clock } = this.context;
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (attempt > 0) await this.transport.write(Uint8Array.of(0)); // ends whatever half frame the stub is in
      const nonce = (Math.floor(clock.nowMs() * 1000) ^ (attempt << 28)) >>> 0 || 1;
      await this.startControl(control.hello, helloRequest.write({ nonce, flashBytes }));
      const deadlineMs = this.wireFreeMs + (attempt === 0 ? firstHelloMs : controlMs);
      for (;;) {
        const frame = await this.next(deadlineMs - clock.nowMs());
        if (frame === undefined) break;
        const hello = helloIn(frame);
        if (hello?.nonce === nonce) return checkedVersion(hello);
      }
    }
    throw new FlashError("timeout", `Deltaflash's stub on ${this.transport.name} does not answer`);
  }

  /**
   * The stub goes to another rate when it has answered, and comes back to the old one unless it hears something there soon.
   * @returns the status of the answer; the rate stays as it is unless that is 0
   */
  async changeDivider(divider: number): Promise<number> {
    const { clock } = this.context;
    const tag = await this.startControl(control.baud, dividerField.write({ divider }));
    const deadlineMs = this.wireFreeMs + controlMs;
    for (;;) {
      const frame = await this.next(deadlineMs - clock.nowMs());
      if (frame === undefined)
        throw new FlashError("timeout", `the stub on ${this.transport.name} does not change its rate`);
      if (frame.type === frameType.answer && frame.seq === tag) return frame.payload[1] ?? 0;
    }
  }

  /** Forgets everything that has arrived. */
  async flush(): Promise<void> {
    await this.transport.flushInput();
    this.#frames.length = 0;
    this.#decoder.reset();
  }

  #checkCancelled(): void {
    if (this.context.signal.aborted) throw new FlashError("cancelled", "the flash was cancelled");
  }
}

function helloIn(frame: Frame): Hello | undefined {
  const { type, payload } = frame;
  const fits = payload.length === helloAnswer.size + 2;
  return type === frameType.answer && fits && payload[0] === control.hello && payload[1] === 0
    ? helloAnswer.read(payload, 2)
    : undefined;
}

function checkedVersion(hello: Hello): Hello {
  if (hello.protocol !== helloVersion) {
    throw new FlashError("protocol", `the stub speaks version ${hello.protocol}, not ${helloVersion}`);
  }
  return hello;
}
