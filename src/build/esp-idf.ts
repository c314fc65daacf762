/**
 * Reads what ESP-IDF's build leaves: `flasher_args.json`, in the spelling of IDF 6 and in that of older ones, and
 * `project_description.json` beside it. Both are written when the project is configured: the files they name may be missing.
 */
import { dirname, join, resolve } from "node:path";
import { FlashError } from "../core/errors.ts";
import type { BuildFlashSettings, ImageArtifact, LoadOptions } from "./artifact.ts";
import { optionsOf, settingsOf } from "./flash-args.ts";
import { loadFiles, optional, parseOffset, type FileAt, type ImageFacts } from "./flash-files.ts";
import { flagField, objectField, readJson, requiredText, textField, textsField, type JsonObject } from "./json.ts";
import { asBaud } from "./kconfig.ts";
import { localPath } from "./local-path.ts";
import { kindOf } from "./read-file.ts";

export const FLASHER_ARGS = "flasher_args.json";
export const PROJECT_DESCRIPTION = "project_description.json";

/** The `flasher_args.json` in the folder itself or in its `build` folder. */
export async function findFlasherArgs(folder: string): Promise<string | undefined> {
  for (const path of [join(folder, FLASHER_ARGS), join(folder, "build", FLASHER_ARGS)]) {
    if ((await kindOf(path)) === "file") return path;
  }
  return undefined;
}

/** What the build says, nothing of the binaries read yet. */
export interface FlasherArgs {
  readonly files: readonly FileAt[];
  readonly facts: ImageFacts;
}

/** @throws FlashError `bad-image` naming the file, the field or the missing binary with its full path. */
export async function loadFlasherArgs(path: string, options: LoadOptions = {}): Promise<ImageArtifact> {
  const { files, facts } = await readFlasherArgs(path);
  if (options.appOnly === true && facts.parts?.app === undefined) {
    throw new FlashError("bad-image", `${resolve(path)} names no application`, {
      remedy: "Build the application, or leave --app-only away.",
    });
  }
  return loadFiles(files, facts, options);
}

/** @throws FlashError `bad-image` naming the file and the field that is wrong. */
export async function readFlasherArgs(path: string): Promise<FlasherArgs> {
  const args = await readJson(resolve(path));
  const folder = dirname(resolve(path));
  const named = await namedParts(args, folder);
  const offsetOf = (name: string) => named.find((part) => part.name === name)?.offset;
  const parts = {
    ...optional("app", offsetOf("app")),
    ...optional("bootloader", offsetOf("bootloader")),
    ...optional("partitionTable", offsetOf("partition-table")),
  };
  const facts = { system: "esp-idf", parts, ...toolFacts(args), ...(await projectFacts(folder)) } as const;
  return { files: await flashFiles(args, folder, named), facts };
}

function toolFacts(args: JsonObject): Pick<ImageArtifact, "flashSettings" | "chip" | "before" | "after" | "stub"> {
  const extra = objectField(args, "extra_esptool_args") ?? { where: args.where, values: {} };
  return {
    ...optional("flashSettings", flashSettings(args)),
    ...optional("chip", textField(extra, "chip")),
    ...optional("before", today(textField(extra, "before"))),
    ...optional("after", today(textField(extra, "after"))),
    ...optional("stub", flagField(extra, "stub")),
  };
}

interface Part extends FileAt {
  readonly name: string;
}

/** The entries `{offset, file, encrypted}` of `bootloader`, `app`, `partition-table`, `otadata`, and of the project's own partitions. */
async function namedParts(args: JsonObject, folder: string): Promise<readonly Part[]> {
  const parts: Part[] = [];
  for (const [name, value] of Object.entries(args.values)) {
    if (typeof value !== "object" || value === null || !("file" in value) || !("offset" in value)) continue;
    const entry = objectField(args, name);
    if (entry === undefined) continue;
    parts.push({
      name: name === "partition_table" ? "partition-table" : name,
      offset: parseOffset(requiredText(entry, "offset"), entry.where),
      path: await localPath(folder, requiredText(entry, "file")),
      encrypted: flagField(entry, "encrypted") === true,
    });
  }
  return parts;
}

async function flashFiles(args: JsonObject, folder: string, parts: readonly Part[]): Promise<readonly FileAt[]> {
  const table = objectField(args, "flash_files");
  if (table === undefined || Object.keys(table.values).length === 0) {
    throw new FlashError("bad-image", `${args.where}: flash_files is ${table === undefined ? "missing" : "empty"}`, {
      remedy: "Configure and build the project again: the file is incomplete or not from an ESP-IDF build.",
    });
  }
  const files: FileAt[] = [];
  for (const offsetText of Object.keys(table.values)) {
    const offset = parseOffset(offsetText, table.where);
    const path = await localPath(folder, requiredText(table, offsetText));
    files.push(parts.find((part) => part.offset === offset) ?? { offset, path });
  }
  return files;
}

/** `flash_settings`, else the options of `write_flash_args`. */
function flashSettings(args: JsonObject): BuildFlashSettings | undefined {
  const settings = objectField(args, "flash_settings");
  const options = settings === undefined ? optionsOf(textsField(args, "write_flash_args")) : new Map<string, string>();
  const value = (name: string) => (settings === undefined ? options.get(name) : textField(settings, name));
  const found = settingsOf(value);
  return Object.keys(found).length === 0 ? undefined : found;
}

/** `hard_reset` is the old spelling of `hard-reset`. */
function today(word: string | undefined): string | undefined {
  return word?.replaceAll("_", "-");
}

async function projectFacts(folder: string): Promise<{ readonly elfPath?: string; readonly monitorBaud?: number }> {
  const project = await readProjectDescription(folder);
  return {
    ...optional("elfPath", project?.elfPath),
    ...optional("monitorBaud", project?.monitorBaud),
  };
}

export interface ProjectDescription {
  readonly path: string;
  readonly name?: string;
  readonly chip?: string;
  /** Full paths. */
  readonly elfPath?: string;
  readonly configPath?: string;
  readonly monitorBaud?: number;
}

/** Undefined when there is none. @throws FlashError `bad-image` when it is damaged. */
export async function readProjectDescription(folder: string): Promise<ProjectDescription | undefined> {
  const path = join(folder, PROJECT_DESCRIPTION);
  if ((await kindOf(path)) !== "file") return undefined;
  const project = await readJson(path);
  const elf = textField(project, "app_elf");
  const config = textField(project, "config_file");
  return {
    path,
    ...optional("name", textField(project, "project_name")),
    ...optional("chip", textField(project, "target")),
    ...optional("elfPath", elf === undefined ? undefined : await localPath(folder, elf)),
    ...optional("configPath", config === undefined ? undefined : await localPath(dirname(folder), config)),
    ...optional("monitorBaud", asBaud(textField(project, "monitor_baud"))),
  };
}
