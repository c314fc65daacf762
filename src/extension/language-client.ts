/**
 * The part of the front end that is only loaded when the server is started: `vscode-languageclient`, and when to start again.
 * Bundled by itself, so that activation does not pay for it.
 */
import type { LogOutputChannel } from "vscode";
import { CloseAction, ErrorAction, LanguageClient, State, TransportKind } from "vscode-languageclient/node";
import type { Notifications, Requests } from "../server/protocol.ts";

/** After this many crashes in `crashWindowMs` the user is asked before the next start. */
const mostCrashes = 4;
const crashWindowMs = 3 * 60_000;

export interface ServerOptions {
  /** Full path of the bundled server. */
  readonly module: string;
  readonly log: LogOutputChannel;
  /** `again`: the server ended by itself and a new one runs. */
  onRunning(again: boolean): void;
  /** The server ended by itself; with `willRestart` a new one is being started. */
  onCrash(willRestart: boolean): void;
  onNotification<K extends keyof Notifications>(name: K, params: Notifications[K]): void;
}

export interface RunningServer {
  request<K extends keyof Requests>(name: K, params: Requests[K][0]): Promise<Requests[K][1]>;
  stop(): Promise<void>;
}

const notifications: Readonly<Record<keyof Notifications, true>> = {
  "deltaflash/state": true,
  "deltaflash/report": true,
  "deltaflash/buildCompleted": true,
  "deltaflash/monitor/data": true,
  "deltaflash/monitor/state": true,
};

/** Resolves when the server answers. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const crashes: number[] = [];
  let started = false;
  const run = { module: options.module, transport: TransportKind.ipc };
  const client = new LanguageClient(
    "deltaflash",
    "Deltaflash",
    { run, debug: run },
    {
      documentSelector: [],
      outputChannel: options.log,
      progressOnInitialization: false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => {
          const now = Date.now();
          crashes.push(now);
          const willRestart = crashes.filter((at) => now - at < crashWindowMs).length <= mostCrashes;
          options.onCrash(willRestart);
          return { action: willRestart ? CloseAction.Restart : CloseAction.DoNotRestart, handled: true };
        },
      },
    },
  );
  client.onDidChangeState(({ newState }) => {
    if (newState !== State.Running) return;
    options.onRunning(started);
    started = true;
  });
  for (const name of Object.keys(notifications) as (keyof Notifications)[]) {
    client.onNotification(name, (params: Notifications[typeof name]) => options.onNotification(name, params));
  }
  await client.start();
  return {
    request: (name, params) => client.sendRequest(name, params),
    stop: () => client.dispose(),
  };
}
