/** Servers and clients that are not ours: started on a free port, watched, and killed by their own process id. */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";

/** Long enough for a machine that is busy with other things. */
const startMs = 15_000;
const tries = 5;

export class Program implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #name: string;
  #printed = "";
  #complaints = "";
  #wake: () => void = () => undefined;
  readonly #ended: Promise<unknown>;

  constructor(command: string, args: readonly string[], env: Record<string, string> = {}) {
    this.#name = command;
    this.#child = spawn(command, args, { env: { ...process.env, ...env } });
    this.#ended = once(this.#child, "close").then(
      () => this.#wake(),
      (error: unknown) => {
        this.#complaints += String(error);
        this.#wake();
      },
    );
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#printed += text;
      this.#wake();
    });
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#complaints += text;
      this.#wake();
    });
  }

  /** Everything on standard output up to now. */
  get printed(): string {
    return this.#printed;
  }

  /** Everything on standard error up to now. */
  get complaints(): string {
    return this.#complaints;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined;
  }

  /** Drops what was printed up to now, so that a later line is surely a new one. */
  forget(): void {
    this.#printed = "";
  }

  /** @throws when the program ends or `limitMs` are over before; the message holds what the program said */
  async until(isThere: () => boolean, what: string, limitMs = startMs): Promise<void> {
    const endMs = performance.now() + limitMs;
    while (!isThere()) {
      const leftMs = endMs - performance.now();
      if (leftMs <= 0 || this.hasEnded)
        throw new Error(
          `${this.#name}: no ${what}${this.hasEnded ? ", it ended" : ` within ${limitMs} ms`}. ${this.#said()}`,
        );
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(leftMs, 100));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** The first whole line of output that holds `part`. */
  async line(part: string, limitMs?: number): Promise<string> {
    const lines = (): string[] => this.#printed.split(/\r?\n/).slice(0, -1);
    await this.until(() => lines().some((line) => line.includes(part)), `line with "${part}"`, limitMs);
    return lines().find((line) => line.includes(part)) ?? "";
  }

  /** The exit code, -1 after a signal. @throws when it does not end in time */
  async exit(limitMs: number): Promise<number> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), limitMs);
    await this.#ended;
    clearTimeout(timer);
    return this.#child.exitCode ?? -1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  #said(): string {
    return `It printed: ${JSON.stringify(this.#printed)} and complained: ${JSON.stringify(this.#complaints)}`;
  }
}

/** Free at this moment: somebody else may take it before it is used, so whoever uses it tries again. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Starts on a free port, and on another one when the first was taken in the meantime. */
export async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(await freePort());
    } catch (error) {
      if (attempt === tries || !/in use|bind/i.test(String(error))) throw error;
    }
  }
}

/** Whether somebody listens there. The connection is closed at once. */
export async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    return await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
  } finally {
    socket.destroy();
  }
}
