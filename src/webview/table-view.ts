/** The same as waterfall and small pictures in two plain tables. */
import * as l10n from "@vscode/l10n";
import { formatDuration } from "../core/trace-text.ts";
import type { StoredReport } from "../server/protocol.ts";
import { h } from "./dom.ts";
import { regressionOf, regressionText } from "./history.ts";
import { phaseWord } from "./phrases.ts";
import { moment, outcome, percent, rate, size, time } from "./words.ts";

export function spanTable({ report }: StoredReport): HTMLElement {
  const rows = report.spans.map((span) =>
    row([
      phaseWord(span.phase),
      span.label,
      time(span.startMs),
      time(span.durationMs),
      percent(report.totalMs > 0 ? span.durationMs / report.totalMs : 0),
      size(span.bytes),
      rate(span.bytes, span.durationMs),
    ]),
  );
  const total = row([l10n.t("total"), "", "", time(report.totalMs), percent(1), "", ""]);
  return table({
    caption: l10n.t("Where the time went"),
    heads: [
      l10n.t("Phase"),
      l10n.t("Step"),
      l10n.t("Start"),
      l10n.t("Time"),
      l10n.t("Share"),
      l10n.t("Bytes"),
      l10n.t("Rate"),
    ],
    texts: 2,
    rows,
    foot: total,
  });
}

/** @param reports newest first */
export function historyTable(reports: readonly StoredReport[]): HTMLElement {
  const rows = reports.map((stored) => {
    const regression = regressionOf(stored, reports);
    const { report } = stored;
    return row([
      moment(stored.at, new Date()),
      outcome(report),
      regression === undefined ? "" : `▲ ${regression.label}. ${regressionText(stored, regression)}`,
      formatDuration(report.totalMs),
      size(report.written.bytes),
    ]);
  });
  return table({
    caption: l10n.t("Last flashes of this board"),
    heads: [l10n.t("When"), l10n.t("What"), l10n.t("Compared"), l10n.t("Time"), l10n.t("Written")],
    texts: 3,
    rows,
  });
}

interface Table {
  readonly caption: string;
  readonly heads: readonly string[];
  /** So many columns at the left hold words, the others numbers. */
  readonly texts: number;
  readonly rows: readonly (readonly string[])[];
  readonly foot?: readonly string[];
}

const row = (cells: readonly string[]) => cells;

function table({ caption, heads, texts, rows, foot }: Table): HTMLElement {
  const cells = (texts_: readonly string[]) =>
    texts_.map((text, index) =>
      index === 0 ? h("th", { scope: "row" }, text) : h("td", { class: index < texts ? "" : "number" }, text),
    );
  return h(
    "div",
    { class: "scroll", role: "region", "aria-label": caption, tabindex: 0 },
    h(
      "table",
      { class: "full" },
      h("caption", {}, caption),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          ...heads.map((head, index) => h("th", { scope: "col", class: index < texts ? "" : "number" }, head)),
        ),
      ),
      h("tbody", {}, ...rows.map((one) => h("tr", {}, ...cells(one)))),
      foot === undefined ? undefined : h("tfoot", {}, h("tr", {}, ...cells(foot))),
    ),
  );
}
