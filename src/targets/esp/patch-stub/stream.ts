/**
 * The stream of operations: keeps the wire busy as far as the stub has room, goes back to what was lost, and tells what has
 * been carried out. Knows nothing of what the operations do.
 */
import type { Operations } from "../../../core/delta-ops.ts";
import { FlashError } from "../../../core/errors.ts";
import { frameType, longestPayload, type Frame } from "./frames.ts";
import type { StubLink } from "./link.ts";
import { ackFields, control, OperationFailed, replyHead } from "./operations.ts";

/** Enough on the way that the wire never idles while we think, and little that must be sent again after a loss. */
const mostBacklogMs = 40;
/** The stub may be erasing, and says nothing then; after this silence it is asked. */
const silenceMs = 250;
const pingMs = 150;
const pings = 5;
/** The longest that one operation may take: 64 KiB erased sector by sector by the slowest flash chip is some 8 s. */
const longestOperationMs = 15_000;
/** More could not be told apart by their numbers. */
const mostFramesInFlight = 127;
/** A turn of the wire, beyond the time that frames take. */
const turnMs = 20;

export interface Reply {
  /** Place of the operation in the stream, from 0. */
  readonly index: number;
  readonly op: number;
  readonly status: number;
  readonly data: Uint8Array;
}

export class OperationStream {
  readonly #link: StubLink;
  readonly #ringBytes: number;
  /** Told of every reply; exchanged by whoever appends. */
  onReply: (reply: Reply) => void = () => undefined;
  #waiting: Uint8Array[] = [];
  /** Frames by number from the beginning of the stream; those that have arrived are emptied. */
  readonly #frames: Uint8Array[] = [];
  /** Stream bytes up to and with each frame. */
  readonly #ends: number[] = [];
  #nextFrame = 0;
  #accepted = 0;
  #drained = 0;
  #appended = 0;
  #done = 0;
  #failure: OperationFailed | undefined;
  #heardMs: number;
  /** When the stub last accepted, used up or finished something, or got something new. */
  #advancedMs: number;
  #ping: { tag: number; answered: boolean; count: number } | undefined;
  #rewound: { readonly to: number; readonly untilMs: number } | undefined;
  /** Frames that were sent more than once. */
  repeated = 0;

  /** For a stream that begins now, right after a HELLO. */
  constructor(link: StubLink, ringBytes: number) {
    this.#link = link;
    this.#ringBytes = ringBytes;
    this.#heardMs = link.context.clock.nowMs();
    this.#advancedMs = this.#heardMs;
  }

  /** Operations that were carried out. */
  get done(): number {
    return this.#done;
  }

  /** Operations in the stream, carried out or not. */
  get appended(): number {
    return this.#appended;
  }

  /** Puts operations behind the others; `reach` sends them. @returns how many the stream then has in all */
  append({ ops, operations }: Operations): number {
    this.#waiting.push(ops);
    this.#appended += operations;
    return this.#appended;
  }

