/** What the status bar item says, as data: words that take the same place. Knows no editor. */
import { formatDuration } from "../core/trace-text.ts";
import type { BoardState } from "../server/protocol.ts";

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
const stateWidth = 9.5;
const boardWidth = 8;

export function statusText(board: string, state: ButtonState): StatusText {
  const { icon, word } = wordOf(state);
  const name = fit(board === "" ? "board" : board, boardWidth);
  return {
    text: `$(${icon}) ${name} ${fit(word, stateWidth)}`,
    spoken: `Deltaflash, ${board === "" ? "no board chosen" : board}: ${spokenOf(state, word)}`,
    isError: state.kind === "failed",
  };
}

function wordOf(state: ButtonState): { readonly icon: string; readonly word: string } {
  switch (state.kind) {
    case "idle":
      return { icon: "zap", word: "Flash" };
    case "offer":
      return { icon: "zap", word: "New build" };
    case "building":
      return { icon: "sync~spin", word: "Building" };
    case "connecting":
      return { icon: "sync~spin", word: "Connecting" };
    case "ready":
      return { icon: "sync~spin", word: "Connected" };
    case "working":
      return { icon: "sync~spin", word: workingWord(state.phase, state.percent) };
    case "done":
      return { icon: "check", word: doneWord(state.result, state.totalMs) };
    case "failed":
      return { icon: "error", word: state.code === "cancelled" ? "Cancelled" : "Failed" };
  }
}

function workingWord(phase: string, percent: number | undefined): string {
  const word = `${phase.charAt(0).toUpperCase()}${phase.slice(1)}`;
  return percent === undefined ? word : `${word.slice(0, 6)} ${Math.min(99, Math.floor(percent))}%`;
}

function doneWord(result: string, totalMs: number): string {
  return result === "unchanged" ? "Unchanged" : formatDuration(totalMs);
}

function spokenOf(state: ButtonState, word: string): string {
  switch (state.kind) {
    case "done":
      return `${state.result} in ${formatDuration(state.totalMs)}. Press to flash again`;
    case "failed":
      return `failed: ${state.message}`;
    case "idle":
      return "press to save, build and flash";
    case "offer":
      return "a new build is ready, press to flash it";
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
