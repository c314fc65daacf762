/**
 * Finds programs that CMake builds: the File API's reply names every executable target and its file. Where there is no reply, the
 * newest program in the build folder. Source: cmake-file-api(7), object kind "codemodel" version 2.
 */
import { readdir } from "node:fs/promises";
import { basename, extname, join, relative } from "node:path";
import { FlashError } from "../core/errors.ts";
import { linkTime, newestPrograms } from "./elf-head.ts";
import { brokenFinding, judge, type Finding } from "./finding.ts";
import { optional } from "./flash-files.ts";
import { objectsField, readJson, requiredText, textField } from "./json.ts";
import { isInside, localPath } from "./local-path.ts";
import { kindOf, readBytes } from "./read-file.ts";
import type { Scan } from "./scan.ts";

const system = "cmake";
const CACHE = "CMakeCache.txt";
const MAX_TARGETS = 300;

/** `claimed`: folders that another system's reader knows better. */
export async function findCMake(scan: Scan, claimed: readonly string[]): Promise<readonly Finding[]> {
  const isClaimed = (folder: string) => claimed.some((other) => isInside(other, folder));
  const folders = scan.foldersWith(CACHE).filter((folder) => !isClaimed(folder));
  const own = folders.filter((folder) => !folders.some((other) => other !== folder && isInside(other, folder)));
  return (await Promise.all(own.map((folder) => findBuild(folder, scan)))).flat();
}

interface BuildFolder {
  readonly folder: string;
  readonly place: string;
  /** Where the File API answers. */
  readonly reply: string;
  readonly cache: ReadonlyMap<string, string>;
}

async function findBuild(folder: string, scan: Scan): Promise<readonly Finding[]> {
  const reply = join(folder, ".cmake", "api", "v1", "reply");
  const place = relative(scan.root, folder) || basename(folder);
  const reasons = [`${folder} is a build folder of CMake.`];
  try {
    const build = { folder, place, reply, cache: await readCache(join(folder, CACHE)) };
    const index = await newestIndex(reply);
    if (index === undefined) return await withoutReply(build, scan.programs);
    const targets = await executables(index, build);
    const findings = await Promise.all(targets.map((target) => findingOf(target, build)));
    return findings.filter((finding) => finding !== undefined);
  } catch (thrown) {
    const title = `${basename(scan.root)} (CMake, ${place})`;
    return [
      brokenFinding(
        { id: `${system}:${folder}`, system, title, artifact: [folder], watch: [join(folder, CACHE)], folder, reasons },
        thrown,
      ),
    ];
  }
}

interface Executable {
  readonly name: string;
  /** Full path. */
  readonly path: string;
  readonly configuration: string;
  /** Where it was said. */
  readonly where: string;
}

/** @throws FlashError `bad-image` when a file of the reply is missing, damaged or lacks a field. */
async function executables(index: string, { folder, reply }: BuildFolder): Promise<readonly Executable[]> {
  const objects = objectsField(await readJson(index), "objects");
  const model = objects.find((object) => textField(object, "kind") === "codemodel");
  if (model === undefined) throw incomplete(`${index} names no codemodel`);
  const codemodel = await readJson(join(reply, requiredText(model, "jsonFile")));
  const found: Executable[] = [];
  let read = 0;
  for (const configuration of objectsField(codemodel, "configurations")) {
    for (const reference of objectsField(configuration, "targets")) {
      read += 1;
      if (read > MAX_TARGETS) return found;
      const target = await readJson(join(reply, requiredText(reference, "jsonFile")));
      const [artifact] = objectsField(target, "artifacts");
      if (textField(target, "type") !== "EXECUTABLE" || artifact === undefined) continue;
      found.push({
        name: requiredText(target, "name"),
        path: await localPath(folder, requiredText(artifact, "path")),
        configuration: textField(configuration, "name") ?? "",
        where: target.where,
      });
    }
  }
  return found;
}

