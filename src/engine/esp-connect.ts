/** A connection to an ESP board that can be made ahead of the job that uses it, and be handed over. Opens and closes no port. */
import type { Clock } from "../core/clock.ts";
import type { TraceRecorder } from "../core/trace.ts";
import type { ResetWay } from "../targets/esp/reset.ts";
import { connectEsp, type EspFindings } from "../targets/esp/target.ts";
import type { Context, MemorySession } from "../targets/target.ts";
import type { SerialTransport } from "../transport/transport.ts";
import type { History } from "./history.ts";

export interface EspConnectWishes {
  /** undefined: 921600, or what worked on this port last time; 115200 where the port cannot follow a change. */
  readonly baud: number | undefined;
  readonly useStub: boolean;
  readonly officialStub?: boolean;
  /** The name in the table of chips; another one is refused. */
  readonly expectedChip: string | undefined;
  /** Bytes of the flash chip, where the user says so. */
  readonly flashBytes: number | undefined;
}

export interface EspConnection {
  readonly transport: SerialTransport;
  readonly session: MemorySession;
  readonly findings: EspFindings;
  /** Time, trace, cancellation and progress go to whoever was given the connection last. */
  readonly context: HandedContext;
}

export const usualBaud = 921_600;
/** For the report, where `findings.usesOtherStub`. */
export const otherStubNote =
  "Deltaflash's own stub did not run on this board; Espressif's stub was used instead, which takes no patches.";

/** @throws FlashError as `connectEsp` does */
export async function connectThrough(
  transport: SerialTransport,
  context: Context,
  wishes: EspConnectWishes,
  memory: { readonly port: string; readonly history: History },
): Promise<EspConnection> {
  const { history, port } = memory;
  const hints = await history.portHints(port);
  const remembered = new Map((await history.boards()).map((board) => [board.identity, board.flashId]));
  const handed = new HandedContext(context);
  const follows = transport.hasModemLines || !transport.name.startsWith("tcp:");
  const { session, findings } = await connectEsp(transport, handed, {
    baud: wishes.baud ?? (follows ? (hints.baud ?? usualBaud) : 115_200),
    useStub: wishes.useStub,
    officialStub: wishes.officialStub ?? false,
    expectedChip: wishes.expectedChip,
    resetWay: hints.resetWay as ResetWay | undefined,
    flashBytes: wishes.flashBytes,
    failedStub: hints.failedStub,
    recallFlashId: (identity) => remembered.get(identity),
  });
  return { transport, session, findings, context: handed };
}

/** A context that stands for another one, which can be exchanged between two requests to the board. */
export class HandedContext implements Context {
  #holder: Context;

  constructor(holder: Context) {
    this.#holder = holder;
  }

  handTo(holder: Context): void {
    this.#holder = holder;
  }

  get clock(): Clock {
    return this.#holder.clock;
  }

  get signal(): AbortSignal {
    return this.#holder.signal;
  }

  get stop(): AbortSignal | undefined {
    return this.#holder.stop;
  }

  get trace(): TraceRecorder {
    return this.#holder.trace;
  }

  onProgress(bytes: number): void {
    this.#holder.onProgress(bytes);
  }

  log(line: string): void {
    this.#holder.log(line);
  }
}
