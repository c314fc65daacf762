/** The ways to ask a chip what its flash holds, and to write it. Which one is taken, `target.ts` decides, by data. */
import type { Digest } from "../../core/digest.ts";
import type { Range } from "../../core/image.ts";
import type { PatchWork } from "../target.ts";

/** Says what stands in the memory, as `loaderDigest` has it. */
export interface Digester {
  digests(ranges: readonly Range[]): Promise<readonly Digest[]>;
}

export interface FlashWay extends Digester {
  /** For --verbose and for notes: who writes. */
  readonly label: string;
  /** Bytes that contents take on the wire as a patch, per byte; undefined where this way knows no patches. */
  readonly patchWireRatio: number | undefined;
  /** Data travel while earlier data are erased and programmed. */
  readonly overlaps: boolean;
  /** Erases and writes, and checks what it wrote. @throws StoppedBetweenRequests with nothing half written, FlashError */
  write(work: PatchWork): Promise<void>;
  /** Nothing of ours stays in the server. */
  release(): Promise<void>;
}
