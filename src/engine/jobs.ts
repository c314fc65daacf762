/** All ports that this process has to do with, each with one owner. The engine's face towards long-lived front ends. */
import type { Clock } from "../core/clock.ts";
import type { DeltaPlanner } from "../core/delta.ts";
import { FlashError } from "../core/errors.ts";
import type { FlashRequest } from "./asked-flash.ts";
import type { BoardAtPort } from "./board-port.ts";
import type { ConnectWishes } from "./family.ts";
import type { BoardState, MonitorState } from "./views.ts";
import type { History } from "./history.ts";
import { Monitor } from "./monitor.ts";
import { PortOwner } from "./port-owner.ts";
import type { Report } from "./report.ts";

export type { FlashRequest } from "./asked-flash.ts";

export interface JobsObserver {
  state(port: string, state: BoardState): void;
  monitorText(port: string, text: string): void;
  monitorState(port: string, state: MonitorState, detail?: string): void;
  log(line: string): void;
}

export interface JobsParts {
  /** Real time. */
  readonly clock: Clock;
  readonly history: History;
  readonly observer: JobsObserver;
  /** @throws FlashError `board-not-found` for a name that is no port */
  boardAtPort(port: string): Promise<BoardAtPort>;
  /** Plans patches elsewhere than on this thread. */
  readonly planDelta?: DeltaPlanner;
  /** How long a connection that was made ahead is kept without use; undefined: 20 s. */
  readonly keepWarmMs?: number;
}

const usualKeepWarmMs = 20_000;
/** More ports than anyone has boards. */
const mostPorts = 64;

export class Jobs {
  readonly #parts: JobsParts;
  readonly #owners = new Map<string, PortOwner>();

  constructor(parts: JobsParts) {
    this.#parts = parts;
  }

  /** Never rejects: what goes wrong is in the report. */
  async flash(port: string, request: FlashRequest): Promise<Report> {
    return this.#owner(port).flash(request);
  }

  /** Connects ahead; returns at once. A flash of the same port takes the connection over; each call renews its time. */
  prepare(port: string, wishes: Pick<ConnectWishes, "baud" | "useStub" | "officialStub">): void {
    this.#owner(port).prepare({ ...wishes, flashBytes: undefined });
  }

  cancel(port: string): void {
    this.#owners.get(port)?.cancel();
  }

  /** Listens whenever no job needs the port. @throws FlashError `board-not-found`, `refused` when the log file cannot be written */
  async openMonitor(
    port: string,
    options: { readonly baud: number; readonly logFile?: string | undefined },
  ): Promise<void> {
    const { clock, observer } = this.#parts;
    const board = await this.#parts.boardAtPort(port);
    if (!board.family.hasConsole) {
      throw new FlashError("refused", `${port} is a GDB server, through which no program's output comes`, {
        remedy: "Choose the serial port of the board, or of its probe, and open the monitor there.",
      });
    }
    const monitor = new Monitor({
      ...{ port, baud: options.baud, logFile: options.logFile, clock },
      open: () => board.open(),
      onText: (text) => observer.monitorText(port, text),
      onState: (state, detail) => observer.monitorState(port, state, detail),
    });
    await monitor.openLog();
    await this.#owner(port).attach(monitor);
  }

  /** @throws FlashError `disconnected` without a monitor, and what `Monitor.write` throws */
  async writeToMonitor(port: string, text: string): Promise<void> {
    const monitor = this.#owners.get(port)?.monitor;
    if (monitor === undefined) {
      throw new FlashError("disconnected", `there is no monitor on ${port}`, { remedy: "Open the monitor first." });
    }
    await monitor.write(text);
  }

  async closeMonitor(port: string): Promise<void> {
    await this.#owners.get(port)?.detach();
  }

  /** Ends all jobs, between two runs where that comes soon enough, and closes all ports. */
  async close(gentleMs: number): Promise<void> {
    await Promise.all([...this.#owners.values()].map((owner) => owner.close(gentleMs)));
  }

  #owner(port: string): PortOwner {
    const known = this.#owners.get(port);
    if (known !== undefined) return known;
    if (this.#owners.size >= mostPorts) this.#forgetIdle();
    const { clock, history, observer, keepWarmMs = usualKeepWarmMs } = this.#parts;
    const owner = new PortOwner({
      ...{ port, clock, history, keepWarmMs, planDelta: this.#parts.planDelta },
      board: () => this.#parts.boardAtPort(port),
      onState: (state) => observer.state(port, state),
      log: (line) => observer.log(`${port}: ${line}`),
    });
    this.#owners.set(port, owner);
    return owner;
  }

  #forgetIdle(): void {
    for (const [port, owner] of this.#owners) if (owner.isIdle) this.#owners.delete(port);
    if (this.#owners.size >= mostPorts) throw new FlashError("refused", `more than ${mostPorts} ports are in use`);
  }
}
