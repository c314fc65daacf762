/**
 * The one owner of one port: runs one job at a time, keeps a connection that was made ahead, and lets the monitor have the port
 * in between. A newer flash takes the place of an older one as soon as the loader waits for a request, and goes on with its connection.
 */
import type { Artifact } from "../build/artifact.ts";
import type { Clock } from "../core/clock.ts";
import type { DeltaPlanner } from "../core/delta.ts";
import { asFlashError, FlashError } from "../core/errors.ts";
import type { Phase } from "../core/trace.ts";
import type { SerialTransport } from "../transport/transport.ts";
import { AskedFlash, stateAfter, type FlashRequest } from "./asked-flash.ts";
import type { BoardAtPort } from "./board-port.ts";
import type { BoardState } from "./views.ts";
import { wishesOf, type ConnectWishes } from "./family.ts";
import type { History } from "./history.ts";
import { runJob } from "./job.ts";
import { closeQuietly, LentTransport } from "./lent-transport.ts";
import type { Monitor } from "./monitor.ts";
import { failedBefore, type Report } from "./report.ts";
import { WarmConnection, type LeftOver } from "./warm-connection.ts";

export interface OwnerParts {
  readonly port: string;
  /** Real time. */
  readonly clock: Clock;
  readonly history: History;
  /** Plans patches elsewhere than on this thread. */
  readonly planDelta?: DeltaPlanner | undefined;
  board(): Promise<BoardAtPort>;
  onState(state: BoardState): void;
  log(line: string): void;
  /** How long a connection that was made ahead is kept without use. */
  readonly keepWarmMs: number;
}

export class PortOwner {
  readonly #parts: OwnerParts;
  #monitor: Monitor | undefined;
  #running: AskedFlash | undefined;
  #waiting: AskedFlash | undefined;
  #warm: WarmConnection | undefined;
  #prepareNext: ConnectWishes | undefined;
  #closed = false;
  /** Whoever had the port last has given it back when this resolves; it never rejects. */
  #free: Promise<void> = Promise.resolve();

  constructor(parts: OwnerParts) {
    this.#parts = parts;
  }

  /** Neither job nor connection nor monitor. */
  get isIdle(): boolean {
    return this.#running === undefined && this.#warm === undefined && this.#monitor === undefined;
  }

