/** How a GDB server is reached or started, as data. Knows no debugger's settings and starts nothing. */

/** By its program; `other` is one whose words are not known. */
export type GdbServerKind =
  "openocd" | "jlink" | "pyocd" | "st-util" | "st-link" | "black-magic" | "qemu" | "probe-rs" | "other";

/** In an argument: the port at which the server is to listen, chosen when it starts. */
export const gdbPortMark = "{gdbPort}";
/** In an argument: some port that is free when the server starts, another one at each place. */
export const freePortMark = "{freePort}";

export interface ServerProgram {
  /** Found by PATH if it is no path. */
  readonly command: string;
  /** Handed over as they are, by no shell. */
  readonly args: readonly string[];
  readonly cwd: string;
  /** A regular expression for what it says when it listens; its first group is the port. Only where the kind does not tell. */
  readonly readyPattern?: string;
}

export interface GdbServerLaunch {
  /** The same for the same configuration each time its file is read, and for no other one. */
  readonly id: string;
  /** As the user calls it. */
  readonly name: string;
  readonly kind: GdbServerKind;
  /** Undefined: it can only be attached to. */
  readonly program?: ServerProgram;
  /** Where it listens, `gdb://host:port` or `gdb:/dev/ttyACM0`, if the configuration says so. */
  readonly attach?: string;
  /** Why there is no `program`, as the end of a sentence: `its parameters are known to the editor only`. */
  readonly cannotStart?: string;
  /** File and line of the configuration. */
  readonly evidence: string;
  /** A sentence on the speed of the debug probe: who sets it, and to what. */
  readonly adapterSpeedNote: string;
}

/** What a debug configuration says of its server: the server, or the reasons why it is not known. */
export interface LaunchServer {
  /** Of the debug configuration. */
  readonly name: string;
  readonly server?: GdbServerLaunch;
  /** Whole sentences; empty when all is known. */
  readonly reasons: readonly string[];
}

/** By the name of the program file. */
export function kindOfProgram(command: string): GdbServerKind {
  const name = (command.split(/[\\/]/).at(-1) ?? "").toLowerCase().replace(/\.(exe|sh|cmd|bat)$/, "");
  if (name.startsWith("openocd")) return "openocd";
  if (name.startsWith("jlinkgdbserver")) return "jlink";
  if (name.startsWith("pyocd")) return "pyocd";
  if (name === "st-util") return "st-util";
  if (name === "st-link_gdbserver") return "st-link";
  if (name.startsWith("blackmagic")) return "black-magic";
  if (name.startsWith("qemu-system-")) return "qemu";
  return name === "probe-rs" ? "probe-rs" : "other";
}

/** Where each program takes the speed, by its own documentation; kHz unless a unit is given. */
const speedOptions: Partial<Record<GdbServerKind, RegExp>> = {
  openocd: /\badapter[ _](?:speed|khz) +(\S+)/, // User's Guide, "Debug Adapter Configuration"
  jlink: /(?:^|\n)-speed\n(\S+)/, // UM08001, "Command line options"
  pyocd: /(?:^|\n)(?:-f|--frequency)[\n=](\S+)/, // pyocd gdbserver --help
  "st-util": /(?:^|\n)(?:-F\n|--freq[\n=])(\S+)/, // st-util --help
  "st-link": /(?:^|\n)--frequency\n(\S+)/, // UM2576
  "probe-rs": /(?:^|\n)--speed[\n=](\S+)/, // probe-rs gdb --help
};

export function speedNote(kind: GdbServerKind, args: readonly string[]): string {
  if (kind === "qemu") return "There is no debug probe, and nothing to set a speed of.";
  const speed = speedOptions[kind]?.exec(args.join("\n"))?.[1]?.replace(/[;"']+$/, "");
  if (speed !== undefined) {
    const unit = /^\d+$/.test(speed) ? (kind === "pyocd" ? " Hz" : " kHz") : "";
    return `The debug probe runs at ${speed}${unit}, as the configuration says.`;
  }
  return kind === "openocd"
    ? "OpenOCD's board and interface files set the speed of the debug probe; `adapter speed` in the configuration sets another."
    : "The configuration names no speed of the debug probe: the server takes its own.";
}
