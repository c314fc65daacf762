/** One click per failure: which error code is helped by which act. Knows no editor. */
import type { FlashErrorCode } from "../core/errors.ts";

export type Remedy =
  "select-board" | "flash-again" | "flash-slower" | "flash-full" | "build" | "show-changes" | "show-log";

/** Slow enough for any cable. */
export const slowBaud = 115_200;

/** Undefined: the user wanted it so, nothing is said. */
export function remedyFor(code: FlashErrorCode): Remedy | undefined {
  switch (code) {
    case "cancelled":
      return undefined;
    case "board-not-found":
    case "wrong-chip":
      return "select-board";
    case "port-busy":
    case "disconnected":
      return "flash-again";
    case "timeout":
    case "protocol":
      return "flash-slower";
    case "refused":
      return "show-log";
    case "bad-image":
      return "build";
    case "does-not-fit":
      return "show-changes";
    case "verify-failed":
      return "flash-full";
  }
}

/** The words of the command line, said for somebody who has buttons instead of options. */
export function wordsForEditor(remedy: string): string {
  return remedy
    .replace("Check the cable and the port; `deltaflash ports` lists what is there.", "Check the cable and the port.")
    .replace(/Flash again with a lower --baud/g, "Flash slower")
    .replace(/try a lower --baud/g, "flash slower")
    .replace(/Flash again with --full/g, "Flash everything")
    .replace(/choose another --port/g, "choose another board")
    .replace(/Name (the one you mean|its port) with --port\./g, "Choose one.");
}
