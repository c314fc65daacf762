/** The whole panel from its state: head, waterfall or tables, saving and advice, history. Decides nothing, remembers nothing. */
import * as l10n from "@vscode/l10n";
import type { AdviceAction } from "../core/advice-rule.ts";
import type { Phase } from "../core/trace.ts";
import type { BoardState, StoredReport } from "../server/protocol.ts";
import { adviceView } from "./advice-view.ts";
import { h } from "./dom.ts";
import { historyView } from "./history-view.ts";
import { capitalized, phaseWord } from "./phrases.ts";
import { historyTable, spanTable } from "./table-view.ts";
import { waterfall, weaves } from "./waterfall-view.ts";
import { headline, isSimulated, moment, surroundings, waits } from "./words.ts";

export interface PanelState {
  /** Newest first. */
  readonly reports: readonly StoredReport[];
  /** `at` of the flash that is shown; the newest when undefined or gone. */
  readonly shownAt?: number | undefined;
  readonly selected?: Phase | undefined;
  readonly view: "chart" | "table";
}

/** What the user can do. */
export interface PanelActions {
  readonly select: (phase: Phase | undefined) => void;
  readonly show: (stored: StoredReport) => void;
  readonly toggleView: () => void;
  readonly flash: () => void;
  readonly chooseBoard: () => void;
  readonly exportTrace: (stored: StoredReport) => void;
  readonly act: (stored: StoredReport, action: AdviceAction) => void;
}

export interface PanelFacts {
  readonly state: PanelState;
  /** Pixels of a track in the waterfall. */
  readonly trackWidth: number;
}

/** So many small pictures are kept in sight. */
const historyLength = 12;

export function panelView({ state, trackWidth }: PanelFacts, actions: PanelActions): readonly Node[] {
  const shown = state.reports.find((stored) => stored.at === state.shownAt) ?? state.reports[0];
  if (shown === undefined) return [emptyView(actions)];
  const sameBoard = state.reports.filter((stored) => isSameBoard(stored, shown)).slice(0, historyLength);
  const earlier = sameBoard.filter((one) => one.at < shown.at && artifactOf(one) === artifactOf(shown));
  const advice = adviceView({ shown, earlier, act: (action) => actions.act(shown, action) });
  const chart = state.view === "chart";
  const { report } = shown;
  const waitsFor = waits(shown);
  const choice = { stored: shown, width: trackWidth, selected: state.selected, select: actions.select };
  return [
    weaves(),
    head(shown, state, actions),
    h(
      "div",
      { class: chart ? "columns" : "columns stacked" },
      h(
        "div",
        {},
        report.spans.length === 0 ? undefined : chart ? waterfall(choice) : spanTable(shown),
        waitsFor === undefined ? undefined : h("p", { class: "hint" }, waitsFor),
        chart ? historyView({ reports: sameBoard, shown, show: actions.show }) : historyTable(sameBoard),
      ),
      advice,
    ),
  ];
}

/** A flash that failed before the board told its name is known by its port. */
function isSameBoard({ report: a }: StoredReport, { report: b }: StoredReport): boolean {
  return a.identity === "" || b.identity === "" ? a.port === b.port : a.identity === b.identity;
}

function artifactOf({ artifact }: StoredReport): string {
  return artifact.join("\n");
}

function head(shown: StoredReport, state: PanelState, actions: PanelActions): HTMLElement {
  const { report } = shown;
  const newest = state.reports[0];
  const table = state.view === "table";
  return h(
    "header",
    { class: report.result },
    h(
      "div",
      { class: "result" },
      h(
        "h1",
        {},
        headline(report),
        " ",
        isSimulated(shown) ? h("span", { class: "badge" }, l10n.t("Simulated board")) : undefined,
      ),
      h("p", { class: "hint" }, `${moment(shown.at, new Date())} · ${surroundings(shown)}`),
      isSimulated(shown)
        ? h("p", { class: "hint" }, l10n.t("Its times are a model's, not a real board's."))
        : undefined,
      report.error === null
        ? undefined
        : h("p", { class: "error" }, `${capitalized(report.error.message)}. ${report.error.remedy}`),
      ...report.notes.map((note) => h("p", { class: "note" }, note)),
    ),
    h(
      "div",
      { class: "buttons" },
      newest === undefined || newest === shown
        ? undefined
        : h("button", { "data-key": "newest", onclick: () => actions.show(newest) }, l10n.t("Show last flash")),
      h(
        "button",
        { "data-key": "view", "aria-pressed": table ? "true" : "false", onclick: () => actions.toggleView() },
        l10n.t("Table"),
      ),
      h("button", { "data-key": "export", onclick: () => actions.exportTrace(shown) }, l10n.t("Export trace")),
      h("button", { class: "primary", "data-key": "flash", onclick: () => actions.flash() }, l10n.t("Flash")),
    ),
  );
}

function emptyView(actions: PanelActions): HTMLElement {
  return h(
    "div",
    { class: "empty" },
    h("h1", {}, l10n.t("No flash yet")),
    h(
      "p",
      {},
      l10n.t(
        "After the first flash this panel shows where its time went, phase by phase, and what would make it shorter.",
      ),
    ),
    h(
      "div",
      { class: "buttons" },
      h("button", { class: "primary", "data-key": "flash", onclick: () => actions.flash() }, l10n.t("Flash")),
      h("button", { "data-key": "board", onclick: () => actions.chooseBoard() }, l10n.t("Select board and port")),
    ),
    h("p", { class: "hint" }, l10n.t("Without a board at hand, select a simulated one.")),
  );
}

/** What the board is doing now; nothing while it does nothing. */
export function progressView(board: BoardState): readonly Node[] {
  const words = doing(board);
  if (words === undefined) return [];
  const percent = board.kind === "working" ? board.percent : undefined;
  return [
    h("span", {}, percent === undefined ? words : `${words}, ${Math.round(percent)} %`),
    h("progress", { max: 100, "aria-label": words, ...(percent === undefined ? {} : { value: percent }) }),
  ];
}

export function doing(board: BoardState): string | undefined {
  switch (board.kind) {
    case "connecting":
      return l10n.t("Connecting");
    case "working":
      return capitalized(phaseWord(board.phase));
    case "ready":
      return l10n.t("Connected, waiting for the build");
    case "idle":
    case "done":
    case "failed":
      return undefined;
  }
}
