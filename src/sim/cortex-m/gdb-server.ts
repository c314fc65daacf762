/**
 * A GDB server in front of a debug probe: takes packets one after another, lets each take its time, answers. It owns no timer: it says
 * when it has to go on, and is told when that moment has come. What the packets do is in gdb-commands.ts.
 */
import type { FaultPlan } from "../faults.ts";
import { GdbCommands, type Reply } from "./gdb-commands.ts";
import { encodePacket, PacketReader } from "./gdb-framing.ts";
import type { Personality } from "./personalities.ts";
import type { Probe, Work } from "./probe.ts";

export interface GdbServerParts {
  readonly probe: Probe;
  readonly personality: Personality;
  readonly faults: FaultPlan;
  /** Replies are run-length coded. */
  readonly packsReplies: boolean;
  /** Bytes leave the server at its present. */
  send(bytes: Uint8Array): void;
}

/** The core runs, and the client waits to hear that it has stopped. */
interface Wait {
  nextPollMs: number;
}

const PLUS = encode("+");
const MINUS = encode("-");
const LONGEST_QUEUE = 4096;

export class GdbServer {
  /** Packets by kind. */
  readonly packets: Record<string, number> = {};
  readonly #parts: GdbServerParts;
  readonly #commands: GdbCommands;
  #reader = new PacketReader();
  #queue: string[] = [];
  #work: Work<void> | undefined;
  #wakeMs = 0;
  #wait: Wait | undefined;
  #interrupted = false;
  #sendsAcks = true;
  #isDead = false;
  #last: Uint8Array | undefined;

  constructor(parts: GdbServerParts) {
    this.#parts = parts;
    this.#commands = new GdbCommands({
      probe: parts.probe,
      personality: parts.personality,
      answer: (body) => this.#answer(body),
      stopSendingAcks: () => (this.#sendsAcks = false),
    });
  }

  /** A client has opened its connection. */
  connect(nowMs: number): void {
    this.disconnect();
    this.#reader = new PacketReader();
    this.#sendsAcks = true;
    if (this.#parts.personality.haltsOnConnect) this.#begin(this.#commands.attach(), nowMs);
  }

  /** A client has gone; the core stays as it is. */
  disconnect(): void {
    this.#queue = [];
    this.#work = undefined;
    this.#wait = undefined;
    this.#interrupted = false;
    this.#commands.forget();
  }

  /** Bytes have reached the server. */
  receive(bytes: Uint8Array, nowMs: number): void {
    if (this.#isDead) return;
    for (const one of this.#reader.take(bytes)) {
      if (one.kind === "packet") {
        if (this.#sendsAcks) this.#parts.send(PLUS);
        if (this.#queue.length < LONGEST_QUEUE) this.#queue.push(one.body);
      } else if (one.kind === "broken packet") {
        if (this.#sendsAcks) this.#parts.send(MINUS);
      } else if (one.kind === "nak") {
        if (this.#last !== undefined) this.#parts.send(this.#last);
      } else if (one.kind === "interrupt") {
        this.#count("interrupt");
        this.#interrupted = true;
      }
    }
    this.#next(nowMs);
  }

  /** When the server has to go on by itself. */
  nextMs(): number {
    if (this.#isDead) return Infinity;
    if (this.#work !== undefined) return this.#wakeMs;
    return this.#wait?.nextPollMs ?? Infinity;
  }

  /** That moment has come. */
  proceed(nowMs: number): void {
    if (this.#work !== undefined) this.#go(nowMs);
    else if (this.#wait !== undefined) this.#poll(this.#wait, nowMs);
    this.#next(nowMs);
  }

  /** Begins what waits, if nothing is under way. */
  #next(nowMs: number): void {
    while (this.#work === undefined && !this.#isDead) {
      if (this.#interrupted) {
        this.#interrupted = false;
        if (this.#wait === undefined) continue;
        this.#wait = undefined;
        this.#begin(this.#commands.interrupt(), nowMs);
        continue;
      }
      if (this.#wait !== undefined && !this.#parts.personality.listensWhileRunning) return;
      const body = this.#queue.shift();
      if (body === undefined) return;
      this.#begin(this.#serve(body), nowMs);
    }
  }

  #begin(work: Work<void>, nowMs: number): void {
    this.#work = work;
    this.#go(nowMs);
  }

  #go(nowMs: number): void {
    const step = this.#work?.next();
    if (step === undefined || step.done === true) this.#work = undefined;
    else this.#wakeMs = nowMs + Math.max(0, step.value);
  }

  *#serve(body: string): Work<void> {
    const kind = kindOf(body);
    this.#count(kind);
    const { faults, personality } = this.#parts;
    const fate = faults.commandFate(kind);
    if (fate === "stall") {
      this.#isDead = true;
      return;
    }
    yield personality.packetMs;
    const reply = yield* this.#commands.handle(body);
    if (fate === "silence") return;
    if (faults.garbles(kind)) this.#answer(GARBAGE);
    else this.#finish(reply);
  }

  #finish(reply: Reply): void {
    if (reply.kind === "answer") this.#answer(reply.body);
    else if (reply.kind === "runs") {
      const { nowMs } = this.#parts.probe;
      this.#wait = { nextPollMs: nowMs + this.#parts.personality.haltPollMs };
    }
  }

  /** Looks whether the core has come to a halt. */
  #poll(wait: Wait, nowMs: number): void {
    if (this.#parts.probe.machine.cpu.state !== "halted") {
      wait.nextPollMs = nowMs + this.#parts.personality.haltPollMs;
      return;
    }
    this.#wait = undefined;
    this.#begin(this.#commands.stopped(), nowMs);
  }

  #answer(body: string): void {
    const bytes = encodePacket(body, this.#parts.packsReplies);
    this.#last = bytes;
    this.#parts.send(bytes);
  }

  #count(kind: string): void {
    this.packets[kind] = (this.packets[kind] ?? 0) + 1;
  }
}

const GARBAGE = "?!nonsense\x07";

/** How counters and faults call a packet. */
function kindOf(body: string): string {
  if (body === "?") return "halt-reason";
  if (/^[zZ]/.test(body)) return body.slice(0, 2);
  if (/^[vqQ]/.test(body)) return /^\w+/.exec(body)?.[0] ?? "";
  return body.slice(0, 1);
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
