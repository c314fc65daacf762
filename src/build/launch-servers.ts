/**
 * The GDB server of a debug configuration in `.vscode/launch.json`: how each debugger would start it, or where it attaches. What
 * cannot be known is a sentence, never a guess. Starts nothing.
 */
import { resolve } from "node:path";
import { attachedTo, attachPort, cortexDebugServer, programPath, workingFolder } from "./cortex-debug-servers.ts";
import type { DraftOrReason } from "./cortex-debug-servers.ts";
import { gdbPortMark, kindOfProgram, speedNote, type LaunchServer } from "./gdb-server-launch.ts";
import { LaunchFields } from "./launch-fields.ts";
import { slashes, type Values, type Words } from "./launch-values.ts";

export interface LaunchPlace extends Words {
  /** Of the file. */
  readonly path: string;
  /** Where the configuration begins, from 1. */
  readonly line: number;
}

/** @param values a configuration of one of the debuggers for controllers */
export function serverOf(values: Values, place: LaunchPlace): LaunchServer {
  const fields = new LaunchFields(values, place);
  const type = fields.text("type") ?? "";
  const name = fields.text("name") ?? type;
  const draft = draftOf(type, fields);
  const reason = (why: string) => ({ name, reasons: [`“${name}” in ${place.path} gives no GDB server: ${why}.`] });
  if (fields.unknown.length > 0)
    return reason(`${[...new Set(fields.unknown)].join(", ")} is known to the editor only`);
  if (typeof draft === "string") return reason(draft);
  const evidence = `${place.path} line ${place.line}`;
  return { name, server: { id: `${place.path}#${name}`, name, ...draft, evidence }, reasons: [] };
}

function draftOf(type: string, fields: LaunchFields): DraftOrReason {
  switch (type) {
    case "cortex-debug":
      return cortexDebugServer(fields);
    case "probe-rs-debug":
      return probeRs(fields);
    case "gdbtarget":
      return gdbTarget(fields);
    default:
      return stTarget(type, fields);
  }
}

/**
 * `probe-rs gdb --help`. The extension itself starts no GDB server but a debug adapter; its `server` is the address of such an
 * adapter, so that a probe on another machine is out of reach.
 */
function probeRs(fields: LaunchFields): DraftOrReason {
  const adapter = fields.text("server");
  if (adapter !== undefined && !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\]):/.test(adapter))
    return `its probe is behind the debug adapter at ${adapter}, which is no GDB server`;
  const chip = fields.text("chip");
  if (chip === undefined && fields.unknown.length === 0) return "it names no chip for probe-rs";
  const own = fields.text("runtimeExecutable");
  const folder = workingFolder(fields);
  const isProbeRs = own !== undefined && kindOfProgram(own) === "probe-rs"; // else it is a debug adapter's own program
  const wire = fields.text("wireProtocol")?.toLowerCase();
  const probe = fields.text("probe");
  const speed = fields.text("speed");
  const args = [
    ...["gdb", "--chip", chip ?? "", "--gdb-connection-string", `127.0.0.1:${gdbPortMark}`],
    ...(wire === undefined ? [] : ["--protocol", wire]),
    ...(probe === undefined ? [] : ["--probe", probe]),
    ...(speed === undefined ? [] : ["--speed", speed]),
    ...(fields.isTrue("connectUnderReset") ? ["--connect-under-reset"] : []),
  ];
  const command = isProbeRs ? programPath(own, folder) : "probe-rs";
  return { kind: "probe-rs", program: { command, args, cwd: folder }, adapterSpeedNote: speedNote("probe-rs", args) };
}

/** Eclipse CDT's debug adapter, and Arm's CMSIS Debugger on top of it: `TargetLaunchArguments` in its `types/session.ts`. */
function gdbTarget(fields: LaunchFields): DraftOrReason {
  const target = fields.within("target");
  const [parameter] = target.texts("parameters") ?? [];
  const port = target.text("port");
  const address = parameter ?? (port === undefined ? undefined : `${target.text("host") ?? "localhost"}:${port}`);
  const command = target.text("server");
  if (target.unknown.length > 0) return onlyEditor(target);
  const pattern = target.text("serverPortRegExp");
  return ofProgram({
    fields,
    command,
    args: fields.within("target"),
    argsKey: "serverParameters",
    cwd: target.text("cwd"),
    address,
    pattern: pattern ?? (address === undefined ? "Listening on port ([0-9]+)\\r?\\n" : undefined),
  });
}

