/**
 * Reads what PlatformIO's build leaves in `.pio/build/<env>`: with `idedata.json` all places are said; a plain `pio run` does not
 * write it, then the partition table and the images themselves say them.
 */
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { FlashError } from "../core/errors.ts";
import type { Artifact, LoadOptions } from "./artifact.ts";
import { loadElf } from "./elf-file.ts";
import { chipOfImage, firstAppOffset } from "./esp-files.ts";
import { loadFiles, optional, parseOffset, type FileAt } from "./flash-files.ts";
import { loadHex } from "./hex-file.ts";
import { objectField, objectsField, readJson, requiredText, textField, type JsonObject } from "./json.ts";
import { localPath } from "./local-path.ts";
import { kindOf, readBytes } from "./read-file.ts";

export const IDEDATA = "idedata.json";
const CHECKSUM = "project.checksum"; // PlatformIO writes it into `build_dir`, whatever that is called
const PROJECT_FILE = "platformio.ini";
const PARTITION_TABLE_OFFSET = 0x8000; // the default of both frameworks; a project that moves it has idedata.json written
const buildFirst = "Build the project first, `pio run`.";

/** The folder of one environment: the folder itself, or the one that was built last below a project's `.pio/build`. */
export async function findEnvironment(folder: string): Promise<string | undefined> {
  if (await isEnvironment(folder)) return folder;
  const builds = join(folder, ".pio", "build");
  const candidates = (await kindOf(builds)) === "folder" ? await foldersOf(builds) : [];
  let newest: { readonly path: string; readonly timeMs: number } | undefined;
  for (const path of candidates) {
    const program = await programOf(path);
    if (program === undefined) continue;
    const timeMs = (await stat(program)).mtimeMs;
    if (newest === undefined || timeMs > newest.timeMs) newest = { path, timeMs };
  }
  if (newest === undefined && (await kindOf(join(folder, PROJECT_FILE))) === "file") {
    throw new FlashError("bad-image", `${resolve(builds)} holds no firmware`, { remedy: buildFirst });
  }
  return newest?.path;
}

/** @throws FlashError `bad-image` naming what is missing, with its full path. */
export async function loadPlatformIo(environment: string, options: LoadOptions = {}): Promise<Artifact> {
  const folder = resolve(environment);
  const ideData = join(folder, IDEDATA);
  if ((await kindOf(ideData)) === "file") {
    const data = await readJson(ideData);
    if (objectsField(extraOf(data), "flash_images").length > 0) return loadIdeData(data, folder, options);
  }
  const app = join(folder, "firmware.bin");
  const isEsp = (await kindOf(app)) === "file" && (await readBytes(app))[0] === 0xe9;
  if (isEsp) return loadEspFolder(folder, options);
  const elf = join(folder, "firmware.elf");
  if ((await kindOf(elf)) === "file") return loadElf(elf, "platformio");
  const hex = join(folder, "firmware.hex");
  if ((await kindOf(hex)) === "file") return loadHex(hex, "platformio");
  throw new FlashError("bad-image", `${folder} holds no firmware.elf, firmware.bin or firmware.hex`, {
    remedy: buildFirst,
  });
}

async function loadIdeData(data: JsonObject, folder: string, options: LoadOptions): Promise<Artifact> {
  const extra = extraOf(data);
  const images: FileAt[] = [];
  for (const image of objectsField(extra, "flash_images")) {
    const offset = parseOffset(requiredText(image, "offset"), image.where);
    images.push({ offset, path: await localPath(folder, requiredText(image, "path")) });
  }
  const program = await localPath(folder, textField(data, "prog_path") ?? "firmware.elf");
  const app = program.replace(/\.elf$/, ".bin");
  const said = textField(extra, "application_offset");
  const offset =
    said === undefined ? await appOffset(images.map((image) => image.path)) : parseOffset(said, extra.where);
  const named = (name: string) => images.find((image) => basename(image.path) === name)?.offset;
  const bootloader = images.find((image) => basename(image.path).startsWith("bootloader"))?.offset;
  const parts = {
    app: offset,
    ...optional("bootloader", bootloader),
    ...optional("partitionTable", named("partitions.bin")),
  };
  const chip = chipOfImage(await readBytes(app, buildFirst))?.chip;
  const facts = { system: "platformio", parts, elfPath: program, ...optional("chip", chip) } as const;
  return loadFiles([...images, { offset, path: app, name: "app" }], facts, options);
}

/** Without `idedata.json`: `boot_app0.bin` lies elsewhere then and is left out, so that the board starts the slot it started last. */
async function loadEspFolder(folder: string, options: LoadOptions): Promise<Artifact> {
  const app = join(folder, "firmware.bin");
  const table = join(folder, "partitions.bin");
  const bootloader = join(folder, "bootloader.bin");
  const elfPath = join(folder, "firmware.elf");
  if ((await kindOf(table)) === "missing" && (await kindOf(bootloader)) === "missing") {
    const facts = { system: "platformio", chip: "esp8266", elfPath, parts: { app: 0 } } as const;
    return loadFiles([{ offset: 0, path: app, name: "app" }], facts, options);
  }
  const chip = chipOfImage(await readBytes(bootloader, buildFirst));
  if (chip === undefined) {
    throw new FlashError("bad-image", `${bootloader} does not say for which chip it is`, {
      remedy: "Run `pio run -t idedata`, which writes the flash offsets, then flash again.",
    });
  }
  const offset = await appOffset([table]);
  const files: FileAt[] = [
    { offset: chip.bootloaderOffset, path: bootloader, name: "bootloader" },
    { offset: PARTITION_TABLE_OFFSET, path: table, name: "partition-table" },
    { offset, path: app, name: "app" },
  ];
  const parts = { app: offset, bootloader: chip.bootloaderOffset, partitionTable: PARTITION_TABLE_OFFSET };
  return loadFiles(files, { system: "platformio", chip: chip.chip, elfPath, parts }, options);
}

async function appOffset(paths: readonly string[]): Promise<number> {
  const table = paths.find((path) => basename(path) === "partitions.bin");
  const offset = table === undefined ? undefined : firstAppOffset(await readBytes(table, buildFirst));
  if (offset !== undefined) return offset;
  const where = table ?? dirname(paths[0] ?? IDEDATA);
  throw new FlashError("bad-image", `${where} does not say where the application goes`, {
    remedy: "Run `pio run -t idedata`, which writes the flash offsets, then flash again.",
  });
}

function extraOf(data: JsonObject): JsonObject {
  return objectField(data, "extra") ?? { where: data.where, values: {} };
}

async function isEnvironment(folder: string): Promise<boolean> {
  if ((await kindOf(join(folder, IDEDATA))) === "file") return true;
  const builds = dirname(resolve(folder));
  const isBelowBuilds = basename(builds) === "build" || (await kindOf(join(builds, CHECKSUM))) === "file";
  return isBelowBuilds && (await programOf(folder)) !== undefined;
}

async function programOf(folder: string): Promise<string | undefined> {
  for (const name of ["firmware.elf", "firmware.bin", "firmware.hex"]) {
    if ((await kindOf(join(folder, name))) === "file") return join(folder, name);
  }
  return undefined;
}

async function foldersOf(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
}
