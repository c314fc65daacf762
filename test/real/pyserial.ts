/** Runs small Python programs with pySerial (Debian package python3-serial), so that a second implementation judges ours. */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import type { Readable } from "node:stream";

/** Not `python3` from the PATH: that may be another one, without Debian's packages. */
const PYTHON = process.env["DELTAFLASH_TEST_PYTHON"] ?? "/usr/bin/python3";
const LIMIT_MS = 30_000;

export interface PythonProgram extends AsyncDisposable {
  readonly pid: number | undefined;
  /** The next line that the program prints. */
  line(): Promise<string>;
  /** Waits for the end; all that it printed. @throws when it failed */
  output(): Promise<string>;
}

export function runPython(program: string, ...parameters: string[]): PythonProgram {
  const child: ChildProcessByStdio<null, Readable, Readable> = spawn(PYTHON, ["-u", "-c", program, ...parameters], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  let taken = 0;
  let complaints = "";
  let wake: () => void = () => undefined;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
    wake();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaints += text));
  const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  void ended.then(() => {
    clearTimeout(timer);
    wake();
  });
  return {
    pid: child.pid,
    async line() {
      while (!printed.includes("\n", taken)) {
        if (child.exitCode !== null) throw new Error(`python ended: ${complaints}`);
        await new Promise<void>((resolve) => (wake = resolve));
      }
      const end = printed.indexOf("\n", taken);
      const line = printed.slice(taken, end);
      taken = end + 1;
      return line;
    },
    async output() {
      const status = await ended;
      if (status !== 0) throw new Error(`python ended with ${status ?? "a signal"}: ${printed}${complaints}`);
      return printed;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
