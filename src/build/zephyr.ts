/**
 * Reads what Zephyr's build leaves: `zephyr/runners.yaml` says which file `west flash` would write, `zephyr/.config` for which chip.
 * An ESP image has its flash offset from the runner's arguments; everything else counts in the target's own memory.
 * Source: `cmake/flash/CMakeLists.txt` and `scripts/west_commands/runners` of Zephyr (Apache-2.0).
 */
import { basename, join, resolve } from "node:path";
import { FlashError } from "../core/errors.ts";
import { makeImage } from "../core/image.ts";
import type { Artifact, BuildFlashSettings, ImageArtifact, LoadOptions } from "./artifact.ts";
import { loadElf } from "./elf-file.ts";
import { settingsOf } from "./flash-args.ts";
import { loadFiles, optional, parseOffset, type FileAt } from "./flash-files.ts";
import { loadHex } from "./hex-file.ts";
import { objectField, textField, textsField, type JsonObject } from "./json.ts";
import { kconfigNumber, readKconfig } from "./kconfig.ts";
import { localPath } from "./local-path.ts";
import { kindOf, readBytes } from "./read-file.ts";
import { readYaml } from "./yaml.ts";

export const RUNNERS = "runners.yaml";
const buildFirst = "Build the project first, `west build`.";

export interface ZephyrBuild {
  /** Full path of the build folder, that which holds `zephyr/`. */
  readonly folder: string;
  readonly runners: string;
  readonly flashRunner?: string;
  /** Options of the flash runner without the dashes: `device` → `nRF52840_xxAA`. */
  readonly args: ReadonlyMap<string, string>;
  /** Full path of what is to be written. */
  readonly program: ZephyrProgram;
  readonly elfPath?: string;
  /** `nrf52840`, `esp32c3`, as the configuration names it. */
  readonly chip?: string;
  readonly board?: string;
}

export type ZephyrProgram =
  | { readonly kind: "elf" | "hex"; readonly path: string }
  /** A memory address for `bin`, flash offsets for `esp`. */
  | { readonly kind: "bin"; readonly path: string; readonly address: number }
  | {
      readonly kind: "esp";
      readonly path: string;
      readonly files: readonly FileAt[];
      readonly settings: BuildFlashSettings;
    };

/** The folder itself or its `build` folder, whichever holds `zephyr/runners.yaml`; for that folder `zephyr`, its parent. */
export async function findZephyrBuild(folder: string): Promise<string | undefined> {
  const full = resolve(folder);
  for (const build of [full, join(full, "build"), ...(basename(full) === "zephyr" ? [join(full, "..")] : [])]) {
    if ((await kindOf(join(build, "zephyr", RUNNERS))) === "file") return build;
  }
  return undefined;
}

/** @throws FlashError `bad-image` naming the file, the field or the missing program with its full path. */
export async function loadZephyr(folder: string, options: LoadOptions = {}): Promise<Artifact> {
  const { program, elfPath, chip, args } = await readZephyrBuild(folder);
  const common = { system: "zephyr", ...optional("elfPath", elfPath), ...optional("chip", chip) } as const;
  switch (program.kind) {
    case "elf":
      return loadElf(program.path, "zephyr");
    case "hex":
      return { ...(await loadHex(program.path, "zephyr")), ...common };
    case "bin":
      return { ...(await loadBinary(program.path, program.address)), ...common };
    case "esp": {
      const app = program.files.find((file) => file.name === "app")?.offset;
      const stub = args.has("esp-no-stub") ? false : undefined;
      const parts = optional("app", app);
      const facts = { ...common, parts, flashSettings: program.settings, ...optional("stub", stub) };
      return loadFiles(program.files, facts, options);
    }
  }
}

