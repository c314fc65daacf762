/** The last flash as a waterfall: one row per phase, each a button; the selected one is told in detail below. */
import * as l10n from "@vscode/l10n";
import type { Phase } from "../core/trace.ts";
import type { StoredReport } from "../server/protocol.ts";
import { h, moveByArrows, svg } from "./dom.ts";
import { phaseWord } from "./phrases.ts";
import { layoutTimeline, type Bar, type Row, type Timeline } from "./timeline.ts";
import { percent, rate, size, time } from "./words.ts";

const barHeight = 14;
const rowHeight = 20;
const minimumBarWidth = 3;

export interface WaterfallChoice {
  readonly stored: StoredReport;
  /** Pixels of a track. */
  readonly width: number;
  readonly selected: Phase | undefined;
  readonly select: (phase: Phase | undefined) => void;
}

export function waterfall({ stored, width, selected, select }: WaterfallChoice): HTMLElement {
  const { report } = stored;
  const timeline = layoutTimeline(report, { width, minimumBarWidth });
  const rows = timeline.rows.map((row) =>
    h(
      "li",
      {},
      h(
        "button",
        {
          class: "row",
          "data-key": `row-${row.phase}`,
          "data-current": row.phase === selected,
          "aria-label": spoken(row),
          "aria-expanded": row.phase === selected ? "true" : "false",
          "aria-controls": "details",
          onclick: () => select(row.phase === selected ? undefined : row.phase),
        },
        h("span", { class: "phase" }, phaseWord(row.phase)),
        track(row, timeline, report.spans),
        h("span", { class: "number" }, time(row.durationMs)),
        h("span", { class: "number wide" }, size(row.bytes)),
        h("span", { class: "number wider" }, rate(row.bytes, row.durationMs)),
      ),
    ),
  );
  const list = h("ol", { class: "rows", "aria-label": l10n.t("Phases of the flash") }, ...rows);
  moveByArrows(list);
  const chosen = timeline.rows.find((row) => row.phase === selected);
  return h(
    "section",
    { class: "waterfall", "aria-labelledby": "waterfall-title" },
    h("h2", { id: "waterfall-title" }, l10n.t("Where the time went")),
    axis(timeline),
    list,
    h(
      "div",
      { class: "details", id: "details" },
      ...(chosen === undefined
        ? [h("p", { class: "hint" }, l10n.t("Select a phase to see its steps."))]
        : details(chosen, stored)),
    ),
  );
}

/** The row in words: phase, time, share, bytes and rate. */
function spoken(row: Row): string {
  const parts = [`${phaseWord(row.phase)}: ${time(row.durationMs)}`, l10n.t("{0} of the flash", percent(row.share))];
  if (row.bytes > 0) parts.push(size(row.bytes));
  const speed = rate(row.bytes, row.durationMs);
  if (speed !== "") parts.push(speed);
  return parts.join(", ");
}

function axis({ width, ticks }: Timeline): HTMLElement {
  const marks = ticks.flatMap((tick) => {
    // The last label would stick out.
    const end = tick.x > width - 40;
    return [
      svg("line", { class: "tick", x1: tick.x, x2: tick.x, y1: 12, y2: 18 }),
      svg("text", { class: "tick", x: tick.x, y: 10, "text-anchor": end ? "end" : "start" }, tick.label),
    ];
  });
  return h(
    "div",
    { class: "axis", "aria-hidden": "true" },
    h("span", { class: "phase" }),
    h("span", { class: "track" }, svg("svg", { width, height: 18 }, ...marks)),
    h("span", { class: "number" }),
    h("span", { class: "number wide" }),
    h("span", { class: "number wider" }),
  );
}

function track(row: Row, { width, ticks }: Timeline, spans: StoredReport["report"]["spans"]): HTMLElement {
  const lines = ticks.map((tick) => svg("line", { class: "grid", x1: tick.x, x2: tick.x, y1: 0, y2: rowHeight }));
  const bars = row.bars.flatMap((bar) =>
    barShapes(row.phase, bar, bar.spans.map((at) => spans[at]?.label).join(" · ")),
  );
  return h(
    "span",
    { class: "track", "aria-hidden": "true" },
    svg("svg", { width, height: rowHeight }, ...lines, ...bars),
  );
}

/** Thin ones are half as high, which says that they are drawn wider than their time. */
function barShapes(phase: Phase, bar: Bar, label: string): readonly SVGElement[] {
  const height = bar.widened ? barHeight / 2 : barHeight;
  const box = { x: bar.x, y: (rowHeight - height) / 2, width: bar.width, height };
  const tip = svg("title", {}, `${label}: ${time(bar.durationMs)}`);
  return [
    svg("rect", { ...box, class: `bar ${phase}` }, tip),
    svg("rect", { ...box, class: "weave", fill: `url(#weave-${phase})` }),
  ];
}

function details(row: Row, { report }: StoredReport): readonly HTMLElement[] {
  const spans = report.spans.filter((span) => span.phase === row.phase);
  const lines = spans.map((span) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, span.label),
      h("td", { class: "number" }, time(span.durationMs)),
      h("td", { class: "number" }, percent(row.durationMs > 0 ? span.durationMs / row.durationMs : 0)),
      h("td", { class: "number" }, size(span.bytes)),
      h("td", { class: "number" }, rate(span.bytes, span.durationMs)),
    ),
  );
  const title = `${phaseWord(row.phase)}: ${time(row.durationMs)}, ${l10n.t("{0} of the flash", percent(row.share))}`;
  return [h("table", {}, h("caption", {}, title), h("tbody", {}, ...lines))];
}

/** How each phase is woven, so that colour is never all that tells them apart. Referred to by `url(#weave-…)`. */
export function weaves(): SVGElement {
  const lines: Readonly<Record<string, string>> = {
    wait: "M0 3H6",
    survey: "M-1 1L1 -1M0 6L6 0M5 7L7 5",
    plan: "M2 2h2v2h-2z",
    erase: "M0 0L6 6M0 6L6 0",
    verify: "M0 1.5H6M0 4.5H6",
    load: "M1.5 0V6M4.5 0V6",
    reset: "M-1 5L1 7M0 0L6 6M5 -1L7 1",
  };
  const patterns = Object.entries(lines).map(([phase, d]) =>
    svg(
      "pattern",
      { id: `weave-${phase}`, width: 6, height: 6, patternUnits: "userSpaceOnUse" },
      svg("path", { d, class: "thread" }),
    ),
  );
  const plain = ["connect", "write"].map((phase) =>
    svg("pattern", { id: `weave-${phase}`, width: 6, height: 6, patternUnits: "userSpaceOnUse" }),
  );
  return svg("svg", { class: "weaves", width: 0, height: 0, "aria-hidden": "true" }, ...patterns, ...plain);
}
