/** What one flash did and where its time went: the object that `--json` prints. Scripts rely on its names. */
import type { Transport } from "../transport/transport.ts";
import type { FlashError, FlashErrorCode } from "../core/errors.ts";
import type { Span, Trace } from "../core/trace.ts";

export type FlashOutcome = "flashed" | "unchanged" | "loaded" | "planned" | "failed";

export interface Report {
  readonly version: 1;
  /** The catalogue's name of the board, or of its chip where only that is known; "" before the connection. */
  readonly board: string;
  readonly chip: string;
  readonly identity: string;
  readonly port: string;
  readonly result: FlashOutcome;
  readonly error: { readonly code: FlashErrorCode; readonly message: string; readonly remedy: string } | null;
  /** Milliseconds from the start to the reset into the program. */
  readonly totalMs: number;
  readonly spans: readonly Span[];
  /** The image on this board: bytes of contents and sectors that hold them. */
  readonly image: { readonly bytes: number; readonly sectors: number };
  /** What was really written; with `planned` what would be. */
  readonly written: { readonly bytes: number; readonly sectors: number; readonly erasedBytes: number };
  readonly wire: { readonly sentBytes: number; readonly receivedBytes: number; readonly roundTrips: number };
  /** What the board waited for while it wrote, milliseconds in all; only where the board tells. */
  readonly waits?: { readonly wireMs: number; readonly flashMs: number };
  /** Expected duration of erase, write and verify; with `planned` only. */
  readonly estimateMs?: number;
  /** Sentences that the user should read although the flash went well. */
  readonly notes: readonly string[];
}

export function errorOf(error: FlashError): NonNullable<Report["error"]> {
  return { code: error.code, message: error.message, remedy: error.remedy };
}

export function traceOf(report: Report): Trace {
  return { totalMs: report.totalMs, spans: report.spans };
}

/** What went wrong before the port was touched is reported in the same shape. */
export function failedBefore(port: string, error: FlashError): Report {
  return {
    version: 1,
    board: "",
    chip: "",
    identity: "",
    port,
    result: "failed",
    error: errorOf(error),
    totalMs: 0,
    spans: [],
    image: { bytes: 0, sectors: 0 },
    written: { bytes: 0, sectors: 0, erasedBytes: 0 },
    wire: { sentBytes: 0, receivedBytes: 0, roundTrips: 0 },
    notes: [],
  };
}

/** What went over the wire from now on, whenever it is asked. */
export function wireSince({ counters }: Transport): () => Report["wire"] {
  const before = { ...counters };
  return () => ({
    sentBytes: counters.sentBytes - before.sentBytes,
    receivedBytes: counters.receivedBytes - before.receivedBytes,
    roundTrips: counters.roundTrips - before.roundTrips,
  });
}
