/** The last flashes of the board as small pictures of one scale; each is a button that shows its flash above. */
import * as l10n from "@vscode/l10n";
import { formatDuration } from "../core/trace-text.ts";
import type { StoredReport } from "../server/protocol.ts";
import { h, moveByArrows, svg } from "./dom.ts";
import { layoutHistory, regressionText, type HistoryLayout, type Small } from "./history.ts";
import { phaseWord } from "./phrases.ts";
import { headline, moment, outcome } from "./words.ts";

const pictureWidth = 132;
const lineHeight = 5;
const minimumBarWidth = 1.5;

export interface HistoryChoice {
  /** Newest first. */
  readonly reports: readonly StoredReport[];
  readonly shown: StoredReport;
  readonly show: (stored: StoredReport) => void;
}

export function historyView({ reports, shown, show }: HistoryChoice): HTMLElement {
  const layout = layoutHistory(reports, { width: pictureWidth, minimumBarWidth });
  const items = layout.smalls.map((small) =>
    h(
      "li",
      {},
      h(
        "button",
        {
          class: `small ${small.regression === undefined ? "" : "slower"}`,
          "data-key": `flash-${small.stored.at}`,
          "data-current": small.stored === shown,
          "aria-current": small.stored === shown ? "true" : undefined,
          "aria-label": spoken(small),
          title: small.regression && regressionText(small.stored, small.regression),
          onclick: () => show(small.stored),
        },
        h(
          "span",
          { class: "total" },
          formatDuration(small.stored.report.totalMs),
          small.regression && h("span", { class: "mark" }, ` ▲ ${small.regression.label}`),
        ),
        picture(small, layout),
        h("span", { class: "what" }, outcome(small.stored.report)),
        h("span", { class: "when" }, moment(small.stored.at, new Date())),
      ),
    ),
  );
  const list = h("ol", { class: "smalls", "aria-label": l10n.t("Last flashes, newest first") }, ...items);
  moveByArrows(list);
  const marks = layout.smalls.some((small) => small.regression !== undefined);
  return h(
    "section",
    { class: "history", "aria-labelledby": "history-title" },
    h("h2", { id: "history-title" }, l10n.t("Last flashes of this board")),
    list,
    h("p", { class: "hint" }, legend(layout, marks)),
  );
}

function legend({ phases }: HistoryLayout, marks: boolean): string {
  const words = phases.map(phaseWord).join(", ");
  const scale = l10n.t("Newest first, all drawn to the same scale: {0} from top to bottom.", words);
  if (!marks) return scale;
  return `${scale} ${l10n.t("▲ marks flashes slower than the median of comparable ones, which the dashed line shows.")}`;
}

function picture({ rows, regression }: Small, { phases, scaleMs }: HistoryLayout): SVGElement {
  const height = phases.length * lineHeight;
  const bars = rows.flatMap((row) =>
    row.bars.map((bar) =>
      svg("rect", {
        class: `bar ${row.phase}`,
        x: bar.x,
        y: phases.indexOf(row.phase) * lineHeight + 0.5,
        width: bar.width,
        height: lineHeight - 1,
      }),
    ),
  );
  const usualX = regression === undefined ? undefined : (regression.usualMs / scaleMs) * pictureWidth;
  return svg(
    "svg",
    { width: pictureWidth, height, "aria-hidden": "true" },
    svg("rect", { class: "ground", x: 0, y: 0, width: pictureWidth, height }),
    ...bars,
    usualX === undefined ? undefined : svg("line", { class: "usual", x1: usualX, x2: usualX, y1: 0, y2: height }),
  );
}

function spoken({ stored, regression }: Small): string {
  const parts = [moment(stored.at, new Date()), headline(stored.report)];
  if (regression !== undefined) parts.push(l10n.t("slower than usual: {0}", regressionText(stored, regression)));
  return parts.join(". ");
}