  /**
   * Sends what was appended until the first `count` operations of the stream are carried out.
   * @throws OperationFailed, FlashError `timeout`, `cancelled`, `disconnected`
   */
  async reach(count: number): Promise<void> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#done >= count) return;
      await this.#fill();
      const frame = await this.#link.next(this.#patienceMs());
      if (frame !== undefined) this.#take(frame);
      else await this.#askIfSilent();
    }
  }

  /** Sends as much as the stub has room for, but not far ahead of the wire. */
  async #fill(): Promise<void> {
    if (this.#ping !== undefined) return; // its answer must tell of all that was sent before it
    const { clock } = this.#link.context;
    const batch: Frame[] = [];
    let backlogMs = this.#link.wireFreeMs - clock.nowMs();
    while (backlogMs < mostBacklogMs && this.#nextFrame - this.#accepted < mostFramesInFlight) {
      const number = this.#nextFrame;
      const payload = this.#frames[number] ?? this.#cut();
      if (payload === undefined || (this.#ends[number] ?? 0) - this.#drained > this.#ringBytes) break;
      batch.push({ type: frameType.stream, seq: number & 0xff, payload });
      this.#nextFrame++;
      backlogMs += ((payload.length + 8) * 10_000) / this.#link.baud;
    }
    if (batch.length === 0) return;
    if (this.#accepted + batch.length === this.#nextFrame) this.#heardMs = clock.nowMs(); // nothing was to be heard before
    await this.#link.send(batch);
    if (this.#rewound?.untilMs === Infinity)
      this.#rewound = { ...this.#rewound, untilMs: this.#link.wireFreeMs + turnMs };
  }

  /** The next frame off what waits. */
  #cut(): Uint8Array | undefined {
    const parts: Uint8Array[] = [];
    let room = longestPayload;
    while (room > 0) {
      const [part] = this.#waiting;
      if (part === undefined) break;
      parts.push(part.subarray(0, room));
      if (part.length > room) this.#waiting[0] = part.subarray(room);
      else this.#waiting.shift();
      room -= Math.min(room, part.length);
    }
    const payload = Buffer.concat(parts);
    if (payload.length === 0) return undefined;
    this.#advancedMs = this.#link.context.clock.nowMs();
    this.#frames.push(payload);
    this.#ends.push((this.#ends.at(-1) ?? 0) + payload.length);
    return payload;
  }

  #patienceMs(): number {
    const { clock } = this.#link.context;
    const nowMs = clock.nowMs();
    const backlogMs = this.#link.wireFreeMs - nowMs;
    if (this.#ping !== undefined) return Math.max(backlogMs + pingMs, 1);
    const hasMore = this.#waiting.length > 0 || this.#nextFrame < this.#frames.length;
    // Half of the backlog later there is room for more.
    if (hasMore && backlogMs >= mostBacklogMs / 2) return backlogMs - mostBacklogMs / 2 + 0.1;
    return Math.max(this.#quietSinceMs() + silenceMs - nowMs, 1);
  }

  async #askIfSilent(): Promise<void> {
    const { clock } = this.#link.context;
    const count = this.#ping?.count ?? 0;
    if (this.#ping === undefined && clock.nowMs() - this.#quietSinceMs() < silenceMs - 1) return;
    if (clock.nowMs() - this.#advancedMs > longestOperationMs) {
      throw new FlashError("timeout", `Deltaflash's stub on ${this.#link.transport.name} answers, but gets nowhere`);
    }
    if (count >= pings) {
      throw new FlashError("timeout", `Deltaflash's stub on ${this.#link.transport.name} has gone silent`);
    }
    const tag = await this.#link.startControl(control.ping, new Uint8Array(0));
    this.#ping = { tag, answered: false, count: count + 1 };
  }

  /** Nobody answers what has not arrived. */
  #quietSinceMs(): number {
    return Math.max(this.#heardMs, this.#link.sentUntilMs);
  }

  #take(frame: Frame): void {
    this.#heardMs = this.#link.context.clock.nowMs();
    switch (frame.type) {
      case frameType.ack:
      case frameType.nak:
        if (frame.payload.length === ackFields.size) this.#takeAck(frame.payload, frame.type === frameType.nak);
        return;
      case frameType.reply:
        if (frame.payload.length >= replyHead.size) this.#takeReply(frame.payload);
        return;
      case frameType.answer:
        if (this.#ping !== undefined && frame.seq === this.#ping.tag) this.#ping.answered = true;
        return;
    }
  }

  #takeAck(payload: Uint8Array, isNak: boolean): void {
    const { nextSeq, status, ops, drained } = ackFields.read(payload);
    const step = (nextSeq - this.#accepted) & 0xff;
    if (step > mostFramesInFlight || this.#accepted + step > this.#frames.length) return; // older than what is known
    const before = this.#accepted + this.#drained + this.#done;
    this.#frames.fill(new Uint8Array(0), this.#accepted, this.#accepted + step);
    this.#accepted += step;
    this.#nextFrame = Math.max(this.#nextFrame, this.#accepted);
    this.#drained = Math.max(this.#drained, drained);
    this.#done = Math.max(this.#done, unwrap16(ops, this.#done));
    if (this.#accepted + this.#drained + this.#done > before) this.#advancedMs = this.#heardMs;
    if (status !== 0) this.#failure ??= new OperationFailed(this.#done, status);
    if (this.#ping?.answered === true) {
      this.#ping = undefined;
      this.#goBack();
    } else if (isNak && this.#mayGoBack()) this.#goBack();
  }

  /** Old frames are still on the way when the stub says again what it misses. */
  #mayGoBack(): boolean {
    const before = this.#rewound;
    return before?.to !== this.#accepted || this.#link.context.clock.nowMs() > before.untilMs;
  }

  #goBack(): void {
    if (this.#nextFrame === this.#accepted) return;
    this.repeated += this.#nextFrame - this.#accepted;
    this.#nextFrame = this.#accepted;
    this.#rewound = { to: this.#accepted, untilMs: Infinity };
  }

  #takeReply(payload: Uint8Array): void {
    const { index, op, status } = replyHead.read(payload);
    const reply = { index: unwrap16(index, this.#done), op, status, data: payload.subarray(replyHead.size) };
    this.onReply(reply);
    if (status !== 0) this.#failure ??= new OperationFailed(reply.index, status);
  }
}

/** The number nearest to `near` whose low 16 bits are `low`. */
function unwrap16(low: number, near: number): number {
  const step = (low - near) & 0xffff;
  return near + (step < 0x8000 ? step : step - 0x10000);
}
