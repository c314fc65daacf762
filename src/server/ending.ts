/**
 * Every way in which the server is told to end: shutdown and exit, a front end that is gone, a signal. In each of them running flashes
 * end between two requests to their boards, the journal is written and the ports are closed first, all within a deadline.
 */
import {
  createConnection,
  IPCMessageReader,
  IPCMessageWriter,
  ProposedFeatures,
  StreamMessageReader,
  StreamMessageWriter,
  type Connection,
} from "vscode-languageserver/node";
import { systemClock } from "../engine/system-clock.ts";

/** The client kills the server 2 s after it asked it to stop, so that everything must be over by then. */
const longestStopMs = 1_500;

const signals = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

export class Ending {
  #close: () => Promise<void> = () => Promise.resolve();
  #over: Promise<void> | undefined;

  /** What is to be done before the end; it is called once at most. */
  before(close: () => Promise<void>): void {
    this.#close = close;
  }

  /** Resolves when all is closed, or when that takes too long. Never rejects. */
  begin(): Promise<void> {
    return (this.#over ??= withinDeadline(this.#close().catch(() => undefined)));
  }

  /** Ends the process; whoever told it so waits for no answer. */
  end(): void {
    void this.begin().then(() => process.exit(0));
  }
}

/**
 * The wire to the front end: the channel of a forked process, or standard input and output. The library itself would end the process
 * in the middle of everything when the front end is gone; here it is `ending` that ends it.
 */
export function connectFrontEnd(ending: Ending): Connection {
  for (const signal of signals) process.on(signal, () => ending.end());
  process.stderr.on("error", () => undefined); // a front end that is gone reads no complaints
  const messageStrategy = {
    handleMessage: (
      message: { readonly jsonrpc: string; readonly method?: string },
      next: (message: never) => void,
    ) => {
      if (message.method === "exit") void ending.begin().then(() => next(message as never));
      else next(message as never);
    },
  };
  if (process.argv.includes("--node-ipc")) {
    process.on("disconnect", () => ending.end());
    const wire = [new IPCMessageReader(process), new IPCMessageWriter(process)] as const;
    return createConnection(ProposedFeatures.all, ...wire, { messageStrategy });
  }
  process.stdin.on("end", () => ending.end()).on("close", () => ending.end());
  process.stdout.on("error", () => ending.end());
  const wire = [new StreamMessageReader(process.stdin), new StreamMessageWriter(process.stdout)] as const;
  return createConnection(ProposedFeatures.all, ...wire, { messageStrategy });
}

async function withinDeadline(work: Promise<void>): Promise<void> {
  const enough = new AbortController();
  const late = systemClock.sleep(longestStopMs, enough.signal).catch(() => undefined);
  await Promise.race([work, late]);
  enough.abort();
}
