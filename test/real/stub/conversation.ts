/**
 * The stub's protocol from the host's side, plain and strict, for any stub that takes bytes and gives bytes: it sends what it is told, damaged if
 * it is told so, and has no opinion on the answers.
 */
import { decodeFrame, encodeFrame, textOf, u32, type Frame } from "../../unit/stubs/frames.ts";

export interface Wire {
  send(bytes: Uint8Array): void;
  /** What came next; empty when nothing comes any more. */
  receive(): Promise<Uint8Array>;
}

export interface Hello {
  readonly chip: number;
  readonly ring: number;
  readonly block: number;
  readonly save: number;
  readonly flashId: number;
  readonly features: number;
  readonly build: number;
}

/** What becomes of a frame; the first is number 0, and one that is sent again has a new number. */
export type Damage = (frame: number[], number: number) => number[] | undefined;

const emptyRead = [0x12, 0, 0];
const type = { stream: 1, control: 2, ack: 0x81, nak: 0x82, reply: 0x83, answer: 0x84 } as const;
const hello = 1;
const ping = 3;
const framesInFlight = 100;
const payloadBytes = 1024;

export class Conversation {
  readonly #wire: Wire;
  #coded: number[] = [];
  #nonce = 0x1000;
  #ring = 0;
  #sent = 0;
  #drained = 0;
  #frames = 0;
  #nextSeq = 0;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** Frames that came; empty when nothing comes any more. */
  async #receive(): Promise<Frame[]> {
    const frames: Frame[] = [];
    while (frames.length === 0) {
      const bytes = await this.#wire.receive();
      if (bytes.length === 0) return [];
      for (const byte of bytes) {
        if (byte !== 0) this.#coded.push(byte);
        else if (this.#coded.length > 0) frames.push(decodeFrame(this.#coded.splice(0)));
      }
    }
    for (const { type: kind, payload } of frames) {
      if (kind !== type.ack && kind !== type.nak) continue;
      this.#nextSeq = payload[0] ?? 0;
      this.#drained = new DataView(payload.buffer, payload.byteOffset).getUint32(8, true);
    }
    return frames;
  }

