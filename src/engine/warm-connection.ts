/**
 * A connection that waits for a flash: made ahead while the compiler runs, or left over from a flash that made way for a newer
 * one. Can be waited for, taken over, or let go.
 */
import type { Clock } from "../core/clock.ts";
import { TraceRecorder } from "../core/trace.ts";
import type { Context } from "../targets/target.ts";
import type { SerialTransport } from "../transport/transport.ts";
import type { BoardAtPort } from "./board-port.ts";
import type { BoardConnection, ConnectWishes } from "./family.ts";
import type { History } from "./history.ts";

export interface WarmParts {
  readonly port: string;
  readonly wishes: ConnectWishes;
  readonly history: History;
  /** Resolves when the port is free. */
  readonly free: Promise<void>;
  board(): Promise<BoardAtPort>;
  takePort(board: BoardAtPort): Promise<SerialTransport>;
  log(line: string): void;
}

/** What a flash leaves behind that made way for a newer one. */
export interface LeftOver {
  readonly board: BoardAtPort;
  /** The owner's, open. */
  readonly transport: SerialTransport;
  readonly connection: BoardConnection;
}

export class WarmConnection {
  readonly #parts: WarmParts;
  readonly #stop = new AbortController();
  /** Rejects when the board does not answer. */
  readonly connection: Promise<BoardConnection>;
  #board: BoardAtPort | undefined;
  #transport: SerialTransport | undefined;
  #idle = new AbortController();

  /** @param leftOver undefined: the connection is made as soon as the port is free */
  constructor(parts: WarmParts, leftOver?: LeftOver) {
    this.#parts = parts;
    this.#board = leftOver?.board;
    this.#transport = leftOver?.transport;
    this.connection =
      leftOver === undefined ? parts.free.then(() => this.#connect()) : Promise.resolve(leftOver.connection);
    this.connection.catch(() => undefined); // a build that never flashes asks nobody for it
  }

  /** The open port, which is the owner's again after `letGo` or after the flash that took it over. */
  get transport(): SerialTransport | undefined {
    return this.#transport;
  }

  fits({ baud, useStub, officialStub = false, flashBytes }: ConnectWishes): boolean {
    const own = this.#parts.wishes;
    const sameStub = own.useStub === useStub && (own.officialStub ?? false) === officialStub;
    return own.baud === baud && sameStub && own.flashBytes === flashBytes;
  }

  /** Calls `over` unless it is called again, taken over or let go before. */
  keepFor(durationMs: number, clock: Clock, over: () => void): void {
    this.#idle.abort();
    this.#idle = new AbortController();
    clock.sleep(durationMs, this.#idle.signal).then(over, () => undefined);
  }

  /** For a flash: what is left of connecting counts towards it and is cancelled with it. */
  async takeOver(signal: AbortSignal): Promise<BoardConnection> {
    this.#idle.abort();
    const cancel = () => this.#stop.abort();
    signal.addEventListener("abort", cancel, { once: true });
    if (signal.aborted) cancel();
    try {
      return await this.connection;
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  }

  /** The board goes back to its program. Never rejects. @param beforeReset whoever listens next gets ready here */
  async letGo(beforeReset: (transport: SerialTransport) => Promise<void>): Promise<void> {
    this.#idle.abort();
    this.#stop.abort();
    const connection = await this.connection.catch(() => undefined);
    const [board, transport] = [this.#board, this.#transport];
    if (board === undefined || transport === undefined) return;
    try {
      if (transport.hasModemLines) await beforeReset(transport);
      const context = this.#contextOn(board, new AbortController().signal);
      await (connection?.leave(context) ?? board.family.leave(transport, context));
    } catch (error) {
      this.#parts.log(`the board could not be left as it was: ${String(error)}`);
    }
  }

  async #connect(): Promise<BoardConnection> {
    const { wishes } = this.#parts;
    this.#board = await this.#parts.board();
    this.#transport = await this.#parts.takePort(this.#board);
    this.#board.wake();
    const context = this.#contextOn(this.#board, this.#stop.signal);
    const request = { wishes, meant: undefined, memory: this.#parts };
    const connection = await this.#board.family.connect(this.#transport, context, request);
    await connection.session.getReady?.();
    return connection;
  }

  #contextOn({ clock }: BoardAtPort, signal: AbortSignal): Context {
    const trace = new TraceRecorder(clock, { phase: "connect", label: "open port" });
    return { clock, signal, trace, onProgress: () => undefined, log: (line) => this.#parts.log(line) };
  }
}