/** @throws FlashError `bad-image` when `runners.yaml` is missing, damaged or names no program. */
export async function readZephyrBuild(build: string): Promise<ZephyrBuild> {
  const folder = resolve(build);
  const home = join(folder, "zephyr");
  const runners = join(home, RUNNERS);
  const data = await readYaml(runners);
  const config = objectField(data, "config") ?? { where: data.where, values: {} };
  const flashRunner = textField(data, "flash-runner");
  const args = argsOf(data, flashRunner);
  const kconfig = await readKconfig(join(home, ".config"));
  const named = async (field: string) => {
    const text = textField(config, field);
    return text === undefined || text === "" ? undefined : localPath(home, text);
  };
  const files = { elf: await named("elf_file"), hex: await named("hex_file"), bin: await named("bin_file") };
  const base = kconfigNumber(kconfig, "FLASH_BASE_ADDRESS");
  const address = base === undefined ? undefined : base + (kconfigNumber(kconfig, "FLASH_LOAD_OFFSET") ?? 0);
  const isEsp = flashRunner === "esp32" || args.has("esp-app-address");
  const program = isEsp ? espProgram(files.bin, args, runners) : memoryProgram(files, address);
  if (program === undefined) {
    throw new FlashError("bad-image", `${runners} names no program that has its address`, { remedy: buildFirst });
  }
  return {
    folder,
    runners,
    args,
    program,
    ...optional("flashRunner", flashRunner),
    ...optional("elfPath", files.elf),
    ...optional("chip", kconfig.get("SOC")),
    ...optional("board", kconfig.get("BOARD")),
  };
}

interface Programs {
  readonly elf: string | undefined;
  readonly hex: string | undefined;
  readonly bin: string | undefined;
}

/** A HEX file with another name than the ELF's was signed or merged after linking: then the ELF is not what the board runs. */
function memoryProgram({ elf, hex, bin }: Programs, address: number | undefined): ZephyrProgram | undefined {
  const isPlain = hex === undefined || elf === undefined || stem(hex) === stem(elf);
  if (hex !== undefined && !isPlain) return { kind: "hex", path: hex };
  if (elf !== undefined) return { kind: "elf", path: elf };
  if (hex !== undefined) return { kind: "hex", path: hex };
  return bin === undefined || address === undefined ? undefined : { kind: "bin", path: bin, address };
}

function stem(path: string): string {
  return basename(path).replace(/\.[^.]*$/, "");
}

/** Defaults as in `runners/esp32.py`. */
function espProgram(
  bin: string | undefined,
  args: ReadonlyMap<string, string>,
  where: string,
): ZephyrProgram | undefined {
  if (bin === undefined) return undefined;
  const at = (option: string, standard: string) => parseOffset(args.get(option) ?? standard, `${where}: ${option}`);
  const files: FileAt[] = [{ offset: at("esp-app-address", "0x10000"), path: bin, name: "app" }];
  const bootloader = args.get("esp-flash-bootloader");
  const table = args.get("esp-flash-partition_table");
  if (bootloader !== undefined) {
    files.unshift({ offset: at("esp-boot-address", "0x1000"), path: bootloader, name: "bootloader" });
    const offset = at("esp-partition-table-address", "0x8000");
    if (table !== undefined) files.push({ offset, path: table, name: "partition-table" });
  }
  const settings = settingsOf((name) => args.get(`esp-${name.replace("_", "-")}`));
  return { kind: "esp", path: bin, files, settings };
}

/** `--device=x` and `--device x`. */
function argsOf(data: JsonObject, runner: string | undefined): ReadonlyMap<string, string> {
  const all = objectField(data, "args");
  const words = all === undefined || runner === undefined ? [] : textsField(all, runner);
  const args = new Map<string, string>();
  words.forEach((word, index) => {
    const [, name, value] = /^--([^=]+)(?:=(.*))?$/.exec(word) ?? [];
    const next = words[index + 1];
    if (name !== undefined) args.set(name, value ?? (next === undefined || next.startsWith("-") ? "" : next));
  });
  return args;
}

async function loadBinary(path: string, address: number): Promise<ImageArtifact> {
  const data = await readBytes(path, buildFirst);
  if (data.length === 0) throw new FlashError("bad-image", `${path} is empty`, { remedy: "Build again." });
  const name = basename(path);
  const file = { path, offset: address, size: data.length, name, encrypted: false };
  return {
    kind: "image",
    system: "zephyr",
    addresses: "memory",
    image: makeImage([{ address, data, name }]),
    files: [file],
    app: file,
  };
}
