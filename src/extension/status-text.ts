/** What the status bar item says, as data: words that take the same place. Knows no editor. */
import * as l10n from "@vscode/l10n";
import { formatDuration } from "../core/trace-text.ts";
import { phases } from "../core/trace.ts";
import type { BoardState } from "../server/protocol.ts";
import { capitalized, phaseWord } from "../webview/phrases.ts";

/** What the item stands for: a board's state, our build, or a build that waits to be flashed. */
export type ButtonState = BoardState | { readonly kind: "building" } | { readonly kind: "offer" };

export interface StatusText {
  /** With an icon, always equally wide. */
  readonly text: string;
  /** For screen readers. */
  readonly spoken: string;
  readonly isError: boolean;
}

/** As wide as a digit, and not trimmed by the editor. */
const figureSpace = "\u2007";
/** A sixth of an em: 0.29 of a digit in the fonts that editors use. */
const thinSpace = "\u2006";
const thinWidth = 0.29;
/** What state and board get, in widths of a digit. */
const leastStateWidth = 9.5;
const mostStateWidth = 13;
const boardWidth = 8;

export function statusText(board: string, state: ButtonState): StatusText {
  const { icon, word } = wordOf(state);
  const name = fit(board === "" ? l10n.t("board") : board, boardWidth);
  return {
    text: `$(${icon}) ${name} ${fit(word, stateWidth())}`,
    spoken: `Deltaflash, ${board === "" ? l10n.t("no board chosen") : board}: ${spokenOf(state, word)}`,
    isError: state.kind === "failed",
  };
}

function wordOf(state: ButtonState): { readonly icon: string; readonly word: string } {
  switch (state.kind) {
    case "idle":
      return { icon: "zap", word: l10n.t("Flash") };
    case "offer":
      return { icon: "zap", word: l10n.t("New build") };
    case "building":
      return { icon: "sync~spin", word: l10n.t("Building") };
    case "connecting":
      return { icon: "sync~spin", word: l10n.t("Connecting") };
    case "ready":
      return { icon: "sync~spin", word: l10n.t("Connected") };
    case "working":
      return { icon: "sync~spin", word: workingWord(state.phase, state.percent) };
    case "done":
      return { icon: "check", word: doneWord(state.result, state.totalMs) };
    case "failed":
      return { icon: "error", word: state.code === "cancelled" ? l10n.t("Cancelled") : l10n.t("Failed") };
  }
}

function workingWord(phase: string, percent: number | undefined): string {
  let word = capitalized(phaseWord(phase));
  if (percent === undefined) return word;
  while (widthOf(`${word} 99%`) > mostStateWidth) word = word.slice(0, -1);
  return `${word} ${Math.min(99, Math.floor(percent))}%`;
}

function doneWord(result: string, totalMs: number): string {
  return result === "unchanged" ? l10n.t("Unchanged") : formatDuration(totalMs);
}

function spokenResult(result: string, time: string): string {
  switch (result) {
    case "unchanged":
      return l10n.t("unchanged in {0}. Press to flash again", time);
    case "loaded":
      return l10n.t("loaded in {0}. Press to flash again", time);
    case "planned":
      return l10n.t("planned in {0}. Press to flash again", time);
    default:
      return l10n.t("flashed in {0}. Press to flash again", time);
  }
}

function spokenOf(state: ButtonState, word: string): string {
  switch (state.kind) {
    case "done":
      return spokenResult(state.result, formatDuration(state.totalMs));
    case "failed":
      return l10n.t("failed: {0}", state.message);
    case "idle":
      return l10n.t("press to save, build and flash");
    case "offer":
      return l10n.t("a new build is ready, press to flash it");
    case "building":
    case "connecting":
    case "ready":
    case "working":
      return word;
  }
}

/** Widths of letters in widths of a digit: Segoe UI, DejaVu Sans and San Francisco differ by a few hundredths only. */
const letterWidths: readonly (readonly [letters: string, width: number])[] = [
  ["ijlI.,:'", 0.46],
  ["ft ", 0.6],
  ["r", 0.65],
  ["s", 0.8],
  ["ckvxyz", 0.89],
  ["FEL", 0.92],
  ["BPRSTVXYCKZA", 1.1],
  ["NUDGHOQ…", 1.27],
  ["wM", 1.4],
  ["%Wm", 1.55],
];

/** An estimate in widths of a digit. */
export function widthOf(text: string): number {
  const width = (letter: string) => {
    if (letter === figureSpace) return 1;
    if (letter === thinSpace) return thinWidth;
    return letterWidths.find(([letters]) => letters.includes(letter))?.[1] ?? 1;
  };
  return Array.from(text).reduce((sum, letter) => sum + width(letter), 0);
}

/** Room for every word of the language, within reason: the item never changes its width while a board is worked on. */
function stateWidth(): number {
  const states: readonly ButtonState[] = [
    ...(["idle", "offer", "building", "connecting", "ready"] as const).map((kind) => ({ kind })),
    ...phases.map((phase) => ({ kind: "working", phase, percent: 99 }) as const),
    { kind: "done", result: "unchanged", totalMs: 0 },
    ...["cancelled", "timeout"].map((code) => ({ kind: "failed", code, message: "" }) as const),
  ];
  const widest = Math.max(...states.map((state) => widthOf(wordOf(state).word)));
  return Math.min(mostStateWidth, Math.max(leastStateWidth, widest));
}

/** Cut or filled up to `width`, to a seventh of a digit. */
function fit(text: string, width: number): string {
  let cut = text;
  while (widthOf(cut) > width) cut = `${cut.replace(/…$/, "").slice(0, -1)}…`;
  const rest = width - widthOf(cut);
  const wide = Math.floor(rest);
  return cut + figureSpace.repeat(wide) + thinSpace.repeat(Math.round((rest - wide) / thinWidth));
}

/** A board's short name from its port: `esp32c3` from `sim:esp32c3?speed=max`, `ttyUSB0` from `/dev/ttyUSB0`. */
export function shortName(port: string): string {
  const simulated = /^sim:([^?]+)/.exec(port)?.[1];
  if (simulated !== undefined) return simulated;
  if (/^[a-z0-9]+:\/\//i.test(port)) return port.replace(/^[a-z0-9]+:\/\//i, "").replace(/[/?].*$/, "");
  return port.split(/[\\/]/).at(-1) ?? port;
}
