/** What is going on, gathered from our own builds and the server's messages: what status bar, views and context keys show. */
import { commands, EventEmitter, type Disposable, type Event } from "vscode";
import type { BoardState, StoredReport } from "../server/protocol.ts";
import type { Server } from "./client.ts";
import type { ButtonState } from "./status-text.ts";

/** How long after its end a build may still be noticed by watchers. */
const echoMs = 300;

export class Activity implements Disposable {
  readonly #changed = new EventEmitter<void>();
  readonly #subscriptions: Disposable[];
  readonly #boards = new Map<string, BoardState>();
  readonly #reports = new Map<string, StoredReport>();
  readonly #context = new Map<string, boolean>();
  #latest: StoredReport | undefined;
  #builds = 0;
  #builtAtMs = -Infinity;
  #offer = false;

  /** @param currentPort the chosen board's */
  constructor(
    server: Server,
    private readonly currentPort: () => string | undefined,
  ) {
    this.#subscriptions = [
      server.on("deltaflash/state", ({ port, state }) => {
        this.#boards.set(port, state);
        if (state.kind === "working" && port === this.currentPort()) this.#offer = false;
        this.refresh();
      }),
      server.on("deltaflash/report", (stored) => {
        this.#latest = stored;
        this.#reports.set(stored.report.port, stored);
        this.refresh();
      }),
      server.onDidCrash(() => {
        this.#boards.clear();
        this.refresh();
      }),
    ];
  }

  get onDidChange(): Event<void> {
    return this.#changed.event;
  }

  get state(): ButtonState {
    const port = this.currentPort();
    const board = port === undefined ? undefined : this.#boards.get(port);
    if (this.#builds > 0 && board?.kind !== "working") return { kind: "building" };
    if (this.#offer) return { kind: "offer" };
    return board ?? { kind: "idle" };
  }

  get isBuilding(): boolean {
    return this.#builds > 0;
  }

  /** A build of ours runs, or ended so lately that what is noticed of a build is that one. */
  get isOwnBuild(): boolean {
    return this.isBuilding || Date.now() - this.#builtAtMs < echoMs;
  }

  /** The board at the port is being connected to or worked on. */
  isBusy(port: string): boolean {
    const kind = this.#boards.get(port)?.kind;
    return kind === "connecting" || kind === "working";
  }

  /** Of the chosen board, else of any. */
  get lastReport(): StoredReport | undefined {
    const port = this.currentPort();
    return (port === undefined ? undefined : this.#reports.get(port)) ?? this.#latest;
  }

  /** What was said before this extension host started. */
  remember(stored: StoredReport): void {
    this.#latest ??= stored;
    if (!this.#reports.has(stored.report.port)) this.#reports.set(stored.report.port, stored);
    this.refresh();
  }

  async during<T>(build: () => Promise<T>): Promise<T> {
    this.#builds += 1;
    this.#offer = false;
    this.refresh();
    try {
      return await build();
    } finally {
      this.#builds -= 1;
      this.#builtAtMs = Date.now();
      this.refresh();
    }
  }

  /** A build of somebody else waits to be flashed. */
  offer(): void {
    this.#offer = true;
    this.refresh();
  }

  withdrawOffer(): void {
    this.#offer = false;
    this.refresh();
  }

  refresh(): void {
    const port = this.currentPort();
    this.#set("deltaflash.busy", this.isBuilding || (port !== undefined && this.isBusy(port)));
    this.#set("deltaflash.hasReport", this.#latest !== undefined);
    this.#changed.fire();
  }

  dispose(): void {
    for (const one of this.#subscriptions) one.dispose();
    this.#changed.dispose();
  }

  #set(key: string, value: boolean): void {
    if (this.#context.get(key) === value) return;
    this.#context.set(key, value);
    void commands.executeCommand("setContext", key, value);
  }
}
