/** What a piece of advice is made from and what it looks like. Plain data: the report of a flash fits without being imported. */
import type { Span } from "./trace.ts";

/** The part of a flash's report that advice and estimates need. Times in milliseconds. */
export interface FlashFacts {
  readonly result: "flashed" | "unchanged" | "loaded" | "planned" | "failed";
  readonly chip: string;
  readonly identity: string;
  readonly port: string;
  readonly totalMs: number;
  readonly spans: readonly Span[];
  readonly image: { readonly bytes: number; readonly sectors: number };
  readonly written: { readonly bytes: number; readonly sectors: number };
  readonly wire: { readonly sentBytes: number; readonly receivedBytes: number; readonly roundTrips: number };
  readonly notes: readonly string[];
}

/** What a front end can do about it; each front end maps these to commands or pages of its own. */
export type AdviceAction =
  /** Set the bit rate to this. */
  | { readonly kind: "set-baud"; readonly label: string; readonly baud: number }
  /** Allow the program in RAM again. */
  | { readonly kind: "use-stub"; readonly label: string }
  /** Flash again, writing only what changed. */
  | { readonly kind: "flash-changed"; readonly label: string }
  /** Open a page of the documentation. */
  | {
      readonly kind: "explain";
      readonly label: string;
      readonly topic: "latency-timer" | "stable-link" | "slow-reset" | "adapter-speed";
    };

export interface Advice {
  /** Stays the same between flashes: `bit-rate`. */
  readonly id: string;
  /** `warning` when something does not work as it should, else `info`. */
  readonly severity: "info" | "warning";
  readonly title: string;
  readonly explanation: string;
  /** What a flash like this one would be shorter by, milliseconds, where that can be said. */
  readonly savesMs?: number;
  readonly action?: AdviceAction;
}

/** @param earlier flashes of the same board, newest first */
export type Rule = (flash: FlashFacts, earlier: readonly FlashFacts[]) => Advice | undefined;

/** A saving below a tenth of a second is not felt (Nielsen, Usability Engineering, 1993, 5.5) and drowns in the jitter of USB. */
export const noticeableMs = 100;
