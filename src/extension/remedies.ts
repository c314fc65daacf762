/** One click per failure: which error code is helped by which act. Knows no editor. */
import type { FlashErrorCode } from "../core/errors.ts";

export type Remedy =
  | "select-board"
  | "flash-again"
  | "stop-debugging"
  | "flash-slower"
  | "flash-full"
  | "build"
  | "show-changes"
  | "show-log";

/** Slow enough for any cable. */
export const slowBaud = 115_200;

/** Debuggers that start or use a GDB server, and debug adapters that open the probe themselves. */
const probeDebuggers =
  /^(cortex-debug|mcu-debug|probe-rs-debug|gdbtarget|(st|stlink|jlink)gdbtarget|platformio-debug)$/;

export function holdsProbe(debugType: string): boolean {
  return probeDebuggers.test(debugType);
}

/** A board that is reached through a debug probe, which one program can have at a time. */
export function isBehindProbe(port: string): boolean {
  return port.startsWith("gdb:");
}

/** Undefined: the user wanted it so, nothing is said. */
export function remedyFor(code: FlashErrorCode, port: string): Remedy | undefined {
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
      return isBehindProbe(port) ? "flash-again" : "flash-slower"; // a bit rate is of no use there
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

/** The words of the command line, and what they are for somebody who has buttons and settings instead of options. */
const words: readonly (readonly [commandLine: RegExp, editor: string])[] = [
  [/Check the cable and the port; `deltaflash ports` lists what is there\./, "Check the cable and the port."],
  [/Flash again with a lower --baud/g, "Flash slower"],
  [/try a lower --baud/g, "flash slower"],
  [/Flash again with --full/g, "Flash everything"],
  [/choose another --port/g, "choose another board"],
  [/name its port with --port/g, "choose it"],
  [/Name the one you mean with --port/g, "Choose the one you mean"],
  [/Flash it without --ram/g, "Flash it instead of loading it"],
  [/load to RAM with --ram/g, "use *Load to RAM and Run*"],
  [/Give the size by --flash-size, for example --flash-size 4MB\./g, "Flash the build folder, which names the size."],
  [/the output of --verbose/g, "the log"],
  [/without --no-stub/g, "with the setting deltaflash.useStub on"],
  [/with --no-stub/g, "with the setting deltaflash.useStub off"],
  [/--app-only/g, "the setting deltaflash.appOnly"],
  [/--(chip|board|baud) (?=[0-9a-z])/g, "deltaflash.$1: "],
  [/--(chip|board|baud)\b/g, "setting deltaflash.$1"],
];

export function wordsForEditor(remedy: string): string {
  return words.reduce((text, [commandLine, editor]) => text.replace(commandLine, editor), remedy);
}
