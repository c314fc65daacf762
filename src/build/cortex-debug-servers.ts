/**
 * GDB servers of Cortex-Debug's configurations: the same programs with the same options as that extension starts them, but for
 * ports, which are ours, and for options that keep a server running when a client has gone. Field names: its debug_attributes.md.
 */
import { dirname, resolve } from "node:path";
import { freePortMark, gdbPortMark, speedNote, type GdbServerKind, type GdbServerLaunch } from "./gdb-server-launch.ts";
import type { LaunchFields } from "./launch-fields.ts";
import { slashes } from "./launch-values.ts";

export type Draft = Pick<GdbServerLaunch, "kind" | "program" | "attach" | "cannotStart" | "adapterSpeedNote">;
/** A server, or the end of a sentence that says why it is not known. */
export type DraftOrReason = Draft | string;

export function cortexDebugServer(fields: LaunchFields): DraftOrReason {
  const type = fields.text("servertype");
  if (Number(fields.text("targetProcessor") ?? 0) > 0)
    return "it debugs another core than the first, which is not supported";
  switch ((type ?? "").toLowerCase()) {
    case "openocd":
      return openOcd(fields);
    case "jlink":
      return jLink(fields);
    case "pyocd":
      return started("pyocd", fields, pyOcdArgs(fields));
    case "stutil":
      return started("st-util", fields, stUtilArgs(fields));
    case "stlink":
      return stLink(fields);
    case "qemu":
      return qemu(fields);
    case "bmp":
      return blackMagic(fields);
    case "external":
      return external(fields);
    default:
      return type === undefined ? "it names no servertype" : `its servertype ${type} is not supported`;
  }
}

/** Names that the programs have on PATH. */
const commands: Partial<Record<GdbServerKind, string>> = {
  openocd: "openocd",
  jlink: process.platform === "win32" ? "JLinkGDBServerCL.exe" : "JLinkGDBServerCLExe",
  pyocd: "pyocd",
  "st-util": "st-util",
  "st-link": "ST-LINK_gdbserver",
  qemu: "qemu-system-arm",
};

function started(kind: GdbServerKind, fields: LaunchFields, before: readonly string[]): Draft {
  const folder = workingFolder(fields);
  const path = fields.text("serverpath");
  const command = path === undefined ? (commands[kind] ?? kind) : programPath(path, folder);
  const args = [...before, ...(fields.texts("serverArgs") ?? [])];
  const own = fields.text("serverCwd");
  const beside = kind === "st-link" && path !== undefined ? dirname(command) : folder; // as Cortex-Debug does
  const cwd = own === undefined ? beside : resolve(folder, slashes(own));
  return { kind, program: { command, args, cwd }, adapterSpeedNote: speedNote(kind, args) };
}

/** OpenOCD User's Guide, "Running OpenOCD", "Server Configuration". */
function openOcd(fields: LaunchFields): DraftOrReason {
  const files = fields.texts("configFiles") ?? [];
  if (files.length === 0) return "it names no configFiles for OpenOCD";
  const folders = fields.texts("searchDir") ?? [];
  const commandsOf = (key: string) => (fields.texts(key) ?? []).flatMap((command) => ["-c", command]);
  const draft = started("openocd", fields, [
    ...["-c", `gdb_port ${gdbPortMark}`, "-c", "tcl_port disabled", "-c", "telnet_port disabled"],
    ...(folders.length === 0 ? [workingFolder(fields)] : folders).flatMap((folder) => ["-s", folder]),
    ...commandsOf("openOCDPreConfigLaunchCommands"),
    ...files.flatMap((file) => ["-f", file]),
  ]);
  if (draft.program === undefined) return draft;
  const args = [...draft.program.args, ...commandsOf("openOCDLaunchCommands")];
  return { ...draft, program: { ...draft.program, args }, adapterSpeedNote: speedNote("openocd", args) };
}

/** J-Link User Guide (UM08001), "J-Link GDB Server", "Command line options". Without `-singlerun` it outlives its clients. */
function jLink(fields: LaunchFields): DraftOrReason {
  const device = fields.text("device");
  if (device === undefined) return "it names no device for the J-Link GDB Server";
  const serial = fields.text("serialNumber");
  const address = fields.text("ipAddress");
  return started("jlink", fields, [
    ...["-nogui", "-if", fields.text("interface") ?? fields.text("jlinkInterface") ?? "swd"],
    ...["-port", gdbPortMark, "-swoport", freePortMark, "-telnetport", freePortMark],
    ...["-localhostonly", "1", "-device", device],
    ...(serial === undefined ? option("-select", address && `ip=${address}`) : ["-select", `usb=${serial}`]),
    ...option("-jlinkscriptfile", fields.text("jlinkscript")),
  ]);
}