/** ST's debuggers: `serverExe` and the others as their generated configurations name them. */
function stTarget(type: string, fields: LaunchFields): DraftOrReason {
  const port = fields.text("serverPort");
  const command = fields.text("serverExe");
  const address = port === undefined ? undefined : `${fields.text("serverHost") ?? "localhost"}:${port}`;
  if (fields.unknown.length > 0 || (command === undefined && address === undefined)) {
    return fields.unknown.length > 0
      ? onlyEditor(fields)
      : `${type} finds its server by itself and the configuration names neither serverExe nor serverPort`;
  }
  const cwd = fields.text("serverCwd");
  return ofProgram({ fields, command, args: fields, argsKey: "serverParameters", cwd, address, pattern: undefined });
}

interface FoundProgram {
  readonly fields: LaunchFields;
  readonly command: string | undefined;
  readonly args: LaunchFields;
  readonly argsKey: string;
  readonly cwd: string | undefined;
  /** As GDB's `target remote` takes it. */
  readonly address: string | undefined;
  readonly pattern: string | undefined;
}

/** A command line that is written out: the port is the one that it was written for. */
function ofProgram({ fields, command, args, argsKey, cwd, address, pattern }: FoundProgram): DraftOrReason {
  const attach = address === undefined ? undefined : attachPort(address);
  if (address !== undefined && attach === undefined)
    return `its server's address ${address} is none that Deltaflash can reach`;
  if (command === undefined) return address === undefined ? "it names no server" : attachedTo("other", address);
  const kind = kindOfProgram(command);
  const given = args.texts(argsKey);
  const cannotStart =
    given === undefined
      ? `it names ${command} without parameters, which its debugger adds`
      : args.unknown.length > 0
        ? onlyEditor(args)
        : pattern !== undefined && !isPattern(pattern)
          ? `its serverPortRegExp ${pattern} is no regular expression with a group`
          : undefined;
  const where = attach === undefined ? {} : { attach };
  if (given === undefined || cannotStart !== undefined) {
    if (attach === undefined) return cannotStart ?? "it names no server";
    return { kind, ...where, cannotStart: cannotStart ?? "", adapterSpeedNote: speedNote(kind, given ?? []) };
  }
  const folder = workingFolder(fields);
  const program = {
    command: programPath(command, folder),
    args: given,
    cwd: cwd === undefined ? folder : resolve(folder, slashes(cwd)),
    ...(pattern === undefined || kind !== "other" ? {} : { readyPattern: pattern }),
  };
  return { kind, program, ...where, adapterSpeedNote: speedNote(kind, given) };
}

function onlyEditor({ unknown }: LaunchFields): string {
  return `${[...new Set(unknown)].join(", ")} is known to the editor only`;
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(`${text}|`).exec("")?.length === 2;
  } catch {
    return false;
  }
}

/** What a user may set instead of a debug configuration. */
export interface GdbServerSetting {
  readonly command: string;
  readonly args: readonly string[];
  /** Where it listens; undefined: at a free port that `{gdbPort}` in `args` stands for. */
  readonly port?: number;
}

/** @param words of the folder in which it is started */
export function serverOfSetting({ command, args, port }: GdbServerSetting, words: Words): LaunchServer {
  const name = "deltaflash.gdbServer";
  const fields = new LaunchFields({ command, args }, words);
  const path = fields.text("command") ?? "";
  const given = fields.texts("args") ?? [];
  if (fields.unknown.length > 0)
    return { name, reasons: [`The setting ${name} gives no server: ${onlyEditor(fields)}.`] };
  if (path === "") return { name, reasons: [`The setting ${name} gives no server: it names no command.`] };
  const kind = kindOfProgram(path);
  const program = { command: programPath(path, words.folder), args: given, cwd: words.folder };
  const where = port === undefined ? {} : { attach: `gdb://127.0.0.1:${port}` };
  const evidence = `the setting ${name}`;
  const server = { id: name, name, kind, program, ...where, evidence, adapterSpeedNote: speedNote(kind, given) };
  return { name, server, reasons: [] };
}
