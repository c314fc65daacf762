/**
 * Reads what the Arduino builder leaves in its build folder: `build.options.json` marks it, `flash_args` says the places for an
 * ESP32, an ESP8266 has one image for offset 0, every other board is flashed from its ELF.
 */
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { FlashError } from "../core/errors.ts";
import type { Artifact, LoadOptions } from "./artifact.ts";
import { loadElf } from "./elf-file.ts";
import { chipOfImage } from "./esp-files.ts";
import { readFlashArgs } from "./flash-args.ts";
import { loadFiles, optional } from "./flash-files.ts";
import { loadHex } from "./hex-file.ts";
import { readJson, textField } from "./json.ts";
import { kindOf, readBytes } from "./read-file.ts";

export const BUILD_OPTIONS = "build.options.json";
export const FLASH_ARGS = "flash_args";
const APP_OFFSET = 0x10000; // of every partition scheme that the ESP32 core brings along

export async function isArduinoBuild(folder: string): Promise<boolean> {
  if ((await kindOf(join(folder, BUILD_OPTIONS))) === "file") return true;
  return (await kindOf(join(folder, FLASH_ARGS))) === "file" && (await sketchOf(folder)) !== undefined;
}

/** @throws FlashError `bad-image` naming what is missing, with its full path. */
export async function loadArduino(build: string, options: LoadOptions = {}): Promise<Artifact> {
  const folder = resolve(build);
  const sketch = await sketchOf(folder);
  if (sketch === undefined) {
    throw new FlashError("bad-image", `${folder} holds no compiled sketch`, {
      remedy: "Compile the sketch first, and look for compiler errors.",
    });
  }
  const base = join(folder, sketch);
  const core = await coreOf(folder);
  if (core === "esp32") return loadEsp32(folder, base, options);
  if (core === "esp8266") {
    const facts = { system: "arduino", chip: "esp8266", elfPath: `${base}.elf`, parts: { app: 0 } } as const;
    return loadFiles([{ offset: 0, path: `${base}.bin`, name: "app" }], facts, options);
  }
  if ((await kindOf(`${base}.elf`)) === "file") return loadElf(`${base}.elf`, "arduino");
  return loadHex(`${base}.hex`, "arduino");
}

async function loadEsp32(folder: string, base: string, options: LoadOptions): Promise<Artifact> {
  const app = `${base}.bin`;
  const chip = chipOfImage(await readBytes(app, "Compile the sketch first."))?.chip;
  const common = { system: "arduino", elfPath: `${base}.elf`, ...optional("chip", chip) } as const;
  const path = join(folder, FLASH_ARGS);
  if ((await kindOf(path)) === "file") {
    const args = await readFlashArgs(path);
    const at = (end: string) => args.files.find((file) => file.path.endsWith(end))?.offset;
    const parts = {
      ...optional("app", args.files.find((file) => resolve(file.path) === app)?.offset),
      ...optional("bootloader", at(".bootloader.bin")),
      ...optional("partitionTable", at(".partitions.bin")),
    };
    return loadFiles(args.files, { ...common, parts, flashSettings: args.settings }, options);
  }
  if (options.appOnly === true) {
    return loadFiles(
      [{ offset: APP_OFFSET, path: app, name: "app" }],
      { ...common, parts: { app: APP_OFFSET } },
      options,
    );
  }
  throw new FlashError("bad-image", `${path} does not exist, so the flash offsets are not known`, {
    remedy: "Flash with --app-only, or update the ESP32 core to 3.0 or newer, which writes the file.",
  });
}

/** `esp32` of `esp32:esp32:esp32c3`; without a board's name the presence of `flash_args` tells an ESP32. */
async function coreOf(folder: string): Promise<string | undefined> {
  const path = join(folder, BUILD_OPTIONS);
  if ((await kindOf(path)) === "file") {
    const fqbn = textField(await readJson(path), "fqbn");
    if (fqbn !== undefined) return fqbn.split(":")[1];
  }
  return (await kindOf(join(folder, FLASH_ARGS))) === "file" ? "esp32" : undefined;
}

/** `blink.ino`, of which the folder holds `blink.ino.elf`, `.bin` or `.hex`. */
export async function sketchOf(folder: string): Promise<string | undefined> {
  const names = (await kindOf(folder)) === "folder" ? await readdir(folder) : [];
  const sketches = names.flatMap((name) => /^(.+\.(?:ino|pde|cpp))\.(?:elf|bin|hex)$/.exec(name)?.[1] ?? []);
  return sketches.sort((a, b) => a.length - b.length)[0];
}