/** `pyocd gdbserver --help`; `--persist` keeps it running when a client has gone. */
function pyOcdArgs(fields: LaunchFields): readonly string[] {
  return [
    ...["gdbserver", "--persist", "--port", gdbPortMark, "--telnet-port", freePortMark],
    ...option("--uid", fields.text("boardId") ?? fields.text("board") ?? fields.text("serialNumber")),
    ...option("--target", fields.text("targetId") ?? fields.text("target")),
    ...option("--pack", fields.text("cmsisPack")),
  ];
}

/** `st-util --help`; `--multi` goes on listening when a client has gone. */
function stUtilArgs(fields: LaunchFields): readonly string[] {
  return [
    ...["-p", gdbPortMark, "--multi", "--no-reset"],
    ...(fields.isTrue("v1") ? ["--stlinkv1"] : []),
    ...option("--serial", fields.text("serialNumber")),
  ];
}

/** UM2576, "STM32CubeIDE ST-LINK GDB server"; `-e` keeps it running when a client has gone. */
function stLink(fields: LaunchFields): DraftOrReason {
  const programmer = fields.text("stm32cubeprogrammer");
  const named = (fields.texts("serverArgs") ?? []).includes("-cp");
  if (programmer === undefined && !named)
    return "it does not say where STM32CubeProgrammer is (stm32cubeprogrammer), which ST-LINK_gdbserver needs";
  const wire = (fields.text("interface") ?? "swd").toLowerCase();
  return started("st-link", fields, [
    ...["-p", gdbPortMark, "-e"],
    ...option("-cp", programmer),
    ...(["jtag", "cjtag"].includes(wire) ? [] : ["--swd"]),
    ...option("--serial-number", fields.text("serialNumber")),
    "--halt",
  ]);
}

/** QEMU's "Invocation", "GDB usage". Without Cortex-Debug's `-kernel`: that program would be put back at every reset. */
function qemu(fields: LaunchFields): Draft {
  return started("qemu", fields, [
    ...["-cpu", fields.text("cpu") ?? "cortex-m3", "-machine", fields.text("machine") ?? "lm3s6965evb", "-nographic"],
    ...["-semihosting-config", "enable=on,target=native", "-gdb", `tcp:127.0.0.1:${gdbPortMark}`, "-S"],
  ]);
}

/** The probe is the server: its first serial port speaks the protocol. */
function blackMagic(fields: LaunchFields): DraftOrReason {
  const port = fields.text("BMPGDBSerialPort");
  if (port === undefined) return "it names no BMPGDBSerialPort";
  return attachedTo("black-magic", port);
}

function external(fields: LaunchFields): DraftOrReason {
  const target = fields.text("gdbTarget");
  return target === undefined ? "it names no gdbTarget for its external server" : attachedTo("other", target);
}

/** @param target as GDB's `target remote` takes it: `localhost:3333`, `:3333`, `tcp:host:3333`, `/dev/ttyACM0`, `COM3` */
export function attachedTo(kind: GdbServerKind, target: string): DraftOrReason {
  const attach = attachPort(target);
  if (attach === undefined) return `its server's address ${target} is none that Deltaflash can reach`;
  const cannotStart =
    kind === "black-magic" ? "the server is in the probe" : "it says where its server is, not how it is started";
  return {
    kind,
    attach,
    cannotStart,
    adapterSpeedNote: "Whoever started the server set the speed of the debug probe.",
  };
}

export function attachPort(target: string): string | undefined {
  const socket = /^(?:tcp[46]?:)?(\[[0-9a-f:]+\]|[a-z0-9._-]*):(\d{1,5})$/i.exec(target);
  const port = Number(socket?.[2]);
  if (socket !== null) return port > 0 && port <= 65_535 ? `gdb://${socket[1] || "localhost"}:${port}` : undefined;
  const isDevice = target.startsWith("/dev/") || /^(\\\\\.\\)?COM\d+$/i.test(target);
  return isDevice ? `gdb:${target}` : undefined;
}

export function workingFolder(fields: LaunchFields): string {
  const { folder } = fields.words;
  return resolve(folder, slashes(fields.text("cwd") ?? folder));
}

/** A bare name is found by PATH. */
export function programPath(command: string, folder: string): string {
  return /[\\/]/.test(command) ? resolve(folder, slashes(command)) : command;
}

function option(name: string, value: string | undefined): readonly string[] {
  return value === undefined || value === "" ? [] : [name, value];
}
