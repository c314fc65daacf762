/** Runs in the timing panel's page: keeps its state, hears the extension, draws anew what has changed. */
import * as l10n from "@vscode/l10n";
import type { BoardState, StoredReport } from "../server/protocol.ts";
import type { FromPanel, ToPanel } from "./messages.ts";
import { doing, panelView, progressView, type PanelActions, type PanelState } from "./panel-view.ts";
import { headline } from "./words.ts";

/** What the editor puts into every webview. */
declare function acquireVsCodeApi(): {
  getState(): PanelState | undefined;
  setState(state: PanelState): void;
  postMessage(message: FromPanel): void;
};

/** More are never shown together. */
const reportsKept = 40;

const api = acquireVsCodeApi();
let state: PanelState = api.getState() ?? { reports: [], view: "chart" };
let board: BoardState = { kind: "idle" };
let port: string | undefined;
let trackWidth = 480;
let drawOrdered = false;

const progress = document.createElement("div");
const page = document.createElement("div");
const announcer = document.createElement("p");

function change(next: PanelState): void {
  state = next;
  api.setState(state);
  draw();
}

/** The state without a choice of its own: the newest flash is shown. */
function newestShown(reports: readonly StoredReport[]): PanelState {
  return { ...state, reports: reports.slice(0, reportsKept), shownAt: undefined };
}

const actions: PanelActions = {
  select: (phase) => change({ ...state, selected: phase }),
  show: (stored) => change({ ...state, shownAt: stored.at }),
  toggleView: () => change({ ...state, view: state.view === "chart" ? "table" : "chart" }),
  flash: () => api.postMessage({ kind: "flash" }),
  chooseBoard: () => api.postMessage({ kind: "choose-board" }),
  exportTrace: (stored) => api.postMessage({ kind: "export-trace", at: stored.at }),
  act: (stored, action) => api.postMessage({ kind: "advice", at: stored.at, action }),
};

function hear(message: ToPanel): void {
  switch (message.kind) {
    case "reports": {
      const kept = message.reports.some((stored) => stored.at === state.shownAt);
      change(kept ? { ...state, reports: message.reports.slice(0, reportsKept) } : newestShown(message.reports));
      return;
    }
    case "report":
      announcer.textContent = news(message.report);
      change(newestShown([message.report, ...state.reports.filter((stored) => stored.at !== message.report.at)]));
      return;
    case "state":
      hearState(message.port, message.state);
      return;
  }
}

function news({ report }: StoredReport): string {
  return [headline(report), report.error?.message, report.error?.remedy]
    .filter((part) => part !== undefined)
    .join(". ");
}

/** Of several boards the one that is busy is shown. Only phases are spoken, not percents. */
function hearState(ofPort: string, next: BoardState): void {
  if (ofPort !== port && doing(board) !== undefined && doing(next) === undefined) return;
  const words = doing(next);
  if (words !== undefined && words !== doing(board)) announcer.textContent = words;
  port = ofPort;
  board = next;
  progress.replaceChildren(...progressView(board));
}

/** Many changes of the width within one frame are drawn once. */
function drawSoon(): void {
  if (drawOrdered) return;
  drawOrdered = true;
  requestAnimationFrame(draw);
}

/** Draws everything; the focus stays on the button of the same meaning. */
function draw(): void {
  drawOrdered = false;
  const focused = document.activeElement?.getAttribute("data-key");
  page.replaceChildren(...panelView({ state, trackWidth }, actions));
  if (focused !== null && focused !== undefined) {
    page.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }
  measure();
}

/** The bars are laid out in pixels, so they follow the width of the page. */
function measure(): void {
  const track = page.querySelector(".axis .track");
  if (track === null) return;
  const width = Math.floor(track.clientWidth);
  if (width <= 0 || width === trackWidth) return;
  trackWidth = width;
  drawSoon();
}

/** The words of the editor's language, which stand in the page; English ones where there are none. */
function takeWords(): void {
  const contents = document.getElementById("words")?.textContent ?? "";
  if (contents !== "") l10n.config({ contents });
}

function start(): void {
  takeWords();
  const panel = document.createElement("div");
  panel.className = "panel";
  progress.className = "progress";
  panel.append(progress, page);
  announcer.className = "announcer";
  announcer.setAttribute("role", "status");
  (document.getElementById("timing") ?? document.body).append(announcer, panel);
  window.addEventListener("message", ({ data }: MessageEvent<ToPanel>) => hear(data));
  new ResizeObserver(measure).observe(page);
  draw();
  api.postMessage({ kind: "ready" });
}

start();
