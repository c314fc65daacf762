/** What front ends are told and shown: boards, monitors, reports, plans, builds. Data only, so that every front end can import it. */
import type { Report } from "./report.ts";

/** What a board is doing, for status bar and panel. */
export type BoardState =
  | { readonly kind: "idle" }
  | { readonly kind: "connecting" }
  /** Connected ahead of the flash, while the compiler runs. */
  | { readonly kind: "ready" }
  | { readonly kind: "working"; readonly phase: string; readonly percent: number | undefined }
  | { readonly kind: "done"; readonly result: string; readonly totalMs: number }
  | { readonly kind: "failed"; readonly code: string; readonly message: string };

export type MonitorState = "open" | "paused" | "reconnecting" | "closed";

export interface StoredReport {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly trigger: string;
  readonly artifact: readonly string[];
  readonly report: Report;
}

/** A section or symbol of the artifact that differs from what the board holds. */
export interface ChangedItem {
  readonly kind: "section" | "symbol";
  readonly name: string;
  readonly oldAddress?: number;
  readonly oldSize?: number;
  readonly newAddress?: number;
  readonly newSize?: number;
}

export interface PlanView {
  readonly sectors: number;
  readonly sectorsToWrite: number;
  readonly bytesToWrite: number;
  /** Erase, write and verify. */
  readonly estimateMs: number;
  readonly fullEstimateMs: number;
  /** False when nothing is known of the board, so everything may have to be written. */
  readonly boardKnown: boolean;
  readonly runs: readonly { readonly address: number; readonly bytes: number; readonly erase: string }[];
  readonly changed: readonly ChangedItem[];
}

export interface BuildCompleted {
  readonly project: string;
  /** Digest of the loadable bytes: the same build is told once. */
  readonly id: string;
  readonly sources: readonly string[];
  readonly exitCode?: number;
  /** False when the loadable bytes are those of the build before. */
  readonly changed: boolean;
}

export interface BuildHint {
  readonly project: string;
  /** `task`, `terminal`, `cmake-tools`, `own`. The server's own watcher adds `watcher`. */
  readonly source: string;
  readonly exitCode?: number;
}
