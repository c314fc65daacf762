/**
 * Runs one simulated board against the wall clock for whoever is connected. Knows neither sockets nor ptys, only a link
 * that takes bytes. The board owns no timer; this is where its timer is.
 */
import { FlashError } from "../core/errors.ts";
import type { SimBoard } from "./board.ts";
import { InputBacklog } from "./serve-backlog.ts";

/** `10x` runs the board's time ten times faster; `max` leaps over every wait while a client is there. */
export type SimSpeed = "real" | "10x" | "max";

/** The client's end, as the pump sees it. */
export interface ClientLink {
  send(bytes: Uint8Array): void;
  /** Bytes that the client has not taken yet. */
  backlogBytes(): number;
  /** Asks to hold back input, or to let it flow again. */
  holdInput(hold: boolean): void;
}

/** A client that leaves this much unread has stopped reading: like a UART without a reader, the rest is lost. */
const OUTPUT_LIMIT_BYTES = 4 * 1024 * 1024;
/** Time does not leap ahead of a client by more than this. */
const LEAP_BACKLOG_BYTES = 64 * 1024;
/**
 * How far `max` leaps after the last thing that the client did, so that a program that prints forever does not run away.
 * Longer than the slowest chip erase: W25Q128JV rev. H, table 9.6, 200 s at most.
 */
const LEAP_BUDGET_MS = 300_000;
/** Nor does time leap on after so much unasked output; it goes on at its real pace. */
const LEAP_OUTPUT_BYTES = 256 * 1024;
/** Leaps in one go before sockets get their turn. */
const LEAPS_PER_TURN = 256;
/** Nor do leaps take longer than this in one go: a board whose processor is simulated works in each. */
const TURN_MS = 20;
const RETRY_MS = 2;
const LONGEST_TIMER_MS = 60_000;

export class BoardPump {
  readonly #board: SimBoard;
  readonly #speed: SimSpeed;
  readonly #factor: number;
  readonly #startMs = performance.now();
  readonly #backlog: InputBacklog;
  readonly #onFault: (reason: FlashError) => void;
  #leaptMs = 0;
  #lastMs = 0;
  #leapUntilMs = 0;
  #saidSinceAction = 0;
  #client: ClientLink | undefined;
  #holding = false;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #discarding = false;
  #stopped = false;

  /** `onFault` is called once, when the board says that its cable was pulled; the pump has stopped by then. */
  constructor(board: SimBoard, speed: SimSpeed, onFault: (reason: FlashError) => void) {
    this.#board = board;
    this.#speed = speed;
    this.#factor = speed === "10x" ? 10 : 1;
    this.#onFault = onFault;
    this.#backlog = new InputBacklog(() => board.counters().bytesIn);
  }

  /** What the board said before is gone: nobody listened. */
  attach(client: ClientLink): void {
    this.#poll();
    this.#client = client;
    this.#holding = false;
    this.#act(() => undefined);
  }

  detach(client: ClientLink): void {
    if (this.#client !== client) return;
    this.#poll();
    this.#client = undefined;
    this.#schedule();
  }

  receive(bytes: Uint8Array): void {
    this.#backlog.handed(bytes.length);
    this.#act((atMs) => this.#board.receive(bytes, atMs));
  }

  setSignals(lines: { readonly dtr: boolean; readonly rts: boolean }): void {
    this.#act((atMs) => this.#board.setSignals(lines, atMs));
  }

  /** Bits per second, 0 where the wire has no rate: see `SimBoard.setBaudRate`. */
  setBaudRate(baud: number): void {
    this.#act((atMs) => this.#board.setBaudRate(baud, atMs));
  }

  /** Somebody holds the boot button and presses reset, on boards that have them. */
  resetIntoLoader(): void {
    this.#act((atMs) => this.#board.pressReset?.(atMs, { boot: true }));
  }

  /** A client has come to a board that is a server: see `SimBoard.hostConnects`. */
  hostConnects(): void {
    this.#act((atMs) => this.#board.hostConnects?.(atMs));
  }

  hostLeaves(): void {
    this.#act((atMs) => this.#board.hostLeaves?.(atMs));
  }

  /** Throws away what has reached the host by now and was not sent yet. */
  purge(): void {
    this.#discarding = true;
    this.#poll();
    this.#discarding = false;
  }

  stop(): void {
    this.#stopped = true;
    this.#client = undefined;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
  }

  #act(action: (atMs: number) => void): void {
    if (this.#stopped) return;
    this.#poll();
    const atMs = this.#nowMs();
    this.#guard(() => action(atMs));
    this.#leapUntilMs = atMs + LEAP_BUDGET_MS;
    this.#saidSinceAction = 0;
    this.#poll();
  }

  /** The board's time: never behind the wall clock, in `max` ahead of it by all leaps. */
  #nowMs(): number {
    const nowMs = (performance.now() - this.#startMs) * this.#factor + this.#leaptMs;
    this.#lastMs = Math.max(this.#lastMs, nowMs);
    return this.#lastMs;
  }

  #poll(): void {
    if (this.#stopped) return;
    this.#guard(() => this.#deliver(this.#board.advance(this.#nowMs())));
    this.#schedule();
  }

  #leap(): void {
    const endMs = performance.now() + TURN_MS;
    for (let leaps = 0; leaps < LEAPS_PER_TURN && performance.now() < endMs && this.#mayLeap(); leaps++) {
      const nextMs = this.#board.nextEventMs();
      if (nextMs === undefined) break;
      this.#leaptMs += Math.max(0, nextMs - this.#nowMs());
      this.#guard(() => this.#deliver(this.#board.advance(Math.max(nextMs, this.#nowMs()))));
    }
    this.#poll();
  }

  #mayLeap(): boolean {
    return (
      !this.#stopped &&
      this.#speed === "max" &&
      this.#client !== undefined &&
      this.#lastMs < this.#leapUntilMs &&
      this.#saidSinceAction < LEAP_OUTPUT_BYTES &&
      this.#client.backlogBytes() < LEAP_BACKLOG_BYTES
    );
  }

  #deliver(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#client === undefined || this.#discarding) return;
    this.#saidSinceAction += bytes.length;
    if (this.#client.backlogBytes() < OUTPUT_LIMIT_BYTES) this.#client.send(bytes);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    if (this.#stopped) return;
    const hold = this.#backlog.shouldHold(performance.now());
    if (hold !== this.#holding) {
      this.#holding = hold;
      this.#client?.holdInput(hold);
    }
    const nextMs = this.#board.nextEventMs();
    if (nextMs !== undefined && this.#mayLeap()) {
      this.#immediate = setImmediate(() => this.#leap());
      return;
    }
    const waitMs = nextMs === undefined ? Infinity : (nextMs - this.#nowMs()) / this.#factor;
    const waitsForClient = this.#speed === "max" && (this.#client?.backlogBytes() ?? 0) > 0;
    const limitMs = this.#holding || waitsForClient ? RETRY_MS : LONGEST_TIMER_MS;
    if (waitMs === Infinity && !this.#holding) return;
    this.#timer = setTimeout(() => this.#poll(), Math.min(Math.max(waitMs, 0), limitMs));
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof FlashError)) throw error;
      this.stop();
      this.#onFault(error);
    }
  }
}