/** Undefined for programs of the computer itself: tests, generators. */
async function findingOf(target: Executable, build: BuildFolder): Promise<Finding | undefined> {
  const isThere = (await kindOf(target.path)) === "file";
  const isFirmware = isThere ? (await linkTime(target.path)) !== undefined : isCrossBuild(build.cache, target.path);
  if (!isFirmware) return undefined;
  const judged = await judge([target.path], [join(build.folder, CACHE)]);
  const project = build.cache.get("CMAKE_PROJECT_NAME");
  const chip = chipOf(build.cache);
  const configuration = target.configuration === "" ? "" : `, ${target.configuration}`;
  return {
    id: `${system}:${target.path}`,
    system,
    title: `${target.name} (CMake, ${build.place}${configuration})`,
    artifact: [target.path],
    watch: [target.path],
    folder: build.folder,
    ...optional("chip", chip),
    state: judged.state,
    builtMs: judged.builtMs,
    isPreferred: true,
    reasons: [
      `${target.where} names the executable target ${target.name}${project === undefined ? "" : ` of ${project}`}: ${target.path}.`,
      ...(chip === undefined ? [] : [`CMakeCache.txt says ${chip}.`]),
      ...judged.reasons,
    ],
  };
}

async function withoutReply(build: BuildFolder, programs: readonly string[]): Promise<readonly Finding[]> {
  const { folder, cache, place } = build;
  const inside = programs.filter((path) => isInside(folder, path));
  const [newest] = await newestPrograms(inside);
  if (newest === undefined && !isCrossBuild(cache, "")) return [];
  const chip = chipOf(cache);
  const path = newest?.path;
  const judged = await judge([path ?? join(folder, CACHE)], path === undefined ? [] : [join(folder, CACHE)]);
  return [
    {
      id: `${system}:${path ?? folder}`,
      system,
      title: `${path === undefined ? (cache.get("CMAKE_PROJECT_NAME") ?? basename(folder)) : basename(path, extname(path))} (CMake, ${place})`,
      artifact: [path ?? folder],
      watch: [path ?? join(folder, CACHE)],
      folder,
      ...optional("chip", chip),
      state: path === undefined ? "missing" : judged.state,
      builtMs: path === undefined ? 0 : judged.builtMs,
      isPreferred: true,
      reasons: [
        `${folder} is a build folder of CMake, but there is no reply of its File API: configure once more to have all targets.`,
        path === undefined
          ? "It holds no program for a controller: build first."
          : `${path} is the newest program in it.`,
        ...judged.reasons,
      ],
    },
  ];
}

/** The newest reply; the names sort by time. */
async function newestIndex(reply: string): Promise<string | undefined> {
  const names = await readdir(reply).catch(() => []);
  const name = names
    .filter((each) => /^index-.*\.json$/.test(each))
    .sort()
    .at(-1);
  return name === undefined ? undefined : join(reply, name);
}

/** Entries `NAME:TYPE=value`. */
async function readCache(path: string): Promise<ReadonlyMap<string, string>> {
  const text = new TextDecoder().decode(await readBytes(path));
  const entries = new Map<string, string>();
  for (const [, name, value] of text.matchAll(/^([\w.-]+):[A-Z]+=(.*?)\r?$/gm)) {
    if (name !== undefined && value !== undefined) entries.set(name, value);
  }
  return entries;
}

function isCrossBuild(cache: ReadonlyMap<string, string>, path: string): boolean {
  if ([".elf", ".axf"].includes(extname(path).toLowerCase())) return true;
  const tools = [cache.get("CMAKE_TOOLCHAIN_FILE"), cache.get("CMAKE_C_COMPILER"), cache.get("PICO_SDK_PATH")].join(
    " ",
  );
  return /none-e?abi|arm-none|xtensa|riscv\d*-|esp-elf|pico/i.test(tools);
}

function chipOf(cache: ReadonlyMap<string, string>): string | undefined {
  return /^rp2\d+/.exec(cache.get("PICO_PLATFORM") ?? "")?.[0];
}

function incomplete(what: string): FlashError {
  return new FlashError("bad-image", what, { remedy: "Configure the project again." });
}
