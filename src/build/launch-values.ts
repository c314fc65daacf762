/** What may stand in a value of `.vscode/launch.json`: variables of the editor, paths of other systems. Knows no debugger. */
import { basename, delimiter, sep } from "node:path";
import type { Environment } from "./platformio-ini.ts";

export type Values = Readonly<Record<string, unknown>>;

/** What variables stand for. */
export interface Words {
  readonly folder: string;
  readonly environment: Environment;
}

/**
 * Undefined when a variable can only be answered by the editor, as `${command:cmake.launchTargetPath}`. Variables as in
 * https://code.visualstudio.com/docs/reference/variables-reference
 * @param unknown the variables that nobody but the editor knows are added here
 */
export function expand(text: string, words: Words, unknown: string[] = []): string | undefined {
  const before = unknown.length;
  const expanded = text.replace(/\$\{([^}]*)\}/g, (whole, variable: string) => {
    const value = valueOf(variable, words);
    if (value === undefined) unknown.push(whole);
    return value ?? "";
  });
  return unknown.length === before ? expanded : undefined;
}

function valueOf(variable: string, { folder, environment }: Words): string | undefined {
  const [kind = "", name] = variable.split(":", 2);
  if (kind === "env" && name !== undefined) return environment[name] ?? "";
  if (name !== undefined && name !== basename(folder)) return undefined;
  switch (kind) {
    case "workspaceFolder":
    case "workspaceRoot":
      return folder;
    case "workspaceFolderBasename":
      return basename(folder);
    case "userHome":
      return environment["HOME"] ?? environment["USERPROFILE"];
    case "pathSeparator":
    case "/":
      return sep;
    case "pathListSeparator":
      return delimiter;
    default:
      return undefined;
  }
}

export function slashes(path: string): string {
  return process.platform === "win32" ? path : path.replaceAll("\\", "/");
}

export function listOf(value: unknown): readonly Values[] {
  return Array.isArray(value) ? value.map(asValues) : [];
}

export function asValues(value: unknown): Values {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Values) : {};
}

/** Undefined for what is no text. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
