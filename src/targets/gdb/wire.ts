/**
 * Asks and answers over one connection to a GDB server: acknowledgements, repeats, order, deadlines, cancel. Of what is asked it
 * knows only which answers cannot be one: console text, and stops that come in between. One caller at a time.
 */
import { FlashError } from "../../core/errors.ts";
import type { Transport } from "../../transport/transport.ts";
import type { Context } from "../target.ts";
import { cancelled, orCancelled } from "./cancel.ts";
import { ackPackets, encodePacket, INTERRUPT, NAK, PacketDecoder, type WireEvent } from "./packets.ts";
import { consoleTextOf, isRefusal, isStopReply } from "./replies.ts";

export type GdbContext = Pick<Context, "clock" | "signal" | "log">;

export interface Ask {
  readonly body: string | Uint8Array;
  /** For messages: `M 0x20000000 (64 bytes)`. */
  readonly name: string;
  readonly timeoutMs: number;
  /** Only `?` is answered by a stop reply; whatever else is asked, a stop that comes is about the target. */
  readonly answeredByStop?: boolean;
  /** Bytes that the answer is expected to have, where it is long; windows are bounded by them too. */
  readonly answerBytes?: number;
}

export interface Reply {
  readonly body: Uint8Array;
  /** Console text that the server sent before it answered. */
  readonly console: string;
}

interface Pending {
  readonly ask: Ask;
  readonly packet: Uint8Array;
  console: string;
  reply: Reply | undefined;
}

/** How much may be on its way before an answer is waited for. */
export interface Window {
  readonly packets: number;
  readonly bytes: number;
}

export interface GdbCounters {
  /** Packets with a request. */
  requests: number;
  /** Times that somebody began to wait for an answer after something was sent. */
  roundTrips: number;
  /** Packets that were sent again since the server asked for it. */
  resent: number;
}

/** A read is never longer, so that one which was abandoned by a cancel is soon over. */
const longestReadMs = 100;
/** A server that refuses a packet this often will not take it. */
const mostResends = 5;
/** Late stops that nobody asked for are forgotten, oldest first. */
const mostStops = 8;
const longestConsole = 0x10000;
const mostDrainRounds = 100;

export class GdbWire {
  readonly transport: Transport;
  context: GdbContext;
  readonly counters: GdbCounters = { requests: 0, roundTrips: 0, resent: 0 };
  window: Window = { packets: 1, bytes: 0x8000 };
  /** Off once both sides agreed on it, and for QEMU, which takes a late `+` for a reason to stop. */
  sendsAcks = true;
  /** Packets are served while the core runs. Where they are not, the first byte stops it, or nothing is answered. */
  listensWhileRunning = false;
  readonly #decoder = new PacketDecoder();
  /** Asked and not answered, oldest first; answers to those that nobody waits for any more are dropped as they come. */
  #pending: Pending[] = [];
  #stops: string[] = [];
  /** The name of the packet that let the target run; undefined while it is stopped. */
  #running: string | undefined;
  #refusedToRun: Reply | undefined;
  #reading: Promise<Uint8Array> | undefined;
  #broken: FlashError | undefined;
  #resends = 0;
  #waited = true;

  constructor(transport: Transport, context: GdbContext) {
    this.transport = transport;
    this.context = context;
  }

  /** True between `run` and the stop, as far as this connection was told. */
  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Why nothing more can be asked on this connection. */
  get broken(): FlashError | undefined {
    return this.#broken;
  }

  /** What came outside of packets: a server of another kind says something here. */
  get noise(): string {
    return this.#decoder.noise;
  }

  /** Runs `work`, which sets the target right after a cancel, deaf to that cancel. */
  async evenIfCancelled<T>(work: () => Promise<T>): Promise<T> {
    const { context } = this;
    const { clock } = context; // not spread: a context may be a stand-in whose fields are looked up when asked for
    this.context = { clock, signal: new AbortController().signal, log: (line) => context.log(line) };
    try {
      return await work();
    } finally {
      this.context = context;
    }
  }

  /** @throws FlashError `timeout` naming the packet, `disconnected`, `protocol`, `cancelled` */
  async request(ask: Ask): Promise<Reply> {
    return this.#answer(await this.#send(ask));
  }

