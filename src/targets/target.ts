/** What every family of boards offers to the engine, whatever the wire looks like. */
import type { Clock } from "../core/clock.ts";
import type { Digest, DigestFunction } from "../core/digest.ts";
import type { FlashMap } from "../core/flash-map.ts";
import type { Address, Range } from "../core/image.ts";
import type { FlashCosts, MemoryStep, WriteStep } from "../core/plan.ts";
import type { TraceRecorder } from "../core/trace.ts";

/** Time, cancellation, progress and the trace: the only things that cross every floor. */
export interface Context {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly trace: TraceRecorder;
  /** Bytes of target memory that were just written; the sum over a job is the plan's `bytesToWrite`. */
  onProgress(bytes: number): void;
  /** One line for --verbose. */
  log(line: string): void;
}

/** A board whose memory can be read in digests and written in sectors. Closing it (`await using`) leaves the port to its owner. */
export interface MemorySession {
  readonly kind: "memory";
  /** The catalogue's name: `esp32c3`. */
  readonly chip: string;
  /** Stays the same whatever port the board hangs on: the MAC for ESP chips, `60:55:f9:00:00:01`. */
  readonly identity: string;
  /** The flash chip, all of it. */
  readonly map: FlashMap;
  readonly costs: FlashCosts;
  /** How this board digests memory; what it answers compares with this. */
  readonly digestOf: DigestFunction;
  /** True when digests of many small ranges cost no more than one of them all. */
  readonly digestsBySector: boolean;
  /**
   * What the device says stands in each range, in the order asked.
   * @throws FlashError `refused` when the board cannot tell
   */
  digests(ranges: readonly Range[]): Promise<readonly Digest[]>;
  /** Reads memory back. For small ranges: a sector at most is the intent. */
  read(range: Range): Promise<Uint8Array>;
  /** Carries out one step of a plan; returns when the device has done it. */
  run(step: MemoryStep): Promise<void>;
  /**
   * Carries out all writes of a plan, checked before the erase and after, so that no step to verify is needed. Only boards that can
   * make new sectors out of what they hold.
   */
  patch?(work: PatchWork): Promise<void>;
  /** Starts the program that is in the flash. The session is over. */
  reset(): Promise<void>;
}

export interface PatchWork {
  readonly writes: readonly WriteStep[];
  /** What the record says the board holds, sorted, by sectors. It may be wrong: then more goes over the wire, nothing else. */
  readonly old: readonly { readonly address: Address; readonly data: Uint8Array }[];
  /** As soon as it aborts nothing further is begun. */
  readonly stop: AbortSignal | undefined;
  /** Told of every part that was written and read back rightly, in whatever order. */
  onWritten(range: Range, erasedBytes: number): void;
  /** A sentence for the user about something that went well only after all. */
  note(text: string): void;
}
