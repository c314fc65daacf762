/** Everything that extension and timing panel say to each other. Data only. */
import type { AdviceAction } from "../core/advice-rule.ts";
import type { BoardState, StoredReport } from "../server/protocol.ts";

/** From the extension to the panel. */
export type ToPanel =
  /** All that is known, newest first; replaces what the panel showed. */
  | { readonly kind: "reports"; readonly reports: readonly StoredReport[] }
  /** One more flash has ended; the panel shows it. */
  | { readonly kind: "report"; readonly report: StoredReport }
  | { readonly kind: "state"; readonly port: string; readonly state: BoardState };

/** From the panel to the extension. */
export type FromPanel =
  /** The panel listens now; the answer is `reports`. Sent each time it becomes visible again. */
  | { readonly kind: "ready" }
  | { readonly kind: "flash" }
  | { readonly kind: "choose-board" }
  /** `at` of the report whose trace is wanted. */
  | { readonly kind: "export-trace"; readonly at: number }
  | { readonly kind: "advice"; readonly at: number; readonly action: AdviceAction };
