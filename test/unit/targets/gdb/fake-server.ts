/** A GDB server of few words for tests of the client: it answers by a script, on a virtual clock, and remembers what it heard. */
import { FlashError } from "../../../../src/core/errors.ts";
import { VirtualClock } from "../../../../src/sim/virtual-clock.ts";
import type { GdbContext } from "../../../../src/targets/gdb/wire.ts";
import type { Transport } from "../../../../src/transport/transport.ts";

/** Bodies of packets, in order; undefined = silence. A body that begins with `raw ` goes out as it is, without frame. */
export type Answer = string | readonly string[] | undefined;
export type Answerer = (body: string) => Answer;

const latin1 = (text: string) => new Uint8Array(Buffer.from(text, "latin1"));

function checksum(body: string): string {
  return ([...latin1(body)].reduce((sum, byte) => sum + byte, 0) & 0xff).toString(16).padStart(2, "0");
}

export function packet(body: string): string {
  return `$${body}#${checksum(body)}`;
}

export function hexOf(text: string): string {
  return Buffer.from(text, "latin1").toString("hex");
}

export class FakeServer implements Transport {
  readonly name = "tcp://fake:1";
  readonly counters = { sentBytes: 0, receivedBytes: 0, roundTrips: 0 };
  readonly clock = new VirtualClock();
  readonly cancel = new AbortController();
  readonly log: string[] = [];
  /** Bodies as they came, escapes undone; `^C` for the interrupt. */
  readonly heard: string[] = [];
  /** Each write as it came. */
  readonly writes: string[] = [];
  /** Body bytes on the wire, escapes counted, of the longest packet. */
  longestBody = 0;
  acksHeard = 0;
  naksHeard = 0;
  /** Sends `+` for every packet. */
  acks = true;
  /** So many packets are refused with `-` first. */
  refusals = 0;
  /** From a packet to its answer. */
  latencyMs = 1;
  /** Answers come in pieces of so many bytes. */
  piece = Infinity;
  /** `reads` never end, `writes` are never accepted: only a cancel or a deadline helps. */
  stuck: "no" | "reads" | "writes" = "no";
  dead = false;
  /** Packets whose answers the client has not read yet. */
  unanswered = 0;
  mostUnanswered = 0;
  #answer: Answerer;
  #waiting: { readonly atMs: number; readonly bytes: Uint8Array }[] = [];

  constructor(answer: Answerer) {
    this.#answer = answer;
  }

  get context(): GdbContext {
    return { clock: this.clock, signal: this.cancel.signal, log: (line) => void this.log.push(line) };
  }

  /** Puts other answers in front: what they leave undefined goes on to the earlier ones. */
  also(answer: Answerer): this {
    const before = this.#answer;
    this.#answer = (body) => answer(body) ?? before(body);
    return this;
  }

  /** Says something without being asked. */
  say(body: string, afterMs = 0): void {
    const text = body.startsWith("raw ") ? body.slice(4) : packet(body);
    for (let at = 0; at < text.length; at += this.piece) {
      this.#waiting.push({ atMs: this.clock.nowMs() + afterMs, bytes: latin1(text.slice(at, at + this.piece)) });
    }
    this.#waiting.sort((a, b) => a.atMs - b.atMs);
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.dead) return Promise.reject(new FlashError("disconnected", "the fake server is gone"));
    if (this.stuck === "writes") return new Promise(() => undefined);
    const text = Buffer.from(bytes).toString("latin1");
    this.writes.push(text);
    if (text === "\x03") this.#hear("^C");
    else if (/^\++$/.test(text)) this.acksHeard += text.length;
    else if (text === "-") {
      this.naksHeard++;
      this.#hear("-");
    } else this.#hearPacket(text);
    return Promise.resolve();
  }

  #hearPacket(text: string): void {
    const [, body, sum] = /^\$([^]*)#([0-9a-f]{2})$/.exec(text) ?? [];
    if (body === undefined || sum !== checksum(body)) throw new Error(`not one packet: ${JSON.stringify(text)}`);
    if (this.refusals > 0) {
      this.refusals--;
      this.say("raw -");
      return;
    }
    if (this.acks) this.say("raw +");
    this.longestBody = Math.max(this.longestBody, body.length);
    this.#hear(body.replace(/\}([^])/g, (_, escaped: string) => String.fromCharCode(escaped.charCodeAt(0) ^ 0x20)));
  }

  #hear(body: string): void {
    this.heard.push(body);
    if (body === "QStartNoAckMode") this.acks = false;
    const answer = this.#answer(body);
    if (answer === undefined) return;
    this.mostUnanswered = Math.max(this.mostUnanswered, ++this.unanswered);
    for (const one of typeof answer === "string" ? [answer] : answer) this.say(one, this.latencyMs);
  }

  async read(timeoutMs: number): Promise<Uint8Array> {
    await Promise.resolve();
    if (this.dead) throw new FlashError("disconnected", "the fake server is gone");
    if (this.stuck === "reads") return new Promise(() => undefined);
    const untilMs = this.clock.nowMs() + timeoutMs;
    const next = this.#waiting[0];
    if (next === undefined || next.atMs > untilMs) {
      this.clock.advanceTo(untilMs);
      return new Uint8Array();
    }
    this.clock.advanceTo(next.atMs);
    this.#waiting.shift();
    this.counters.receivedBytes += next.bytes.length;
    if (next.bytes.includes(0x23)) this.unanswered = Math.max(0, this.unanswered - 1);
    return next.bytes;
  }

  flushInput(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.dead = true;
    return Promise.resolve();
  }
}
