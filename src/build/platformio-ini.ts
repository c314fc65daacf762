/**
 * Reads `platformio.ini` as PlatformIO does: sections, values over several lines, `extends`, and `${section.option}`.
 * Source: `platformio/project/config.py` (Apache-2.0) and "Configuration File" of its documentation. Knows nothing of builds.
 */
import { readdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { FlashError } from "../core/errors.ts";
import { readBytes } from "./read-file.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface PlatformIoConfig {
  /** Names, in the file's order. */
  readonly envs: readonly string[];
  /** Of an environment, with `[env]` and `extends` and interpolation applied; undefined when it is not set. */
  option(env: string, name: string): string | undefined;
  /** Of `[platformio]`. */
  projectOption(name: string): string | undefined;
}

type Sections = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** References followed for one option, those in references counted too. */
const MAX_REFERENCES = 200;
const MAX_SECTIONS = 50;

/** @throws FlashError `bad-image` when a file cannot be read or a line of it is neither section, option nor comment. */
export async function readPlatformIoConfig(path: string, system: Environment): Promise<PlatformIoConfig> {
  const sections = new Map<string, Map<string, string>>();
  await readInto(sections, path);
  const folder = dirname(resolve(path));
  const lookup = (section: string, name: string) =>
    optionOf({ sections, system, folder, left: MAX_REFERENCES }, section, name);
  for (const pattern of multiValue(lookup("platformio", "extra_configs"))) {
    for (const file of await matching(folder, pattern)) await readInto(sections, file);
  }
  return {
    envs: [...sections.keys()].flatMap((name) => (name.startsWith("env:") ? name.slice(4) : [])),
    option: (env, name) => lookup(`env:${env}`, name),
    projectOption: (name) => lookup("platformio", name),
  };
}

/** `a, b` or one per line, without comments. */
export function multiValue(value: string | undefined): readonly string[] {
  const items = (value ?? "").split((value ?? "").includes("\n") ? "\n" : ",");
  return items.map((item) => item.replace(/\s+[;#].*$/, "").trim()).filter((item) => !/^([;#]|$)/.test(item));
}

async function readInto(sections: Map<string, Map<string, string>>, path: string): Promise<void> {
  const text = new TextDecoder().decode(await readBytes(path));
  let section: Map<string, string> | undefined;
  let option: string | undefined;
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = /^\s*[;#]/.test(raw) ? "" : raw.replace(/\s[;#].*$/, "").trimEnd();
    const name = /^\[(.+)\]/.exec(line)?.[1];
    if (name !== undefined) {
      section = sections.get(name) ?? new Map();
      sections.set(name, section);
      option = undefined;
    } else if (line !== "" && /^\s/.test(line) && section !== undefined && option !== undefined) {
      section.set(option, `${section.get(option) ?? ""}\n${line.trim()}`);
    } else if (line !== "") {
      const [, key, value] = /^\s*([^=:]+?)\s*[=:]\s*(.*)$/.exec(line) ?? [];
      if (section === undefined || key === undefined || value === undefined) {
        throw new FlashError("bad-image", `${path} line ${index + 1} is no section and no option: ${line.trim()}`, {
          remedy: "Correct platformio.ini.",
        });
      }
      option = key.toLowerCase();
      section.set(option, value);
    }
  }
}

interface Lookup {
  readonly sections: Sections;
  readonly system: Environment;
  /** The project's. */
  readonly folder: string;
  /** How many references may still be followed; what is left then stays as written. */
  left: number;
}

function optionOf(lookup: Lookup, section: string, name: string): string | undefined {
  const value =
    rawOption(lookup.sections, section, name) ?? (section === "platformio" ? builtIn(lookup, name) : undefined);
  if (value === undefined) return value;
  return value.replace(/\$\{([^.}()]+)\.([^}]+)\}/g, (reference, from: string, option: string) => {
    lookup.left -= 1;
    if (lookup.left < 0) return reference;
    if (from === "sysenv") return lookup.system[option] ?? "";
    if (from === "this" && option === "__env__") return section.replace(/^env:/, "");
    return optionOf(lookup, from === "this" ? section : from, option) ?? "";
  });
}

/** The section itself, then what it extends, then `[env]`. */
function rawOption(sections: Sections, section: string, name: string): string | undefined {
  const queue = section.startsWith("env:") ? ["env", section] : [section];
  for (let seen = 0; seen < MAX_SECTIONS; seen += 1) {
    const next = queue.pop();
    if (next === undefined) return undefined;
    const options = sections.get(next);
    const value = options?.get(name);
    if (value !== undefined) return value;
    queue.push(...[...multiValue(options?.get("extends"))].reverse());
  }
  return undefined;
}

function builtIn(lookup: Lookup, name: string): string | undefined {
  switch (name) {
    case "default_envs":
      return lookup.system["PLATFORMIO_DEFAULT_ENVS"];
    case "workspace_dir":
      return lookup.system["PLATFORMIO_WORKSPACE_DIR"] ?? join(lookup.folder, ".pio");
    case "build_dir":
      return lookup.system["PLATFORMIO_BUILD_DIR"] ?? "${platformio.workspace_dir}/build";
    default:
      return undefined;
  }
}

/** Files of one folder; `*` in the name only. */
async function matching(folder: string, pattern: string): Promise<readonly string[]> {
  const path = resolve(folder, pattern);
  if (!basename(path).includes("*")) return [path];
  const name = new RegExp(
    `^${basename(path)
      .replace(/[.+?^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*")}$`,
  );
  const names = await readdir(dirname(path)).catch(() => []);
  return names
    .filter((file) => name.test(file))
    .sort()
    .map((file) => join(dirname(path), file));
}
