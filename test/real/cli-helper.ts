/** Runs the bundled command line as its users do: as a process of its own, with a state folder of its own. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject } from "vitest";
import type { Report } from "../../src/engine/report.ts";

/** No command may take longer, whatever happens to its board. */
const HANG_MS = 90_000;
const START_MS = 15_000;

export interface Ran {
  /** -1 when it hung and was killed. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with everything that stood on standard error so far, whenever there is more. */
  onStderr?(text: string, child: ChildProcess): void;
}

/** A folder for one test: the state, and files. */
export class Desk implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "deltaflash-cli-test-"));
  readonly #sims: Sim[] = [];

  path(...names: readonly string[]): string {
    return join(this.folder, ...names);
  }

  /** `deltaflash …` until it ends. */
  run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const child = this.#start(args, options);
    return ended(child, options);
  }

  /** `deltaflash flash …` with its report, which is all that may stand on standard output. */
  async flash(args: readonly string[], options: RunOptions = {}): Promise<Ran & { readonly report: Report }> {
    const ran = await this.run(["flash", ...args, "--json", "-"], options);
    return { ...ran, report: JSON.parse(ran.stdout) as Report };
  }

  /** `deltaflash sim …` that has begun to listen. */
  async sim(args: readonly string[]): Promise<Sim> {
    const sim = await Sim.listening(this.#start(["sim", ...args], {}));
    this.#sims.push(sim);
    return sim;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#sims.map((sim) => sim.stop()));
    rmSync(this.folder, { recursive: true, force: true });
  }

  #start(args: readonly string[], { cwd, env }: RunOptions): ChildProcess {
    const state = { DELTAFLASH_STATE: this.path("state") };
    return spawn(process.execPath, [inject("cli"), ...args], {
      cwd: cwd ?? process.cwd(),
      env: { ...process.env, ...state, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
  }
}

export class Sim {
  /** What stands behind `listening`. */
  readonly address: string;
  readonly #child: ChildProcess;
  readonly #end: Promise<Ran>;

  private constructor(child: ChildProcess, address: string, end: Promise<Ran>) {
    this.#child = child;
    this.address = address;
    this.#end = end;
  }

  static async listening(child: ChildProcess): Promise<Sim> {
    let first = "";
    const address = new Promise<string>((resolve) => {
      child.stdout?.on("data", (bytes: Buffer) => {
        first += bytes.toString();
        const match = /^listening (\S+)\n/.exec(first);
        if (match?.[1] !== undefined) resolve(match[1]);
      });
    });
    const end = ended(child, {}, 0);
    const over = end.then((ran) => Promise.reject(new Error(`the simulated board ended: ${ran.stderr}`)));
    const late = new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error(`no address within ${START_MS} ms`)), START_MS).unref();
    });
    over.catch(() => undefined);
    return new Sim(child, await Promise.race([address, over, late]), end);
  }

  /** Its end by itself. */
  get ended(): Promise<Ran> {
    return this.#end;
  }

  stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Ran> {
    this.#child.kill(signal);
    return this.#end;
  }
}

/** @param limitMs 0 = none */
export function ended(child: ChildProcess, options: RunOptions = {}, limitMs = HANG_MS): Promise<Ran> {
  const startMs = performance.now();
  const out = { stdout: "", stderr: "" };
  child.stdout?.on("data", (bytes: Buffer) => (out.stdout += bytes.toString()));
  child.stderr?.on("data", (bytes: Buffer) => {
    out.stderr += bytes.toString();
    options.onStderr?.(out.stderr, child);
  });
  return new Promise((resolve, reject) => {
    const timer = limitMs > 0 ? setTimeout(() => child.kill("SIGKILL"), limitMs) : undefined;
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? -1, ...out, ms: performance.now() - startMs });
    });
  });
}

export const meter = {
  base: "test/fixtures/firmware/meter-esp32c3-base.elf.gz",
  const: "test/fixtures/firmware/meter-esp32c3-const.elf.gz",
} as const;
