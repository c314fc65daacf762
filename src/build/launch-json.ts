/**
 * Reads what `.vscode/launch.json` says of firmware: program, chip and GDB server of debug configurations for controllers. Comments and
 * trailing commas are allowed there, and a half-typed file still gives what stands before the mistake.
 */
import { join, resolve } from "node:path";
import type { ParseError } from "jsonc-parser";
import { optional } from "./flash-files.ts";
import type { LaunchServer } from "./gdb-server-launch.ts";
import { serverOf } from "./launch-servers.ts";
import { asValues, expand, listOf, slashes, textOf, type Values } from "./launch-values.ts";
import type { Environment } from "./platformio-ini.ts";
import { kindOf, readBytes } from "./read-file.ts";

export interface LaunchFile {
  /** Full path. */
  readonly path: string;
  readonly launches: readonly Launch[];
  /** What the same configurations say of their GDB servers, in the same order. */
  readonly servers: readonly LaunchServer[];
  /** Sentences on what is wrong with it. */
  readonly reasons: readonly string[];
}

export interface Launch {
  readonly name: string;
  /** `cortex-debug`, `probe-rs-debug`, `gdbtarget`, `stlinkgdbtarget` … */
  readonly type: string;
  /** Full path; undefined when the file leaves it to a command of the editor. */
  readonly program?: string;
  readonly chip?: string;
}

const stTypes = ["stlinkgdbtarget", "jlinkgdbtarget", "stgdbtarget"];
const debugTypes = ["cortex-debug", "probe-rs-debug", "gdbtarget", ...stTypes];
const MAX_CONFIGURATIONS = 100;

/** Undefined when the folder has none, or none that is about a controller. @throws FlashError `bad-image` when it cannot be read. */
export async function readLaunchFile(folder: string, environment: Environment): Promise<LaunchFile | undefined> {
  const path = join(folder, ".vscode", "launch.json");
  if ((await kindOf(path).catch(() => "missing")) !== "file") return undefined;
  const text = new TextDecoder().decode(await readBytes(path));
  if (!debugTypes.some((type) => text.includes(`"${type}"`))) return undefined;
  const { findNodeAtLocation, getNodeValue, parseTree, printParseErrorCode } = await import("jsonc-parser");
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: true });
  const list = tree === undefined ? undefined : findNodeAtLocation(tree, ["configurations"]);
  const all = (list?.type === "array" ? (list.children ?? []) : []).slice(0, MAX_CONFIGURATIONS).map((node) => {
    const place = { path, line: lineOf(text, node.offset) };
    return { values: forThisSystem(asValues(getNodeValue(node))), place };
  });
  const ours = all.filter(({ values }) => debugTypes.includes(textOf(values["type"]) ?? ""));
  const launches = ours.map(({ values }) => launchOf(values, folder, environment));
  const servers = ours.map(({ values, place }) => serverOf(values, { ...place, folder, environment }));
  const [error] = errors;
  const reasons =
    error === undefined
      ? []
      : [`${path} line ${lineOf(text, error.offset)} is not valid: ${printParseErrorCode(error.error)}.`];
  return { path, launches, servers, reasons };
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

/** `"windows": { … }` beside the others wins there. */
function forThisSystem(values: Values): Values {
  const system = { win32: "windows", darwin: "osx" }[process.platform as string] ?? "linux";
  return { ...values, ...asValues(values[system]) };
}

function launchOf(values: Values, folder: string, environment: Environment): Launch {
  const type = textOf(values["type"]) ?? "";
  const words = { folder, environment };
  const cwd = resolve(folder, expand(textOf(values["cwd"]) ?? folder, words) ?? folder);
  const written = programOf(values);
  const expanded = written === undefined ? undefined : expand(written, words);
  const chip = chipOfDevice(textOf(values["chip"]) ?? textOf(values["device"]));
  return {
    name: textOf(values["name"]) ?? type,
    type,
    ...optional("program", expanded === undefined ? undefined : resolve(cwd, slashes(expanded))),
    ...optional("chip", chip),
  };
}

/** Every debugger calls it differently. */
function programOf(values: Values): string | undefined {
  const [core] = listOf(values["coreConfigs"]);
  const [image] = listOf(values["imagesAndSymbols"]);
  const imageAndSymbols = asValues(values["imageAndSymbols"]);
  const candidates = [
    values["executable"],
    core?.["programBinary"],
    image?.["imageFileName"],
    imageAndSymbols["imageFileName"],
    values["program"],
  ];
  return candidates.map(textOf).find((text) => text !== undefined && text !== "");
}

/** `STM32F401RE` as it is; undefined for ids of a debug probe's own. */
function chipOfDevice(device: string | undefined): string | undefined {
  const name = device
    ?.trim()
    .toLowerCase()
    .replace(/_xx.*$/, "");
  return name === undefined || name === "" || name.includes("$") ? undefined : name;
}
