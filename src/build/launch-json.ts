/**
 * Reads what `.vscode/launch.json` says of firmware: the program, chip and port of debug configurations for controllers. Comments and
 * trailing commas are allowed there, and a half-typed file still gives what stands before the mistake.
 */
import { basename, join, resolve } from "node:path";
import type { ParseError } from "jsonc-parser";
import { optional } from "./flash-files.ts";
import type { Environment } from "./platformio-ini.ts";
import { kindOf, readBytes } from "./read-file.ts";

export interface LaunchFile {
  /** Full path. */
  readonly path: string;
  readonly launches: readonly Launch[];
  /** Sentences on what is wrong with it. */
  readonly reasons: readonly string[];
}

export interface Launch {
  readonly name: string;
  /** `cortex-debug`, `probe-rs-debug`, `gdbtarget`, `stlinkgdbtarget`. */
  readonly type: string;
  /** Full path; undefined when the file leaves it to a command of the editor. */
  readonly program?: string;
  readonly chip?: string;
}

const debugTypes = ["cortex-debug", "probe-rs-debug", "gdbtarget", "stlinkgdbtarget", "jlinkgdbtarget"];
const MAX_CONFIGURATIONS = 100;

type Values = Readonly<Record<string, unknown>>;

/** Undefined when the folder has none, or none that is about a controller. @throws FlashError `bad-image` when it cannot be read. */
export async function readLaunchFile(folder: string, environment: Environment): Promise<LaunchFile | undefined> {
  const path = join(folder, ".vscode", "launch.json");
  if ((await kindOf(path).catch(() => "missing")) !== "file") return undefined;
  const text = new TextDecoder().decode(await readBytes(path));
  if (!debugTypes.some((type) => text.includes(`"${type}"`))) return undefined;
  const { parse, printParseErrorCode } = await import("jsonc-parser");
  const errors: ParseError[] = [];
  const file: unknown = parse(text, errors, { allowTrailingComma: true });
  const configurations = asValues(file)["configurations"];
  const all = Array.isArray(configurations) ? configurations.slice(0, MAX_CONFIGURATIONS).map(asValues) : [];
  const launches = all.flatMap((values) => launchOf(values, folder, environment));
  const [error] = errors;
  const line = error === undefined ? 0 : text.slice(0, error.offset).split("\n").length;
  const reasons =
    error === undefined ? [] : [`${path} line ${line} is not valid: ${printParseErrorCode(error.error)}.`];
  return { path, launches, reasons };
}

function launchOf(values: Values, folder: string, environment: Environment): readonly Launch[] {
  const type = textOf(values["type"]);
  if (type === undefined || !debugTypes.includes(type)) return [];
  const words = { folder, environment };
  const cwd = resolve(folder, expand(textOf(values["cwd"]) ?? folder, words) ?? folder);
  const written = programOf(values);
  const expanded = written === undefined ? undefined : expand(written, words);
  const chip = chipOfDevice(textOf(values["chip"]) ?? textOf(values["device"]));
  return [
    {
      name: textOf(values["name"]) ?? type,
      type,
      ...optional("program", expanded === undefined ? undefined : resolve(cwd, slashes(expanded))),
      ...optional("chip", chip),
    },
  ];
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

/** Undefined when a variable can only be answered by the editor, as `${command:cmake.launchTargetPath}`. */
function expand(text: string, words: { folder: string; environment: Environment }): string | undefined {
  const unknown: string[] = [];
  const expanded = text.replace(/\$\{([^}]*)\}/g, (_, variable: string) => {
    const [kind = "", name] = variable.split(":", 2);
    const isThisFolder = name === undefined || name === basename(words.folder);
    if (["workspaceFolder", "workspaceRoot"].includes(kind) && isThisFolder) return words.folder;
    if (kind === "workspaceFolderBasename") return basename(words.folder);
    if (kind === "env" && name !== undefined) return words.environment[name] ?? "";
    unknown.push(variable);
    return "";
  });
  return unknown.length === 0 ? expanded : undefined;
}

/** `STM32F401RE` as it is; undefined for ids of a debug probe's own. */
function chipOfDevice(device: string | undefined): string | undefined {
  const name = device
    ?.trim()
    .toLowerCase()
    .replace(/_xx.*$/, "");
  return name === undefined || name === "" || name.includes("$") ? undefined : name;
}

function slashes(path: string): string {
  return process.platform === "win32" ? path : path.replaceAll("\\", "/");
}

function listOf(value: unknown): readonly Values[] {
  return Array.isArray(value) ? value.map(asValues) : [];
}

function asValues(value: unknown): Values {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Values) : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
