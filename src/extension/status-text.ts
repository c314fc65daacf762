/** What the status bar item says, as data: words of constant width. Knows no editor. */
import { formatDuration } from "../core/trace-text.ts";
import type { BoardState } from "../server/protocol.ts";

/** What the item stands for: a board's state, our build, or a build that waits to be flashed. */
export type ButtonState = BoardState | { readonly kind: "building" } | { readonly kind: "offer" };

export interface StatusText {
  /** With an icon, always equally long. */
  readonly text: string;
  /** For screen readers. */
  readonly spoken: string;
  readonly isError: boolean;
}

/** As wide as a digit, and not trimmed by the editor. */
const figureSpace = "\u2007";
const stateWidth = 10;
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

/** Exactly `width` characters. */
function fit(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width, figureSpace);
}

/** A board's short name from its port: `esp32c3` from `sim:esp32c3?speed=max`, `ttyUSB0` from `/dev/ttyUSB0`. */
export function shortName(port: string): string {
  const simulated = /^sim:([^?]+)/.exec(port)?.[1];
  if (simulated !== undefined) return simulated;
  if (/^[a-z0-9]+:\/\//i.test(port)) return port.replace(/^[a-z0-9]+:\/\//i, "").replace(/[/?].*$/, "");
  return port.split(/[\\/]/).at(-1) ?? port;
}
