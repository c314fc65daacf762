/**
 * Sets modem lines on an open port where the serialport package cannot: a small helper process gets the open file and does
 * the one system call. Knows only Linux's ioctl.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { FlashError } from "../core/errors.ts";
import { withDeadline } from "./deadline.ts";
import type { ModemLines } from "./transport.ts";

/** Start of an interpreter on a slow machine, and one system call. */
const ANSWER_LIMIT_MS = 2_000;
/** TIOCMGET 0x5415, TIOCMSET 0x5418, TIOCM_DTR 2, TIOCM_RTS 4: linux/asm-generic/ioctls.h and termios.h. */
const PYTHON_PROGRAM = `
import fcntl, struct, sys
for line in sys.stdin:
    try:
        bits = struct.unpack("i", fcntl.ioctl(3, 0x5415, bytes(4)))[0]
        fcntl.ioctl(3, 0x5418, struct.pack("i", bits & ~6 | int(line)))
        print("ok", flush=True)
    except OSError as error:
        print(error.strerror, flush=True)
`;
const PERL_PROGRAM = `
$| = 1;
open(my $port, "+<&=", 3) or die;
while (my $line = <STDIN>) {
    my $bits = pack("i", 0);
    if (ioctl($port, 0x5415, $bits) && ioctl($port, 0x5418, my $new = pack("i", unpack("i", $bits) & ~6 | int($line)))) { print "ok\\n" }
    else { print "$!\\n" }
}
`;
const helpers = [
  { command: "perl", parameters: ["-e", PERL_PROGRAM] }, // starts faster
  { command: "python3", parameters: ["-I", "-S", "-c", PYTHON_PROGRAM] },
] as const;

export class LineHelper implements AsyncDisposable {
  readonly #child: ChildProcess;
  #answers = "";
  #wake: () => void = () => undefined;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#answers += text;
      this.#wake();
    });
    child.stdin?.on("error", () => this.#wake());
    child.once("exit", () => this.#wake());
  }

  /** @throws FlashError `refused` when this machine has neither Python nor Perl. */
  static async start(fileDescriptor: number): Promise<LineHelper> {
    for (const { command, parameters } of helpers) {
      const child = spawn(command, parameters, { stdio: ["pipe", "pipe", "ignore", fileDescriptor] });
      const started = await new Promise<boolean>((resolve) => {
        child.once("spawn", () => resolve(true));
        child.once("error", () => resolve(false));
      });
      if (started) return new LineHelper(child);
    }
    throw new FlashError("refused", "this kernel and port need a helper to move DTR and RTS, and none is installed", {
      remedy: "Install python3 or perl, or hold the boot button while you press reset.",
    });
  }

  /** @throws FlashError `disconnected` with the system's words when the call fails. */
  async set(lines: ModemLines): Promise<void> {
    this.#answers = "";
    this.#child.stdin?.write(`${(lines.dtr ? 2 : 0) | (lines.rts ? 4 : 0)}\n`);
    const answered = this.#answer();
    const late = () => new FlashError("timeout", `setting DTR and RTS took over ${ANSWER_LIMIT_MS / 1000} s`);
    const answer = await withDeadline(answered, ANSWER_LIMIT_MS, late);
    if (answer !== "ok") throw new FlashError("disconnected", `cannot set DTR and RTS (${answer})`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => this.#child.once("exit", () => resolve()));
    this.#child.kill("SIGKILL"); // it holds nothing but the port, which is to be closed now
    await ended;
  }

  async #answer(): Promise<string> {
    while (!this.#answers.includes("\n")) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) return "the helper ended";
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.#answers.trim();
  }
}
