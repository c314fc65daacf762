/** What can go wrong with a GDB server, in sentences: what it said last, and what helps. */
import type { GdbServerLaunch } from "../build/gdb-server-launch.ts";
import { asFlashError, FlashError } from "../core/errors.ts";
import { isNotThere, type ServerProcess } from "./server-process.ts";

const stopOrShare =
  "Stop debugging, or let the server take more clients (OpenOCD: `-gdb-max-connections 2` in its configuration), then flash again.";

/** libusb's, Linux', Windows' and the servers' own words for a probe that somebody else has open. */
const probeIsTaken = /LIBUSB_ERROR_BUSY|resource busy|device busy|in use by another|already (in use|open)|exclusive/i;
const portIsTaken = /address already in use|EADDRINUSE|couldn'?t bind|failed to (bind|find free)|10048/i;
/** OpenOCD's src/server/server.c, and words of the same kind. */
const clientRefused = /no more connections allowed|too many connections/i;
/** OpenOCD's src/server/gdb_server.c: it answers nobody while it does not reach the chip. */
const chipNotReached = /refuse gdb connection|not examined yet/i;

/** `the GDB server of “Debug” (openocd)`. */
export function serverOf({ name, program }: GdbServerLaunch): string {
  return `the GDB server of “${name}”${program === undefined ? "" : ` (${program.command})`}`;
}

export function isPortTaken(process: ServerProcess): boolean {
  return process.said(portIsTaken);
}

/** It ended although nobody told it to. */
export function serverDied(launch: GdbServerLaunch, process: ServerProcess): FlashError {
  const { end = "ended" } = process;
  if (isNotThere(end)) {
    return new FlashError("board-not-found", `${serverOf(launch)} ${end}`, {
      remedy: `Install it, or name it in ${launch.evidence}.`,
    });
  }
  const message = `${serverOf(launch)} ${end}${words(process)}`;
  if (process.said(portIsTaken)) {
    return new FlashError("port-busy", message, { remedy: "End the program that has its port, then flash again." });
  }
  if (process.said(probeIsTaken)) {
    return new FlashError("port-busy", message, {
      remedy: "Stop debugging, or end the program that has the probe, then flash again.",
    });
  }
  return new FlashError("disconnected", message, { remedy: checkRemedy(launch) });
}

export function serverNeverReady(launch: GdbServerLaunch, process: ServerProcess, limitMs: number): FlashError {
  const message = `${serverOf(launch)} does not listen after ${limitMs / 1000} s${words(process)}`;
  return new FlashError("timeout", message, { remedy: checkRemedy(launch) });
}

export function nothingListens(launch: GdbServerLaunch): FlashError {
  const why = launch.cannotStart === undefined ? "" : `, and it cannot be started: ${launch.cannotStart}`;
  return new FlashError(
    "board-not-found",
    `nothing listens at ${launch.attach ?? "its port"} of “${launch.name}”${why}`,
    {
      remedy: "Start the server, or choose another port, then flash again.",
    },
  );
}

/** What a connection that broke, or got no answer, means when the server itself is well. */
export function clientTurnedAway(port: string, process: ServerProcess | undefined, error: unknown): FlashError {
  const flashError = asFlashError(error);
  const { code, message } = flashError;
  const last = process?.lastOf([clientRefused, chipNotReached]);
  if (last !== undefined && chipNotReached.test(last)) {
    return new FlashError("disconnected", `the GDB server at ${port} does not reach the chip: ${last}`, {
      cause: error,
      remedy: "Check the cable and power of probe and board, then flash again.",
    });
  }
  if (last === undefined && code !== "disconnected" && code !== "timeout") return flashError;
  const what =
    last === undefined
      ? `the GDB server at ${port} accepts a connection and says nothing, as it does when a debugger has it (${message})`
      : `the GDB server at ${port} takes no second client: ${last}`;
  return new FlashError("port-busy", what, { cause: error, remedy: stopOrShare });
}

function checkRemedy({ evidence }: GdbServerLaunch): string {
  return `Check the cable and power of probe and board, and ${evidence}; all that the server said is in the output of --verbose.`;
}

function words(process: ServerProcess): string {
  const last = process.lastWords();
  return last === "" ? "; it said nothing" : `: ${last}`;
}
