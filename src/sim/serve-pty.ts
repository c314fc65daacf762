/** A simulated board behind a pty, so that programs which know serial ports only can open it. Linux. */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { FlashError } from "../core/errors.ts";
import { withDeadline } from "../transport/deadline.ts";
import { plainBytes } from "../transport/plain-bytes.ts";
import { PtyFrames, type PtyEvent } from "./pty-frames.ts";
import { ptyProgram } from "./pty-program.ts";
import type { BoardPump, ClientLink } from "./serve-pump.ts";

const START_LIMIT_MS = 10_000;
const END_LIMIT_MS = 2_000;

type Helper = ChildProcessByStdio<Writable, Readable, null>;

export interface OpenPty {
  /** Of the slave, `/dev/pts/5`. */
  readonly path: string;
  close(): Promise<void>;
}

/**
 * A pty has a bit rate and no modem lines. `lost` is called when the helper ends by itself.
 * @throws FlashError `refused` where there are no such ptys, or no python3 for the helper.
 */
export async function openPty(pump: BoardPump, lost: (reason: FlashError) => void): Promise<OpenPty> {
  if (process.platform !== "linux") {
    throw new FlashError("refused", "simulated boards behind a pty need Linux", {
      remedy: "Use --listen rfc2217://127.0.0.1:0 or tcp://127.0.0.1:0.",
    });
  }
  const helper: Helper = spawn("python3", ["-I", "-S", "-c", ptyProgram], { stdio: ["pipe", "pipe", "inherit"] });
  helper.stdin.on("error", () => undefined); // "exit" follows
  const path = pathOf(helper, pump);
  const late = () => new FlashError("refused", `the pty helper did not start within ${START_LIMIT_MS / 1000} s`);
  try {
    const opened = { path: await withDeadline(path, START_LIMIT_MS, late), close: () => endHelper(helper) };
    helper.once("exit", () => lost(new FlashError("disconnected", "the helper that owns the pty ended")));
    return opened;
  } catch (error) {
    await endHelper(helper);
    throw error;
  }
}

/** Joins the helper to the pump and waits for its first word. */
function pathOf(helper: Helper, pump: BoardPump): Promise<string> {
  return new Promise((resolve, reject) => {
    helper.once("error", (cause) => reject(startFailure(cause)));
    helper.once("exit", (code) => reject(new FlashError("refused", `the pty helper ended with ${code ?? "a signal"}`)));
    const link: ClientLink = {
      send: (bytes) => helper.stdin.write(bytes),
      backlogBytes: () => helper.stdin.writableLength,
      holdInput: (hold) => {
        if (hold) helper.stdout.pause();
        else helper.stdout.resume();
      },
    };
    const frames = new PtyFrames();
    helper.stdout.on("data", (bytes: Buffer) => {
      for (const event of frames.feed(plainBytes(bytes))) {
        if (event.kind === "path") resolve(event.path);
        else handle(event, pump, link);
      }
    });
  });
}

function handle(event: Exclude<PtyEvent, { kind: "path" }>, pump: BoardPump, link: ClientLink): void {
  switch (event.kind) {
    case "opened":
      pump.attach(link);
      break;
    case "closed":
      pump.detach(link);
      break;
    case "rate":
      if (event.baud > 0) pump.setBaudRate(event.baud); // B0 means "hang up", not "no rate"
      break;
    case "data":
      pump.receive(event.bytes);
      break;
  }
}

async function endHelper(helper: Helper): Promise<void> {
  if (helper.pid === undefined || helper.exitCode !== null || helper.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => helper.once("exit", () => resolve()));
  helper.stdout.resume();
  helper.stdin.end();
  const timer = setTimeout(() => helper.kill("SIGKILL"), END_LIMIT_MS);
  await ended;
  clearTimeout(timer);
}

function startFailure(cause: NodeJS.ErrnoException): FlashError {
  const message =
    cause.code === "ENOENT" ? "a pty needs python3, which is not installed" : `cannot start python3 (${cause.message})`;
  return new FlashError("refused", message, {
    cause,
    remedy: "Install python3 (`apt install python3`), or use --listen tcp://127.0.0.1:0.",
  });
}
