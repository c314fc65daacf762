/** A program that serves us: started without a shell, its last words kept, ended by its process id. Knows nothing of GDB. */
import { spawn, type ChildProcess } from "node:child_process";
import type { Clock } from "../core/clock.ts";

/** What a program has to end when it is asked to, before it is made to. */
const gentleMs = 500;
/** For words that are still on their way when it has ended. */
const lastWordsMs = 200;
const MAX_LINES = 40;
const MAX_LINE = 300;
/** Of what it says until it is ready; more is looked at no further. */
const MAX_TEXT = 256 * 1024;

export interface ProcessParts {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly clock: Clock;
  /** Every line while it starts; later ones are kept only. */
  log(line: string): void;
}

export class ServerProcess {
  /** Resolves with how it ended. Never rejects. */
  readonly ended: Promise<string>;
  readonly #parts: ProcessParts;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  #text = "";
  #rest = "";
  #isStarting = true;
  #end: string | undefined;

  /** A command that is not there has ended at once. */
  constructor(parts: ProcessParts) {
    this.#parts = parts;
    const { command, args, cwd } = parts;
    // A group of its own: what it starts ends with it, and a Ctrl+C for us does not take the server from a flash that is ending.
    const own = { detached: process.platform !== "win32", windowsHide: true };
    this.#child = spawn(command, args, { cwd, shell: false, stdio: ["ignore", "pipe", "pipe"], ...own });
    process.once("exit", this.#killNow);
    this.ended = new Promise((resolve) => {
      const end = (how: string) => {
        this.#end ??= how;
        this.#flushRest();
        process.off("exit", this.#killNow);
        resolve(this.#end);
      };
      this.#child.once("error", (error: NodeJS.ErrnoException) => end(startProblem(error, parts)));
      this.#child.once("exit", (code, signal) => {
        this.#signal("SIGKILL"); // what it started and left behind
        const how = signal === null ? `ended with exit code ${code ?? 0}` : `was ended by ${signal}`;
        this.#child.once("close", () => end(how)); // its last words are read by then
        void parts.clock.sleep(lastWordsMs).then(() => end(how));
      });
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => this.#hear(text));
      stream?.on("error", () => undefined);
    }
  }

  /** Undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** How it ended; undefined while it runs. */
  get end(): string | undefined {
    return this.#end;
  }

  /** What it said while it started. */
  get text(): string {
    return this.#text;
  }

  /** The last lines that say something, those about errors first choice; empty when it said nothing. */
  lastWords(most = 3): string {
    const lines = this.#lines.filter((line) => /\w/.test(line));
    const complaints = lines.filter((line) =>
      /\b(error|fail(ed|ure)?|unable|cannot|can't|no|not|invalid)\b/i.test(line),
    );
    return (complaints.length > 0 ? complaints : lines).slice(-most).join("; ");
  }

  /** The last line that matches any of them. */
  lastOf(patterns: readonly RegExp[]): string | undefined {
    return this.#lines.findLast((line) => patterns.some((pattern) => pattern.test(line)));
  }

  /** Whether any of the last lines matches. */
  said(pattern: RegExp): boolean {
    return this.#lines.some((line) => pattern.test(line));
  }

  /** From now on its lines are kept but not logged. */
  hasStarted(): void {
    this.#isStarting = false;
  }

  /** Ends it and what it started. Resolves when it is gone, or cannot be got rid of. Never rejects. */
  async stop(): Promise<void> {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      if (this.#end !== undefined) return;
      this.#signal(signal);
      const enough = new AbortController();
      const late = this.#parts.clock.sleep(gentleMs, enough.signal).catch(() => undefined);
      await Promise.race([this.ended, late]);
      enough.abort();
    }
  }

  readonly #killNow = (): void => this.#signal("SIGKILL");

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      if (process.platform === "win32") this.#child.kill(signal);
      else process.kill(-pid, signal); // the group that was made for it
    } catch {
      // It is gone already.
    }
  }

  #hear(text: string): void {
    if (this.#isStarting && this.#text.length < MAX_TEXT) this.#text += text;
    const lines = (this.#rest + text).split(/\r?\n/);
    this.#rest = (lines.pop() ?? "").slice(-MAX_LINE);
    for (const line of lines) this.#keep(line);
  }

  #flushRest(): void {
    if (this.#rest !== "") this.#keep(this.#rest);
    this.#rest = "";
  }

  #keep(line: string): void {
    const short = line.slice(0, MAX_LINE).trimEnd();
    if (this.#isStarting && short !== "") this.#parts.log(short);
    this.#lines.push(short);
    if (this.#lines.length > MAX_LINES) this.#lines.shift();
  }
}

function startProblem(error: NodeJS.ErrnoException, { command, cwd }: ProcessParts): string {
  if (error.code === "ENOENT") return `cannot be started: there is no program ${command} (or no folder ${cwd})`;
  if (error.code === "EACCES") return `cannot be started: ${command} may not be run`;
  return `cannot be started: ${error.message}`;
}

/** For what ended before it ran. */
export function isNotThere(end: string | undefined): boolean {
  return end?.startsWith("cannot be started") === true;
}
