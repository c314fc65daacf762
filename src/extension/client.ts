/** The server as the front end sees it: started on first use, started again after a crash, every message typed. */
import { EventEmitter, l10n, window, type Disposable, type Event, type LogOutputChannel } from "vscode";
import type { Notifications, Requests, StoredReport } from "../server/protocol.ts";
import type { RunningServer } from "./language-client.ts";

export type Report = StoredReport["report"];

/** The server ended while a request was under way, or does not start. */
export class ServerGone extends Error {
  override readonly name = "ServerGone";
}

type Emitters = { readonly [K in keyof Notifications]: EventEmitter<Notifications[K]> };

export class Server implements Disposable {
  readonly #modulePath: string;
  readonly #log: LogOutputChannel;
  readonly #emitters: Emitters = {
    "deltaflash/state": new EventEmitter(),
    "deltaflash/report": new EventEmitter(),
    "deltaflash/buildCompleted": new EventEmitter(),
    "deltaflash/monitor/data": new EventEmitter(),
    "deltaflash/monitor/state": new EventEmitter(),
  };
  readonly #restarted = new EventEmitter<void>();
  readonly #lost = new EventEmitter<void>();
  #running: Promise<RunningServer> | undefined;
  #crashes = new Set<(error: ServerGone) => void>();

  constructor(modulePath: string, log: LogOutputChannel) {
    this.#modulePath = modulePath;
    this.#log = log;
  }

  /** A new server runs in the place of one that ended: what the old one was told has to be told again. */
  get onDidRestart(): Event<void> {
    return this.#restarted.event;
  }

  /** The server ended by itself. */
  get onDidCrash(): Event<void> {
    return this.#lost.event;
  }

  on<K extends keyof Notifications>(name: K, listener: (params: Notifications[K]) => void): Disposable {
    return this.#emitters[name].event(listener);
  }

  get isStarted(): boolean {
    return this.#running !== undefined;
  }

  /** Starts the server if need be. @throws ServerGone when it ends before it has answered, or cannot be started */
  async request<K extends keyof Requests>(name: K, params: Requests[K][0]): Promise<Requests[K][1]> {
    const server = await this.#started();
    let onCrash: (error: ServerGone) => void = () => undefined;
    const crashed = new Promise<never>((_, reject) => {
      onCrash = reject;
      this.#crashes.add(onCrash);
    });
    try {
      return await Promise.race([server.request(name, params), crashed]);
    } finally {
      this.#crashes.delete(onCrash);
    }
  }

  /** Ends the server and starts another. */
  async restart(): Promise<void> {
    const old = this.#running;
    this.#running = undefined;
    await old?.then((server) => server.stop()).catch((error: unknown) => this.#log.warn(String(error)));
    await this.#started();
    this.#restarted.fire();
  }

  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.then((server) => server.stop()).catch(() => undefined); // it is going away in any case
  }

  dispose(): void {
    for (const emitter of Object.values(this.#emitters)) emitter.dispose();
    this.#restarted.dispose();
    this.#lost.dispose();
  }

  #started(): Promise<RunningServer> {
    this.#running ??= this.#start().catch((error: unknown) => {
      this.#running = undefined;
      throw new ServerGone(l10n.t("The Deltaflash server does not start: {0}", String(error)), { cause: error });
    });
    return this.#running;
  }

  async #start(): Promise<RunningServer> {
    const { startServer } = await import("./language-client.ts"); // a bundle of its own
    return startServer({
      module: this.#modulePath,
      log: this.#log,
      onRunning: (again) => {
        if (again) this.#restarted.fire();
      },
      onCrash: (willRestart) => this.#onCrash(willRestart),
      onNotification: (name, params) => (this.#emitters[name] as EventEmitter<typeof params>).fire(params),
    });
  }

  #onCrash(willRestart: boolean): void {
    this.#log.error(`the server ended by itself${willRestart ? "; starting another" : ""}`);
    const crashes = [...this.#crashes];
    this.#crashes.clear();
    for (const reject of crashes) {
      reject(
        new ServerGone(
          l10n.t("The Deltaflash server ended. Flash again: what was half written is found and repaired."),
        ),
      );
    }
    this.#lost.fire();
    if (!willRestart) void this.#offerRestart();
  }

  async #offerRestart(): Promise<void> {
    this.#running = undefined;
    const restart = l10n.t("Start It Again");
    const chosen = await window.showErrorMessage(l10n.t("The Deltaflash server keeps ending."), restart);
    if (chosen === restart) await this.restart();
  }
}