  /**
   * Many asks, without waiting for each answer. `onReply` gets them in order, and ends it all by throwing.
   * @param run lets the target run behind the last of them, before all answers are there
   */
  async pipeline(asks: Iterable<Ask>, onReply: (reply: Reply, ask: Ask) => void, run?: string): Promise<void> {
    const flying: { pending: Pending; bytes: number }[] = [];
    let flyingBytes = 0;
    const land = async () => {
      const first = flying.shift();
      if (first === undefined) return;
      flyingBytes -= first.bytes;
      onReply(await this.#answer(first.pending), first.pending.ask);
    };
    for (const ask of asks) {
      const bytes = Math.max(ask.body.length, ask.answerBytes ?? 0);
      while (flying.length >= this.window.packets || (flying.length > 0 && flyingBytes + bytes > this.window.bytes)) {
        await land();
      }
      flying.push({ pending: await this.#send(ask), bytes });
      flyingBytes += bytes;
    }
    if (run !== undefined) await this.run(run);
    while (flying.length > 0) await land();
  }

  /** For what is never answered. */
  async sendUnanswered(body: string): Promise<void> {
    this.#check();
    await this.#write(encodePacket(body));
  }

  /** Lets the target run; stops that came before are forgotten. Answers to what was asked before may still be on their way. */
  async run(body: string): Promise<void> {
    this.#check();
    this.#stops = [];
    this.#refusedToRun = undefined;
    this.#running = body;
    this.#waited = false;
    this.counters.requests++;
    await this.#write(encodePacket(body));
  }

  /**
   * The stop reply (`T05…`), or undefined when the time is over and the target still runs.
   * @throws FlashError `refused` when the server would not let it run
   */
  async waitStop(timeoutMs: number): Promise<string | undefined> {
    const untilMs = this.context.clock.nowMs() + timeoutMs;
    this.#countWait();
    for (;;) {
      const stop = this.#stops.shift();
      if (stop !== undefined) return stop;
      if (this.#refusedToRun !== undefined) {
        const said = Buffer.from(this.#refusedToRun.body).toString("latin1");
        this.#refusedToRun = undefined;
        throw new FlashError(
          "refused",
          `the GDB server on ${this.transport.name} does not let the core run (${said === "" ? "unknown request" : said})`,
        );
      }
      if (this.context.clock.nowMs() >= untilMs) return undefined;
      await this.#pump(untilMs);
    }
  }

  /** Drops what still comes, until nothing has come for so long. For the start: a serial line may hold old answers. */
  async drain(quietMs: number): Promise<void> {
    this.#pending = [];
    for (let rounds = 0; rounds < mostDrainRounds; rounds++) {
      const before = this.transport.counters.receivedBytes;
      await this.#pump(this.context.clock.nowMs() + quietMs);
      if (this.transport.counters.receivedBytes === before) return;
    }
  }

  /** `^C`, alone in its write. */
  async interrupt(): Promise<void> {
    this.#check();
    this.#waited = false;
    await this.#write(INTERRUPT);
  }

  /** The last packet of a connection: neither a full buffer, a silent server nor a cancel delays its sender longer than this. */
  async farewell(body: string, timeoutMs: number): Promise<void> {
    if (this.#broken !== undefined) return;
    const { clock } = this.context;
    const untilMs = clock.nowMs() + timeoutMs;
    const packet = encodePacket(body);
    const pending: Pending = { ask: { body, name: body, timeoutMs }, packet, console: "", reply: undefined };
    this.#pending.push(pending);
    this.transport.write(packet).catch(() => undefined);
    try {
      await this.evenIfCancelled(async () => {
        while (pending.reply === undefined && clock.nowMs() < untilMs) await this.#pump(untilMs);
      });
    } catch (error) {
      if (!(error instanceof FlashError)) throw error;
    }
    this.fail(new FlashError("disconnected", `${this.transport.name} is closed`));
  }

  /**
   * For a server that did not answer in time, and may still hear: these packets are sent, and no answers waited for. Never fails, and
   * never waits longer than the time given.
   */
  async lastWords(bodies: readonly string[], waitMs: number): Promise<void> {
    if (this.#broken?.code !== "timeout") return;
    for (const body of bodies) this.transport.write(encodePacket(body)).catch(() => undefined);
    await this.context.clock.sleep(waitMs);
  }

  /** From now on this connection is of no use. */
  fail(reason: FlashError): FlashError {
    this.#broken ??= reason;
    return reason;
  }

  async #send(ask: Ask): Promise<Pending> {
    this.#check();
    if (this.isRunning && !this.listensWhileRunning) {
      throw new FlashError(
        "refused",
        `the GDB server on ${this.transport.name} hears no ${ask.name} while the core runs`,
      );
    }
    const pending: Pending = { ask, packet: encodePacket(ask.body), console: "", reply: undefined };
    this.#pending.push(pending);
    this.#waited = false;
    this.counters.requests++;
    await this.#write(pending.packet);
    return pending;
  }

  async #answer(pending: Pending): Promise<Reply> {
    const { ask } = pending;
    const { clock } = this.context;
    const untilMs = clock.nowMs() + ask.timeoutMs;
    if (pending.reply === undefined) this.#countWait();
    for (;;) {
      if (pending.reply !== undefined) return pending.reply;
      if (clock.nowMs() >= untilMs) throw this.fail(this.#silence(ask));
      await this.#pump(untilMs);
    }
  }

  #silence(ask: Ask): FlashError {
    return new FlashError(
      "timeout",
      `the GDB server on ${this.transport.name} did not answer ${ask.name} within ${Math.round(ask.timeoutMs)} ms`,
      { remedy: "Look at the server's own output; restart it if it hangs, check probe and cable, then flash again." },
    );
  }

  #countWait(): void {
    if (!this.#waited) this.counters.roundTrips++;
    this.#waited = true;
  }

  #check(): void {
    if (this.context.signal.aborted) throw cancelled();
    if (this.#broken !== undefined) throw this.#broken;
  }

  async #pump(untilMs: number): Promise<void> {
    this.#check();
    const leftMs = untilMs - this.context.clock.nowMs();
    const events = this.#decoder.push(await this.#read(Math.min(leftMs, longestReadMs)));
    let acks = 0;
    for (const event of events) {
      if (event.kind === "packet") {
        acks++;
        this.#route(event.body);
      } else if (event.kind === "nak") await this.#resend();
      else if (event.kind === "damaged") await this.#refuse(event);
    }
    if (this.sendsAcks && acks > 0) await this.#write(ackPackets(acks));
  }

  /** Only one read is under way at any time; one that a cancel left behind gives its bytes to whoever waits next. */
  async #read(timeoutMs: number): Promise<Uint8Array> {
    this.#reading ??= this.#unlessBroken(this.transport.read(timeoutMs));
    const bytes = await orCancelled(this.#reading, this.context.signal);
    this.#reading = undefined;
    return bytes;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await orCancelled(this.#unlessBroken(this.transport.write(bytes)), this.context.signal);
  }

  async #unlessBroken<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (cause) {
      if (!(cause instanceof FlashError)) throw cause;
      throw this.fail(cause.code === "disconnected" ? gone(cause) : cause);
    }
  }

  #route(body: Uint8Array): void {
    const first = this.#pending[0];
    const text = Buffer.from(body).toString("latin1");
    const said = consoleTextOf(text);
    if (said !== undefined) {
      if (first !== undefined) first.console = (first.console + said).slice(-longestConsole);
      if (said !== "") this.context.log(`GDB server: ${said.trimEnd()}`);
      return;
    }
    if (isStopReply(text) && first?.ask.answeredByStop !== true) {
      if (this.#running === undefined) return; // a stop that was reported already, late
      this.#running = undefined;
      this.#stops = [...this.#stops, text].slice(-mostStops);
      return;
    }
    if (first !== undefined) {
      this.#pending.shift();
      this.#resends = 0;
      first.reply = { body, console: first.console };
    } else if (this.#running !== undefined && isRefusal(text)) {
      // All else that comes while the core runs is none of ours, such as `Fwrite,…`.
      this.#running = undefined;
      this.#refusedToRun = { body, console: "" };
    }
  }

  async #resend(): Promise<void> {
    const packet = this.#pending[0]?.packet ?? (this.#running === undefined ? undefined : encodePacket(this.#running));
    if (packet === undefined) return;
    if (++this.#resends > mostResends) {
      throw this.fail(
        new FlashError(
          "protocol",
          `the GDB server on ${this.transport.name} refused ${this.#pending[0]?.ask.name ?? this.#running ?? "a packet"} ${mostResends} times: checksum wrong`,
        ),
      );
    }
    this.counters.resent++;
    await this.#write(packet);
  }

  /** Without acknowledgements nothing comes again. */
  async #refuse(event: WireEvent & { readonly kind: "damaged" }): Promise<void> {
    if (this.sendsAcks && ++this.#resends <= mostResends) return this.#write(NAK);
    throw this.fail(
      new FlashError("protocol", `the GDB server on ${this.transport.name} sent a damaged packet (${event.why})`, {
        remedy:
          "Check that a GDB server listens there, and restart it; check the connection if it is not on this machine.",
      }),
    );
  }
}

/** There is no plug to a server. */
function gone(cause: FlashError): FlashError {
  return new FlashError("disconnected", cause.message, {
    cause,
    remedy:
      "Look at the GDB server's own output, restart it, and flash again: what was half written is found and repaired.",
  });
}
