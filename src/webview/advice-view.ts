/** What the flash saved, and what would make the next one shorter. The advice itself is the engine's, as on the command line: English. */
import * as l10n from "@vscode/l10n";
import { estimateFullWrite } from "../core/advice-estimate.ts";
import type { Advice, AdviceAction } from "../core/advice-rule.ts";
import { advise } from "../core/advice.ts";
import { formatDuration } from "../core/trace-text.ts";
import type { StoredReport } from "../server/protocol.ts";
import { h, svg } from "./dom.ts";
import { percent } from "./words.ts";

export interface AdviceChoice {
  readonly shown: StoredReport;
  /** Flashes of the same board and artifact, newest first. */
  readonly earlier: readonly StoredReport[];
  readonly act: (action: AdviceAction) => void;
}

/** undefined where there is nothing to say. */
export function adviceView({ shown, earlier, act }: AdviceChoice): HTMLElement | undefined {
  const before = earlier.map(({ report }) => report);
  const items = advise(shown.report, before).map((advice) => item(advice, act));
  const saved = savedView(shown.report, before);
  if (items.length === 0 && saved === undefined) return undefined;
  return h(
    "section",
    { class: "advice", "aria-labelledby": "advice-title" },
    h("h2", { id: "advice-title" }, l10n.t("Saved, and still to save")),
    saved,
    items.length === 0 ? undefined : h("ul", {}, ...items),
  );
}

function item({ id, severity, title, explanation, savesMs, action }: Advice, act: AdviceChoice["act"]): HTMLElement {
  return h(
    "li",
    { class: severity },
    h(
      "h3",
      {},
      h("span", { class: "severity" }, severity === "warning" ? l10n.t("Warning") : l10n.t("Hint")),
      title,
      " ",
      savesMs === undefined
        ? undefined
        : h("span", { class: "saves" }, l10n.t("about {0} to save", formatDuration(savesMs))),
    ),
    h("p", {}, explanation),
    action && h("button", { class: "action", "data-key": `advice-${id}`, onclick: () => act(action) }, action.label),
  );
}

const comparisonWidth = 160;

function savedView(
  report: StoredReport["report"],
  earlier: readonly StoredReport["report"][],
): HTMLElement | undefined {
  const full = estimateFullWrite(report, earlier);
  if (full === undefined) return undefined;
  const longest = Math.max(full.totalMs, report.totalMs);
  const line = (label: string, ms: number, kind: string) => [
    h("dt", {}, label),
    h(
      "dd",
      {},
      svg(
        "svg",
        { width: comparisonWidth, height: 10, "aria-hidden": "true" },
        svg("rect", {
          class: `compared ${kind}`,
          x: 0.5,
          y: 0.5,
          height: 9,
          width: (ms / longest) * (comparisonWidth - 1),
        }),
      ),
      h("span", { class: "number" }, kind === "estimated" ? `≈ ${formatDuration(ms)}` : formatDuration(ms)),
    ),
  ];
  const sentence =
    full.savedMs > 0
      ? l10n.t(
          "Saved about {0} ({1}) against writing all {2} sectors.",
          formatDuration(full.savedMs),
          percent(full.savedMs / full.totalMs),
          report.image.sectors,
        )
      : l10n.t("Writing all {0} sectors would have taken about as long.", report.image.sectors);
  return h(
    "div",
    { class: "saved" },
    h("p", { class: "sum" }, sentence),
    h(
      "dl",
      {},
      ...line(l10n.t("This flash"), report.totalMs, "measured"),
      ...line(l10n.t("Full write"), full.totalMs, "estimated"),
    ),
    h(
      "p",
      { class: "hint" },
      l10n.t(
        "An estimate: from the bit rate and digest rate of this flash and the typical erase times of flash chips.",
      ),
    ),
  );
}
