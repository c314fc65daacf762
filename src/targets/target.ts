/** What every family of boards offers to the engine, whatever the wire looks like. */
import type { Clock } from "../core/clock.ts";
import type { DeltaPlanner } from "../core/delta.ts";
import type { Digest, DigestFunction } from "../core/digest.ts";
import { FlashError } from "../core/errors.ts";
import type { FlashMap } from "../core/flash-map.ts";
import type { Address, Range } from "../core/image.ts";
import type { FlashCosts, MemoryStep, WriteStep } from "../core/plan.ts";
import type { TraceRecorder } from "../core/trace.ts";

/** Time, cancellation, progress and the trace: the only things that cross every floor. */
export interface Context {
  readonly clock: Clock;
  /** Ends the job at once, in the middle of whatever it waits for. */
  readonly signal: AbortSignal;
  /** Ends the job where the loader waits for its next request, so that somebody else can go on with the connection. */
  readonly stop?: AbortSignal | undefined;
  readonly trace: TraceRecorder;
  /** Bytes of target memory that were just written; the sum over a job is the plan's `erasedBytes`. */
  onProgress(bytes: number): void;
  /** One line for --verbose. */
  log(line: string): void;
}

/** The job was asked to stop, and the loader waits for its next request. */
export class StoppedBetweenRequests extends FlashError {
  /** Bytes of the write step under way that the device has written for certain: whole sectors from its start. */
  readonly writtenBytes: number;

  constructor(writtenBytes = 0) {
    super("cancelled", "the flash was cancelled");
    this.writtenBytes = writtenBytes;
  }
}

/** To be called where the loader waits for a request. @throws StoppedBetweenRequests */
export function checkStop({ stop }: Context): void {
  if (stop?.aborted === true) throw new StoppedBetweenRequests();
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
  /** True when a digest of many sectors that are expected to be right is still cheaper than one of each. */
  readonly confirmsByRun?: boolean;
  /**
   * What the device says stands in each range, in the order asked.
   * @throws FlashError `refused` when the board cannot tell
   */
  digests(ranges: readonly Range[]): Promise<readonly Digest[]>;
  /** Reads memory back. For small ranges: a sector at most is the intent. */
  read(range: Range): Promise<Uint8Array>;
  /** Carries out one step of a plan; returns when the device has done it. `next` can be got ready meanwhile. */
  run(step: MemoryStep, next?: MemoryStep): Promise<void>;
  /**
   * Carries out all writes of a plan, checked before the erase and after, so that no step to verify is needed. Only boards that can
   * make new sectors out of what they hold.
   * @throws StoppedBetweenRequests when the context said so; then nothing is half written
   */
  patch?(work: PatchWork): Promise<void>;
  /** Does what every write would have to begin with, as long as nobody waits. */
  getReady?(): Promise<void>;
  /** Starts the program that is in the flash. The session is over. */
  reset(): Promise<void>;
}

export interface PatchWork {
  readonly writes: readonly WriteStep[];
  /** What the record says the board holds, sorted, by sectors. It may be wrong: then more goes over the wire, nothing else. */
  readonly old: readonly { readonly address: Address; readonly data: Uint8Array }[];
  readonly planDelta: DeltaPlanner;
  /** Told of every part that was written and read back rightly, in whatever order. */
  onWritten(range: Range, erasedBytes: number): void;
  /** A sentence for the user about something that went well only after all. */
  note(text: string): void;
}
