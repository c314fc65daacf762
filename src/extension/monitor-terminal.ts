/** The monitor: a terminal that shows what the board says. The port stays the server's, which pauses it for a flash. */
import { isAbsolute, join } from "node:path";
import {
  commands,
  EventEmitter,
  l10n,
  ThemeIcon,
  window,
  workspace,
  type Disposable,
  type LogOutputChannel,
  type Pseudoterminal,
  type Terminal,
} from "vscode";
import type { MonitorState } from "../server/protocol.ts";
import type { Server } from "./client.ts";
import type { Config } from "./config.ts";
import { MonitorText, timeOfDay } from "./monitor-text.ts";

const usualBaud = 115_200;

/** One terminal per port. */
export class Monitors implements Disposable {
  readonly #server: Server;
  readonly #config: Config;
  readonly #log: LogOutputChannel;
  readonly #open = new Map<string, Monitor>();
  readonly #subscriptions: Disposable[];
  #timestamps: boolean | undefined;

  constructor(server: Server, config: Config, log: LogOutputChannel) {
    this.#server = server;
    this.#config = config;
    this.#log = log;
    this.#subscriptions = [
      server.on("deltaflash/monitor/data", ({ port, text }) => this.#open.get(port)?.show(text)),
      server.on("deltaflash/monitor/state", ({ port, state, detail }) => this.#open.get(port)?.onState(state, detail)),
      server.onDidRestart(() => {
        for (const monitor of this.#open.values()) monitor.connect();
      }),
    ];
  }

  /** Opens the port's terminal, or shows it. */
  show(port: string, buildBaud: number | undefined): Terminal {
    const there = this.#open.get(port);
    if (there !== undefined) {
      there.terminal.show(true);
      return there.terminal;
    }
    const baud = this.#config.settings.monitorBaud ?? buildBaud ?? usualBaud;
    const monitor = new Monitor({
      server: this.#server,
      log: this.#log,
      port,
      baud,
      logFile: this.#logFile(),
      timestamps: () => this.#timestamps ?? this.#config.settings.monitorTimestamps,
      onClosed: () => {
        this.#open.delete(port);
        this.#tellContext();
      },
    });
    this.#open.set(port, monitor);
    this.#tellContext();
    monitor.terminal.show(true);
    return monitor.terminal;
  }

  /** For this window; the setting stays as it is. */
  toggleTimestamps(): void {
    this.#timestamps = !(this.#timestamps ?? this.#config.settings.monitorTimestamps);
  }

  async sendLine(): Promise<void> {
    const monitor =
      [...this.#open.values()].find((one) => one.terminal === window.activeTerminal) ?? [...this.#open.values()][0];
    if (monitor === undefined) return;
    const line = await window.showInputBox({
      title: l10n.t("Deltaflash: Send Line"),
      prompt: l10n.t("CR LF is added."),
    });
    if (line !== undefined) monitor.handleInput(`${line}\r\n`);
  }

  dispose(): void {
    for (const one of this.#subscriptions) one.dispose();
    for (const monitor of this.#open.values()) monitor.terminal.dispose();
  }

  #tellContext(): void {
    void commands.executeCommand("setContext", "deltaflash.monitoring", this.#open.size > 0);
  }

  /** Nothing is written where the workspace's own settings say so, unless it is trusted. */
  #logFile(): string | undefined {
    const { monitorLogFile } = this.#config.settings;
    const root = workspace.workspaceFolders?.[0]?.uri.fsPath;
    if (monitorLogFile === undefined || isAbsolute(monitorLogFile) || root === undefined) return monitorLogFile;
    return join(root, monitorLogFile);
  }
}

interface MonitorOptions {
  readonly server: Server;
  readonly log: LogOutputChannel;
  readonly port: string;
  readonly baud: number;
  readonly logFile: string | undefined;
  timestamps(): boolean;
  onClosed(): void;
}

class Monitor implements Pseudoterminal {
  readonly terminal: Terminal;
  readonly #options: MonitorOptions;
  readonly #write = new EventEmitter<string>();
  readonly #text = new MonitorText(() => timeOfDay(new Date()));
  #isOpen = false;

  constructor(options: MonitorOptions) {
    this.#options = options;
    this.terminal = window.createTerminal({
      name: l10n.t("Monitor {0}", options.port),
      iconPath: new ThemeIcon("circuit-board"),
      pty: this,
      isTransient: true,
    });
  }

  get onDidWrite() {
    return this.#write.event;
  }

  open(): void {
    this.#isOpen = true;
    this.#write.fire(this.#text.remark(l10n.t("{0} at {1} bits per second", this.#options.port, this.#options.baud)));
    this.connect();
  }

  connect(): void {
    if (!this.#isOpen) return;
    const { server, port, baud, logFile } = this.#options;
    this.#run(server.request("deltaflash/monitor/open", { port, baud, ...(logFile === undefined ? {} : { logFile }) }));
  }

  close(): void {
    this.#isOpen = false;
    const { server, port, log } = this.#options;
    this.#options.onClosed();
    server
      .request("deltaflash/monitor/close", { port })
      .catch((error: unknown) => log.debug(`monitor close: ${String(error)}`)); // nobody looks at it any more
  }

  handleInput(text: string): void {
    this.#run(this.#options.server.request("deltaflash/monitor/write", { port: this.#options.port, text }));
  }

  show(text: string): void {
    this.#write.fire(this.#text.format(text, this.#options.timestamps()));
  }

  onState(state: MonitorState, detail: string | undefined): void {
    const why = detail === undefined ? "" : `: ${detail}`;
    this.#write.fire(this.#text.remark(`${wordFor(state)}${why}`));
  }

  #run(request: Promise<unknown>): void {
    request.catch((error: unknown) => {
      this.#options.log.warn(`monitor ${this.#options.port}: ${String(error)}`);
      this.#write.fire(this.#text.remark(error instanceof Error ? error.message : String(error)));
    });
  }
}

function wordFor(state: MonitorState): string {
  switch (state) {
    case "open":
      return l10n.t("connected");
    case "paused":
      return l10n.t("paused while the board is flashed");
    case "reconnecting":
      return l10n.t("the board is gone; waiting for it");
    case "closed":
      return l10n.t("closed");
  }
}