  /** Runs when the port is free. Never rejects: a failure is in the report. */
  flash(request: FlashRequest): Promise<Report> {
    if (this.#closed) return Promise.resolve(this.#cancelledReport("the server is shutting down"));
    this.#prepareNext = undefined;
    if (this.#warm !== undefined) this.#keepWarm(this.#warm); // not to be dropped while the artifact is read
    this.#waiting?.drop(this.#parts.port);
    this.#running?.makeWay();
    return new Promise((settle) => {
      this.#waiting = new AskedFlash(request, settle);
      if (this.#running === undefined) void this.#work();
    });
  }

  /** Connects ahead, so that a flash costs no connection; after a while without use the board goes back to its program. */
  prepare(wishes: ConnectWishes): void {
    if (this.#closed) return;
    if (this.#running !== undefined) this.#prepareNext = wishes;
    else if (this.#warm === undefined) this.#connectAhead(wishes);
    else if (this.#warm.fits(wishes)) this.#keepWarm(this.#warm);
    else {
      this.#dropWarm();
      this.#connectAhead(wishes);
    }
  }

  /** Ends what runs at the next answer of the board, and drops what waits. The board can be flashed again at once. */
  cancel(): void {
    this.#prepareNext = undefined;
    this.#waiting?.drop(this.#parts.port, "the flash was cancelled");
    this.#waiting = undefined;
    if (this.#running !== undefined) this.#running.endNow();
    else if (this.#warm !== undefined) this.#dropWarm();
  }

  /** Gives the port to a monitor whenever nothing else needs it. */
  async attach(monitor: Monitor): Promise<void> {
    await this.#monitor?.close();
    this.#monitor = monitor;
    await this.#free;
    if (this.#monitor !== monitor || this.#closed) await monitor.close();
    else if (this.isQuiet) monitor.resume(undefined);
    else monitor.startPaused();
  }

  async detach(): Promise<void> {
    const monitor = this.#monitor;
    this.#monitor = undefined;
    const closed = monitor?.close();
    this.#free = Promise.all([this.#free, closed]).then(() => undefined);
    await closed;
  }

  get monitor(): Monitor | undefined {
    return this.#monitor;
  }

  /** Ends everything: between two requests to the board if it gets there within `gentleMs`, else at once. Afterwards the port is closed. */
  async close(gentleMs: number): Promise<void> {
    this.#closed = true;
    this.#prepareNext = undefined;
    const reason = "the flash was cancelled because the editor is closing";
    this.#waiting?.drop(this.#parts.port, reason);
    this.#waiting = undefined;
    const running = this.#running;
    const enough = new AbortController();
    if (running !== undefined) {
      running.endSoon(reason);
      const late = this.#parts.clock.sleep(gentleMs, enough.signal);
      late.then(() => running.endNow()).catch(() => undefined);
    }
    this.#dropWarm();
    await this.#free;
    enough.abort();
    await this.detach();
  }

  private get isQuiet(): boolean {
    return this.#running === undefined && this.#waiting === undefined && this.#warm === undefined;
  }

  /** Runs entries until none waits. Never rejects. */
  async #work(): Promise<void> {
    for (let entry = this.#waiting; entry !== undefined; entry = this.#waiting) {
      this.#waiting = undefined;
      this.#running = entry;
      const before = this.#free;
      const run = before.then(() => this.#runOne(entry));
      this.#free = run.then(() => undefined);
      const report = await run;
      this.#running = undefined;
      if (!entry.isSuperseded) this.#parts.onState(stateAfter(report));
      entry.settle(report);
    }
    const next = this.#prepareNext;
    this.#prepareNext = undefined;
    if (next !== undefined && this.isQuiet) this.#connectAhead(next);
  }

  async #runOne(entry: AskedFlash): Promise<Report> {
    let transport: SerialTransport | undefined;
    let isKept = false as boolean; // changed by a callback
    try {
      const artifact = await entry.request.artifact();
      const board = await this.#parts.board();
      if (entry.isStopped) throw new FlashError("cancelled", "the flash was cancelled");
      const warm = await this.#takeWarm(entry.request, artifact);
      board.wake();
      if (warm === undefined) this.#parts.onState({ kind: "connecting" });
      const report = await runJob({
        ...this.#job(entry, board),
        artifact,
        open: async () => new LentTransport((transport = await this.#takePort(board))),
        ...(warm === undefined ? {} : { ahead: () => warm.takeOver(entry.signal) }),
        handOver: (connection) => {
          transport ??= warm?.transport;
          if (transport === undefined || entry.signal.aborted || this.#closed || this.#warm !== undefined) return false;
          const wishes = wishesOf(entry.request.options, artifact);
          this.#keepWarm((this.#warm = warm ?? this.#warmConnection(wishes, { board, transport, connection })));
          return (isKept = true);
        },
      });
      transport ??= warm?.transport;
      await board.finish().catch((error: unknown) => this.#parts.log(`the board could not be kept: ${String(error)}`));
      return entry.withReason(report);
    } catch (thrown) {
      if (!entry.isSuperseded) this.#dropWarm();
      return entry.withReason(failedBefore(this.#parts.port, asFlashError(thrown)));
    } finally {
      if (!isKept) await this.#giveBack(transport);
    }
  }

  #job(entry: AskedFlash, board: BoardAtPort) {
    const { port, history, planDelta } = this.#parts;
    let percent: number | undefined;
    let phaseNow: Phase = "connect";
    const tell = () => this.#parts.onState({ kind: "working", phase: phaseNow, percent });
    return {
      port,
      history,
      ...(board.board === undefined ? {} : { board: board.board }),
      ...{ clock: board.clock, family: board.family },
      ...(planDelta === undefined ? {} : { planDelta }),
      options: entry.request.options,
      signal: entry.signal,
      stop: entry.stop,
      beforeReset: (transport: SerialTransport) => this.#beforeReset(transport),
      onProgramText: (bytes: Uint8Array) => this.#monitor?.hear(bytes),
      observer: {
        log: (line: string) => this.#parts.log(line),
        phase: (phase: Phase) => {
          entry.enter(phase);
          if (phase === phaseNow) return;
          phaseNow = phase;
          tell();
        },
        progress: (done: number, total: number) => {
          const now = total > 0 ? Math.min(100, Math.floor((100 * done) / total)) : 100;
          if (now === percent) return;
          percent = now;
          tell();
        },
      },
    };
  }

  /** The connection that was made ahead, if it will do; else the board goes back to its program first. */
  async #takeWarm(request: FlashRequest, artifact: Artifact): Promise<WarmConnection | undefined> {
    const warm = this.#warm;
    if (warm === undefined) return undefined;
    this.#warm = undefined;
    if (!request.options.ram && warm.fits(wishesOf(request.options, artifact))) return warm;
    await this.#letGo(warm);
    return undefined;
  }

  #connectAhead(wishes: ConnectWishes): void {
    const warm = this.#warmConnection(wishes);
    this.#warm = warm;
    this.#parts.onState({ kind: "connecting" });
    warm.connection.then(
      () => {
        if (this.#warm !== warm) return;
        this.#parts.onState({ kind: "ready" });
        this.#keepWarm(warm);
      },
      (error: unknown) => {
        this.#parts.log(`connecting ahead failed: ${String(error)}`);
        if (this.#warm === warm) this.#dropWarm();
      },
    );
  }

  #warmConnection(wishes: ConnectWishes, leftOver?: LeftOver): WarmConnection {
    const { port, history } = this.#parts;
    const parts = {
      ...{ port, wishes, history, free: this.#free },
      board: () => this.#parts.board(),
      takePort: (board: BoardAtPort) => this.#takePort(board),
      log: (line: string) => this.#parts.log(line),
    };
    return new WarmConnection(parts, leftOver);
  }

  #keepWarm(warm: WarmConnection): void {
    const { clock, keepWarmMs } = this.#parts;
    warm.keepFor(keepWarmMs, clock, () => {
      if (this.#warm === warm) this.#dropWarm();
    });
  }

  #dropWarm(): void {
    const warm = this.#warm;
    if (warm === undefined) return;
    this.#warm = undefined;
    const before = this.#free;
    const over = this.#letGo(warm);
    this.#free = before.then(() => over);
    void over.then(() => {
      if (this.isQuiet) this.#parts.onState({ kind: "idle" });
    });
  }

  /** Never rejects. */
  async #letGo(warm: WarmConnection): Promise<void> {
    await warm.letGo((transport) => this.#beforeReset(transport));
    await this.#giveBack(warm.transport);
  }

  /** Whoever reads the port next hears the program from its first line on. */
  async #beforeReset(transport: SerialTransport): Promise<void> {
    await this.#monitor?.listenFromHere(transport);
  }

  async #takePort(board: BoardAtPort): Promise<SerialTransport> {
    return (await this.#monitor?.pause()) ?? (await board.open());
  }

  async #giveBack(transport: SerialTransport | undefined): Promise<void> {
    const monitor = this.#monitor;
    if (monitor !== undefined && !this.#closed && this.#waiting === undefined) monitor.resume(transport);
    else await closeQuietly(transport);
  }

  #cancelledReport(reason: string): Report {
    return failedBefore(this.#parts.port, new FlashError("cancelled", reason));
  }
}
