/** One flash that the owner of a port was asked for: it waits, runs, and may have to make way. Knows no board. */
import type { Artifact } from "../build/artifact.ts";
import { FlashError } from "../core/errors.ts";
import type { Phase } from "../core/trace.ts";
import type { JobOptions } from "./job-options.ts";
import { failedBefore, type Report } from "./report.ts";
import type { BoardState } from "./views.ts";

export interface FlashRequest {
  /** Reads what is to be flashed; called before the port is touched. */
  artifact(): Promise<Artifact>;
  readonly options: JobOptions;
}

const superseded = "a newer flash of the same board has taken its place";

export class AskedFlash {
  readonly request: FlashRequest;
  readonly #hard = new AbortController();
  readonly #soft = new AbortController();
  readonly #settle: (report: Report) => void;
  /** Why it is stopped, when it is. */
  #reason: string | undefined;
  #hasWritten = false;
  #isResetting = false;

  constructor(request: FlashRequest, settle: (report: Report) => void) {
    this.request = request;
    this.#settle = settle;
  }

  /** Ends it at once. */
  get signal(): AbortSignal {
    return this.#hard.signal;
  }

  /** Ends it between two requests to the board. */
  get stop(): AbortSignal {
    return this.#soft.signal;
  }

  get isStopped(): boolean {
    return this.signal.aborted || this.stop.aborted;
  }

  /** Nobody waits for it any more but the one who asked for it. */
  get isSuperseded(): boolean {
    return this.#reason === superseded;
  }

  /** To be told of every phase that begins. */
  enter(phase: Phase): void {
    this.#hasWritten ||= phase === "erase" || phase === "write";
    this.#isResetting ||= phase === "reset";
  }

  /** Leaves board and port to a newer flash as soon as the loader waits for a request; a RAM program cannot be shared. */
  makeWay(): void {
    this.#reason = superseded;
    this.#soft.abort();
    if (this.request.options.ram) this.#hard.abort();
  }

  /** What writes ends between two requests; what does not, at once. */
  endSoon(reason: string): void {
    this.#reason = reason;
    this.#soft.abort();
    if (!this.#hasWritten && !this.#isResetting) this.#hard.abort();
  }

  endNow(): void {
    this.#hard.abort();
  }

  settle(report: Report): void {
    this.#settle(report);
  }

  /** Ends it before it began. */
  drop(port: string, reason = superseded): void {
    this.settle(failedBefore(port, new FlashError("cancelled", reason)));
  }

  /** A flash that was stopped for a reason says which. */
  withReason(report: Report): Report {
    if (this.#reason === undefined || report.error?.code !== "cancelled") return report;
    const half = this.#hasWritten ? "; it had begun to write, which the next flash completes" : "";
    return { ...report, error: { ...report.error, message: `${this.#reason}${half}` } };
  }
}

export function stateAfter({ error, result, totalMs }: Report): BoardState {
  if (error === null) return { kind: "done", result, totalMs };
  return { kind: "failed", code: error.code, message: error.message };
}
