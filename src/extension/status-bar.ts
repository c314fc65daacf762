/** The one status bar item: it is the flash button, and says what the board is doing. */
import {
  l10n,
  MarkdownString,
  StatusBarAlignment,
  ThemeColor,
  window,
  type Disposable,
  type StatusBarItem,
} from "vscode";
import { formatBytes } from "../core/bytes.ts";
import { formatDuration } from "../core/trace-text.ts";
import { phaseTotals } from "../core/trace.ts";
import type { PlanView, StoredReport } from "../server/protocol.ts";
import type { Activity } from "./activity.ts";
import type { Report } from "./client.ts";
import { phaseWord } from "../webview/phrases.ts";
import { shortName, statusText } from "./status-text.ts";

/** Commands that the tooltip links to. */
const linked = [
  "deltaflash.flash",
  "deltaflash.flashOnly",
  "deltaflash.selectBoard",
  "deltaflash.showTiming",
  "deltaflash.openMonitor",
  "deltaflash.whyTarget",
  "deltaflash.cancel",
];

/** Faster is not read, and the item must not be more than 100 ms behind. */
const drawEveryMs = 33;

export interface StatusBarParts {
  readonly activity: Activity;
  /** The chosen board's. */
  currentPort(): string | undefined;
  /** What the next flash would write, where that is known. */
  currentPlan(): PlanView | undefined;
}

export class StatusBar implements Disposable {
  readonly #item: StatusBarItem;
  readonly #parts: StatusBarParts;
  readonly #listener: Disposable;
  #pending: NodeJS.Timeout | undefined;
  #drawnAtMs = 0;

  constructor(parts: StatusBarParts) {
    this.#parts = parts;
    this.#item = window.createStatusBarItem("flash", StatusBarAlignment.Left, 50);
    this.#item.name = "Deltaflash";
    this.#listener = parts.activity.onDidChange(() => this.refresh());
    this.#draw();
  }

  show(): void {
    this.#item.show();
  }

  /** Draws at once after a calm moment, and what comes thick and fast once per `drawEveryMs`. */
  refresh(): void {
    if (this.#pending !== undefined) return;
    const waitMs = Math.max(0, this.#drawnAtMs + drawEveryMs - Date.now());
    this.#pending = setTimeout(() => {
      this.#pending = undefined;
      this.#draw();
    }, waitMs);
  }

  dispose(): void {
    clearTimeout(this.#pending);
    this.#listener.dispose();
    this.#item.dispose();
  }

  #draw(): void {
    this.#drawnAtMs = Date.now();
    const { activity } = this.#parts;
    const port = this.#parts.currentPort();
    const { state } = activity;
    const { text, spoken, isError } = statusText(port === undefined ? "" : shortName(port), state);
    this.#item.text = text;
    this.#item.accessibilityInformation = { label: spoken, role: "button" };
    this.#item.backgroundColor = isError ? new ThemeColor("statusBarItem.errorBackground") : undefined;
    this.#item.command = state.kind === "offer" ? "deltaflash.flashOnly" : "deltaflash.flash";
    this.#item.tooltip = this.#tooltip(port, activity.lastReport);
  }

  #tooltip(port: string | undefined, last: StoredReport | undefined): MarkdownString {
    const tooltip = new MarkdownString(undefined, true);
    tooltip.isTrusted = { enabledCommands: linked };
    const board = port ?? l10n.t("no board chosen");
    tooltip.appendMarkdown("**Deltaflash** · ").appendText(board);
    if (port?.startsWith("sim:") === true) tooltip.appendMarkdown(` · ${l10n.t("simulated: nothing runs on silicon")}`);
    tooltip.appendMarkdown("\n\n");
    if (last !== undefined) tooltip.appendText(describeReport(last.report)).appendMarkdown("\n\n");
    if (last !== undefined && last.report.spans.length > 0) {
      tooltip.appendText(describePhases(last.report)).appendMarkdown("\n\n");
    }
    const plan = this.#parts.currentPlan();
    if (plan !== undefined) tooltip.appendText(describePlan(plan)).appendMarkdown("\n\n");
    const link = (icon: string, title: string, command: string) =>
      `[$(${icon}) ${title}](command:deltaflash.${command})`;
    const links = [
      link("zap", l10n.t("Build and Flash"), "flash"),
      link("arrow-circle-down", l10n.t("Flash Only"), "flashOnly"),
      link("graph", l10n.t("Timing"), "showTiming"),
      link("terminal", l10n.t("Monitor"), "openMonitor"),
      link("plug", l10n.t("Board"), "selectBoard"),
      link("question", l10n.t("Why?"), "whyTarget"),
    ];
    return tooltip.appendMarkdown(links.join(" · "));
  }
}

/** One line: `connect 198 ms · survey 12 ms · write 61 ms`. */
function describePhases(report: Report): string {
  return phaseTotals(report)
    .map(({ phase, durationMs }) => `${phaseWord(phase)} ${Math.round(durationMs)} ms`)
    .join(" · ");
}

/** One line: what the last flash did. */
export function describeReport(report: Report): string {
  const { image, written, totalMs } = report;
  const time = formatDuration(totalMs);
  switch (report.result) {
    case "flashed":
      return l10n.t(
        "Flashed {0} of {1} sectors ({2}) in {3}.",
        written.sectors,
        image.sectors,
        formatBytes(written.bytes),
        time,
      );
    case "unchanged":
      return l10n.t("Unchanged: all {0} sectors were right already, {1}.", image.sectors, time);
    case "loaded":
      return l10n.t("Loaded {0} into RAM in {1}.", formatBytes(image.bytes), time);
    case "planned":
      return l10n.t("Would write {0} of {1} sectors.", written.sectors, image.sectors);
    case "failed":
      return l10n.t("Failed after {0}: {1}", time, report.error?.message ?? "");
  }
}

/** One line: what the next flash would write. */
export function describePlan(plan: PlanView): string {
  const time = l10n.t("about {0}", formatEstimate(plan.estimateMs));
  if (!plan.boardKnown) return l10n.t("This board is not known yet: up to {0} sectors, {1}", plan.sectors, time);
  if (plan.sectorsToWrite === 0) return l10n.t("Nothing to write: the board holds this build");
  return l10n.t("{0} of {1} sectors, {2}", plan.sectorsToWrite, plan.sectors, time);
}

/** `0.5 s`: an estimate has no milliseconds. */
function formatEstimate(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
