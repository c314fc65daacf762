/**
 * From the words of a command line, or a folder, to an artifact: looks at what is there and asks the right reader.
 * Contents decide, not only names.
 */
import { basename, dirname, join, resolve } from "node:path";
import { isElf } from "../core/elf.ts";
import { FlashError } from "../core/errors.ts";
import type { Artifact, LoadOptions } from "./artifact.ts";
import { isArduinoBuild, loadArduino } from "./arduino.ts";
import { elfArtifact, isGzip } from "./elf-file.ts";
import { findFlasherArgs, loadFlasherArgs } from "./esp-idf.ts";
import { loadFiles, parseFileAt } from "./flash-files.ts";
import { hexArtifact } from "./hex-file.ts";
import { loadNewestElf } from "./plain.ts";
import { IDEDATA, findEnvironment, loadPlatformIo } from "./platformio.ts";
import { kindOf, readBytes, unreadable } from "./read-file.ts";
import { DOMAINS, findDomains, loadSysbuild } from "./sysbuild.ts";
import { findZephyrBuild, loadZephyr, RUNNERS } from "./zephyr.ts";

const COLON = 0x3a;
const BRACE = 0x7b;

/**
 * One `.elf`, `.elf.gz`, `.hex`, `flasher_args.json`, `idedata.json`, `domains.yaml`, `runners.yaml` or build folder, or any number of `0x10000:app.bin`.
 * @throws FlashError `bad-image` saying which file and what is wrong with it.
 */
export async function loadArtifact(paths: readonly string[], options: LoadOptions = {}): Promise<Artifact> {
  const [first] = paths;
  if (first === undefined) {
    throw new FlashError("bad-image", "no artifact is given", { remedy: "Give an ELF file or a build folder." });
  }
  const files = paths.map(parseFileAt);
  const placed = files.filter((file) => file !== undefined);
  if (placed.length === paths.length) return loadFiles(placed, { system: "files" }, options);
  if (paths.length > 1) {
    const plain = paths.find((_, index) => files[index] === undefined) ?? first;
    throw new FlashError("bad-image", `${plain} stands beside other artifacts without an offset`, {
      remedy: "Write the offset in front of every file, as in 0x10000:app.bin, or give one artifact alone.",
    });
  }
  return loadOne(first, options);
}

async function loadOne(path: string, options: LoadOptions): Promise<Artifact> {
  switch (await kindOf(path)) {
    case "folder":
      return loadFolder(path, options);
    case "missing":
      throw unreadable(path, { cause: Object.assign(new Error("missing"), { code: "ENOENT" }), remedy: undefined });
    case "file":
      return loadFile(resolve(path), options);
  }
}

async function loadFile(path: string, options: LoadOptions): Promise<Artifact> {
  const bytes = await readBytes(path);
  if (isElf(bytes) || isGzip(bytes)) return elfArtifact(bytes, path, "files");
  if (bytes[0] === BRACE || path.endsWith(".json")) {
    return path.endsWith(IDEDATA) ? loadPlatformIo(join(path, ".."), options) : loadFlasherArgs(path, options);
  }
  if (basename(path) === DOMAINS) return loadSysbuild(dirname(path), options);
  if (basename(path) === RUNNERS) return loadZephyr(join(path, "..", ".."), options);
  if (bytes[0] === COLON || /\.(hex|ihex|ihx)$/i.test(path)) return hexArtifact(bytes, path, "files");
  if (/\.(elf|axf|out)$/i.test(path)) return elfArtifact(bytes, path, "files"); // says what is wrong with it
  throw new FlashError("bad-image", `${path} is no ELF, Intel HEX or flasher_args.json file`, {
    remedy: "Write the flash offset in front of a binary file, as in 0x10000:app.bin.",
  });
}

async function loadFolder(folder: string, options: LoadOptions): Promise<Artifact> {
  const flasherArgs = await findFlasherArgs(folder);
  if (flasherArgs !== undefined) return loadFlasherArgs(flasherArgs, options);
  const environment = await findEnvironment(folder);
  if (environment !== undefined) return loadPlatformIo(environment, options);
  const domains = await findDomains(folder);
  if (domains !== undefined) return loadSysbuild(domains, options);
  const zephyr = await findZephyrBuild(folder);
  if (zephyr !== undefined) return loadZephyr(zephyr, options);
  if (await isArduinoBuild(folder)) return loadArduino(folder, options);
  return loadNewestElf(folder);
}
