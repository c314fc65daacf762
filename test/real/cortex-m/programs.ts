/** Servers and clients that are not ours: started on a free port, watched, and killed by their own process id. */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { Console } from "./console.ts";

/** Long enough for a machine that is busy with other things. */
const startMs = 15_000;
const tries = 5;

export class Program implements AsyncDisposable {
  /** Its standard output. */
  readonly output = new Console();
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #name: string;
  #complaints = "";
  readonly #ended: Promise<void>;

  constructor(command: string, args: readonly string[]) {
    this.#name = command;
    this.#child = spawn(...dyingWithUs(command, args));
    this.#ended = new Promise((resolve) => {
      this.#child.once("close", resolve);
      this.#child.once("error", (error) => {
        this.#complaints += error.message;
        resolve();
      });
    });
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => this.output.push(text));
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#complaints += text;
      this.output.wake();
    });
  }

  /** Everything on standard error up to now. */
  get complaints(): string {
    return this.#complaints;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined;
  }

  /** @throws when the program ends before, or does not come to it in time; the message holds what it complained about */
  async until(isThere: () => boolean, what: string, limitMs = startMs): Promise<void> {
    try {
      await this.output.until(() => this.hasEnded || isThere(), what, limitMs);
    } catch (error) {
      throw new Error(`${this.#name}: ${String(error)} ${this.#complaints}`, { cause: error });
    }
    if (!isThere()) throw new Error(`${this.#name} ended: ${this.output.printed} ${this.#complaints}`);
  }

  /** Waits for its end by itself, and kills it when that does not come. */
  async exit(limitMs: number): Promise<void> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), limitMs);
    await this.#ended;
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}

/** A test run that is killed leaves no servers behind: Linux sends them the same. The process stays the one that was started. */
function dyingWithUs(command: string, args: readonly string[]): [string, readonly string[]] {
  return process.platform === "linux" ? ["setpriv", ["--pdeathsig", "KILL", command, ...args]] : [command, args];
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

/** Starts on a free port, and on another one when the first was taken in the meantime. @param choose of free ports */
export async function onFreePort<T>(start: (port: number) => Promise<T>, choose = freePort): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(await choose());
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
