/** What a flash of a board with memory is given, and what it fills in on its way. */
import type { DeltaPlanner } from "../core/delta.ts";
import type { Image, Range } from "../core/image.ts";
import type { Plan } from "../core/plan.ts";
import type { KnownContents } from "../core/survey.ts";
import type { Context, MemorySession } from "../targets/target.ts";
import type { KnownSector } from "./history.ts";

/** The part of a board's record that a flash needs. */
export interface SectorRecord {
  readonly known: KnownContents;
  /** All that is known, sorted by address. */
  contents(): readonly KnownSector[];
  readonly interrupted: readonly Range[];
  strikeOut(sectors: readonly Range[]): Promise<void>;
  enter(sectors: readonly KnownSector[]): Promise<void>;
}

export interface FlashOptions {
  /** Write every sector of the image, whatever the board holds. */
  readonly full: boolean;
  /** Stop before the first erase. */
  readonly dryRun: boolean;
  /** Start the program at the end. */
  readonly reset: boolean;
}

/** What the flash has got to; filled while it runs, so that a failure can still be reported. */
export interface FlashProgress {
  image: { bytes: number; sectors: number };
  plan: Plan | undefined;
  estimateMs: number;
  /** Runs that were wholly written, whether or not verified. */
  written: { bytes: number; sectors: number; erasedBytes: number };
  /** True from the first erase until the last verification. */
  dirty: boolean;
  notes: string[];
}

export function noProgress(): FlashProgress {
  return {
    image: { bytes: 0, sectors: 0 },
    plan: undefined,
    estimateMs: 0,
    written: { bytes: 0, sectors: 0, erasedBytes: 0 },
    dirty: false,
    notes: [],
  };
}

export interface FlashJob {
  readonly session: MemorySession;
  readonly image: Image;
  readonly record: SectorRecord;
  readonly options: FlashOptions;
  readonly context: Context;
  readonly progress: FlashProgress;
  /** Plans patches elsewhere than on this thread. */
  readonly planDelta?: DeltaPlanner;
  /** Called before the program is started. */
  beforeReset?(): Promise<void>;
}
