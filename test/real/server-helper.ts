/** Runs the bundled server as an editor does: a process of its own, messages over stdio, a state folder of its own. */
import { fork, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createMessageConnection,
  IPCMessageReader,
  IPCMessageWriter,
  StreamMessageReader,
  StreamMessageWriter,
  type MessageConnection,
} from "vscode-languageserver/node";
import type { Notifications, Requests } from "../../src/server/protocol.ts";

/** No request may take longer, whatever happens to its board. */
const HANG_MS = 20_000;

/** Bundles as for the extension, into a folder without any packages, as users have it. @returns the bundle, and how to remove it */
export function bundleServer(): { readonly path: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "deltaflash-server-"));
  const { status } = spawnSync(process.execPath, ["esbuild.mjs", "--extension", folder], { stdio: "inherit" });
  if (status !== 0) throw new Error("the server could not be bundled");
  return { path: join(folder, "dist/server.cjs"), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

type Told = {
  [Name in keyof Notifications]: { readonly name: Name; readonly params: Notifications[Name] };
}[keyof Notifications];

export interface ServerOptions {
  /** Default: stdio. The editor uses ipc. */
  readonly wire?: "stdio" | "ipc";
  readonly nodeOptions?: string;
}

export class Server implements AsyncDisposable {
  /** Everything that the server has told, in order. */
  readonly told: Told[] = [];
  readonly ended: Promise<number | null>;
  stderr = "";
  readonly #child: ChildProcess;
  readonly #connection: MessageConnection;
  readonly #watchers = new Set<() => void>();

  constructor(bundle: string, stateFolder: string, { wire, nodeOptions }: ServerOptions) {
    const env = { ...process.env, DELTAFLASH_STATE: stateFolder, NODE_OPTIONS: nodeOptions ?? "" };
    if (wire === "ipc") {
      const child = fork(bundle, ["--node-ipc"], { env, silent: true });
      child.on("error", () => undefined); // a server that was killed takes no more
      this.#connection = createMessageConnection(new IPCMessageReader(child), new IPCMessageWriter(child));
      this.#child = child;
    } else {
      const child = spawn(process.execPath, [bundle, "--stdio"], { env, stdio: "pipe" });
      child.stdin.on("error", () => undefined);
      this.#connection = createMessageConnection(
        new StreamMessageReader(child.stdout),
        new StreamMessageWriter(child.stdin),
      );
      this.#child = child;
    }
    this.#child.stderr?.on("data", (bytes: Buffer) => (this.stderr += bytes.toString()));
    // A channel that was cut from this side is never closed for Node.
    this.ended = new Promise((resolve) => this.#child.once(wire === "ipc" ? "exit" : "close", resolve));
    this.#connection.onNotification((name: string, params: unknown) => {
      this.told.push({ name, params } as Told);
      for (const watcher of this.#watchers) watcher();
    });
    this.#connection.onError(() => undefined);
    this.#connection.listen();
  }

  static async started(bundle: string, stateFolder: string, options: ServerOptions = {}): Promise<Server> {
    const server = new Server(bundle, stateFolder, options);
    const dead = server.ended.then((code) =>
      Promise.reject(new Error(`the server ended: ${code ?? ""} ${server.stderr}`)),
    );
    dead.catch(() => undefined);
    const request = server.#connection.sendRequest("initialize", {
      processId: process.pid,
      rootUri: null,
      capabilities: {},
    });
    await within(Promise.race([request, dead]));
    await server.#connection.sendNotification("initialized", {});
    return server;
  }

  request<Name extends keyof Requests>(name: Name, params: Requests[Name][0]): Promise<Requests[Name][1]> {
    return within(this.#connection.sendRequest<Requests[Name][1]>(name, params));
  }

  /** A request that may take longer than others. */
  ask<Name extends keyof Requests>(name: Name, params: Requests[Name][0], limitMs: number): Promise<Requests[Name][1]> {
    return within(this.#connection.sendRequest<Requests[Name][1]>(name, params), limitMs);
  }

  nudge(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Of one kind, in order. */
  of<Name extends keyof Notifications>(name: Name): readonly Notifications[Name][] {
    return this.told.flatMap((one) => (one.name === name ? [one.params as Notifications[Name]] : []));
  }

  /** All text of the monitor so far. */
  get monitorText(): string {
    return this.of("deltaflash/monitor/data")
      .map((data) => data.text)
      .join("");
  }

  /** Resolves as soon as `condition` holds after something was told. */
  until(condition: () => boolean): Promise<void> {
    const met = new Promise<void>((resolve) => {
      const watcher = () => {
        if (!condition()) return;
        this.#watchers.delete(watcher);
        resolve();
      };
      this.#watchers.add(watcher);
      watcher();
    });
    return within(met);
  }

  /** As an editor ends it. @returns milliseconds until the answer to `shutdown` */
  async stop(): Promise<number> {
    const startMs = performance.now();
    await within(this.#connection.sendRequest("shutdown"));
    const tookMs = performance.now() - startMs;
    await this.#connection.sendNotification("exit");
    await within(this.ended);
    return tookMs;
  }

  /** As an editor that was killed ends it: nobody writes and nobody reads any more. @returns milliseconds until it has ended */
  async abandon(): Promise<number> {
    const startMs = performance.now();
    if (this.#child.connected) this.#child.disconnect();
    this.#child.stdin?.destroy();
    this.#child.stdout?.destroy();
    await within(this.ended);
    return performance.now() - startMs;
  }

  /** @returns milliseconds until it has ended */
  async signal(signal: NodeJS.Signals): Promise<number> {
    const startMs = performance.now();
    this.#child.kill(signal);
    await within(this.ended);
    return performance.now() - startMs;
  }

  /** `exit` without `shutdown`. @returns milliseconds until it has ended */
  async exit(): Promise<number> {
    const startMs = performance.now();
    await this.#connection.sendNotification("exit");
    await within(this.ended);
    return performance.now() - startMs;
  }

  /** As a crash ends it. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection.dispose();
    await this.kill();
    if (/unhandledRejection|uncaughtException/.test(this.stderr)) throw new Error(this.stderr);
  }
}

async function within<T>(work: Promise<T>, limitMs = HANG_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came within ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