  /** Waits for the first frame that fits. @throws Error when nothing comes any more */
  async #await(fits: (frame: Frame) => boolean): Promise<{ found: Frame; before: Frame[] }> {
    const before: Frame[] = [];
    for (;;) {
      const frames = await this.#receive();
      if (frames.length === 0) throw new Error(`the stub fell silent after ${before.map(textOf).join("; ")}`);
      const index = frames.findIndex(fits);
      const found = frames[index];
      if (found !== undefined)
        return { found, before: [...before, ...frames.slice(0, index), ...frames.slice(index + 1)] };
      before.push(...frames);
    }
  }

  async control(op: number, args: readonly number[] = []): Promise<Frame> {
    this.#wire.send(Uint8Array.from(encodeFrame({ type: type.control, seq: 77, payload: Uint8Array.of(op, ...args) })));
    return (await this.#await((frame) => frame.type === type.answer && frame.seq === 77 && frame.payload[0] === op))
      .found;
  }

  async hello(flashBytes: number): Promise<Hello> {
    const nonce = this.#nonce++;
    this.#wire.send(
      Uint8Array.from(
        encodeFrame({ type: type.control, seq: 1, payload: Uint8Array.of(hello, ...u32(nonce), ...u32(flashBytes)) }),
      ),
    );
    const { found } = await this.#await(
      ({ type: kind, payload }) =>
        kind === type.answer && payload[0] === hello && viewOf(payload).getUint32(2, true) === nonce,
    );
    const view = viewOf(found.payload);
    const word = (at: number): number => view.getUint32(at, true);
    this.#ring = word(10);
    this.#sent = this.#drained = this.#frames = this.#nextSeq = 0;
    return {
      chip: view.getUint8(7),
      ring: word(10),
      block: word(14),
      save: word(18),
      flashId: word(22),
      features: word(26),
      build: word(30),
    };
  }

  /**
   * Sends operations, an empty READ behind them, and waits until that is carried out or one before it failed.
   * @param damage gets the bytes of each frame before they are sent; undefined = the frame is lost
   * @returns replies as text, times left out, and how it stands then
   */
  async perform(operations: Uint8Array, damage: Damage = (frame) => frame): Promise<string> {
    const all = Uint8Array.from([...operations, ...emptyRead]);
    const stream = { all, base: this.#sent, firstFrame: this.#frames };
    const lines: string[] = [];
    for (let isDone = false, tries = 0; !isDone;) {
      if (this.#sendNext(stream, damage, tries)) {
        tries++;
        continue;
      }
      const frames = await this.#receive();
      if (frames.length === 0) throw new Error(`the stub fell silent after ${lines.join("; ")}`);
      for (const frame of frames) {
        if (frame.type === type.reply) isDone ||= isEmptyRead(frame) || frame.payload[3] !== 0;
        if (frame.type === type.reply && !isEmptyRead(frame)) lines.push(replyText(frame));
        if (frame.type !== type.nak) continue;
        const nak = `nak ${frame.payload[0]}`;
        if (!lines.includes(nak)) lines.push(nak); // how often it is said depends on the time
        this.#frames -= (this.#frames - (frame.payload[0] ?? 0)) & 0xff;
        this.#sent = stream.base + (this.#frames - stream.firstFrame) * payloadBytes;
      }
    }
    return [...lines, stateOf((await this.#ping()).found)].join("\n");
  }

  /** As `perform`, but with nothing behind the operations: waits until all of them are carried out. @returns how it stands then */
  async load(operations: Uint8Array): Promise<string> {
    const stream = { all: operations, base: this.#sent };
    while (this.#drained < stream.base + operations.length) {
      if (this.#sendNext(stream, (frame) => frame, 0)) continue;
      if ((await this.#receive()).length === 0) throw new Error("the stub fell silent");
    }
    return stateOf((await this.#ping()).found);
  }

  /** Sends one operation after which there is no stub any more. @returns its reply as text */
  async performLast(operation: Uint8Array): Promise<string> {
    const stream = { all: operation, base: this.#sent };
    if (!this.#sendNext(stream, (frame) => frame, 0)) throw new Error("no room for the last operation");
    return replyText((await this.#await((frame) => frame.type === type.reply)).found);
  }

  /** @returns false when all is sent or there is no room */
  #sendNext({ all, base }: { all: Uint8Array; base: number }, damage: Damage, tries: number): boolean {
    const payload = all.subarray(this.#sent - base, this.#sent - base + payloadBytes);
    const inFlight = (this.#frames - this.#nextSeq) & 0xff;
    if (payload.length === 0 || inFlight >= framesInFlight) return false;
    if (this.#sent + payload.length - this.#drained > this.#ring) return false;
    const bytes = damage(encodeFrame({ type: type.stream, seq: this.#frames & 0xff, payload }), tries);
    if (bytes !== undefined) this.#wire.send(Uint8Array.from(bytes));
    this.#sent += payload.length;
    this.#frames++;
    return true;
  }

  /** @returns the ACK behind the answer */
  async #ping(): Promise<{ found: Frame; before: Frame[] }> {
    this.#wire.send(Uint8Array.from(encodeFrame({ type: type.control, seq: 78, payload: Uint8Array.of(ping) })));
    let isAnswered = false;
    return this.#await((frame) => {
      if (frame.type === type.answer && frame.seq === 78) isAnswered = true;
      return isAnswered && frame.type === type.ack;
    });
  }
}

function stateOf(ack: Frame): string {
  return textOf(ack)
    .replace(/.*status/, "status")
    .replace(/ received.*/, "");
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

const replyHead = 4;

function isEmptyRead({ payload }: Frame): boolean {
  return payload[2] === emptyRead[0] && payload[3] === 0 && payload.length === replyHead + 4;
}

/** Bytes of a reply's data in front of times. */
const timelessBytes: Readonly<Record<number, number>> = { 0x28: 4, 0x30: 4 };

function replyText(frame: Frame): string {
  const timeless = timelessBytes[frame.payload[2] ?? 0];
  const data = frame.payload.subarray(replyHead, timeless === undefined ? undefined : replyHead + timeless);
  return `${textOf(frame).replace(/ \(.*/, "")} ${Buffer.from(data).toString("hex")}`;
}
