/** What front ends are told about a port: what its board is doing, and what its monitor is doing. Data only. */

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
