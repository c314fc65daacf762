/**
 * One bounded look through a workspace folder for the files that mark a build. Reads names only; knows nothing of what the files say.
 */
import { opendir } from "node:fs/promises";
import { basename, extname, join, resolve } from "node:path";
import { timeOf } from "./finding.ts";

export interface ScanLimits {
  /** Folders below the root: 0 is the root alone. */
  readonly depth: number;
  /** Names looked at, in all. */
  readonly entries: number;
  /** Names looked at in one folder. */
  readonly entriesPerFolder: number;
}

export const scanLimits: ScanLimits = { depth: 4, entries: 20_000, entriesPerFolder: 5_000 };

export interface Scan {
  /** Full path. */
  readonly root: string;
  /** Full paths of the folders that hold a file of that name, those nearest to the root first. */
  foldersWith(marker: Marker): readonly string[];
  /** Full paths of files that may be linked programs, by their names. */
  readonly programs: readonly string[];
  /** Folders named like the sketch `<name>.ino` in them. */
  readonly sketches: readonly string[];
  /** True when a limit was met, so that something may have been missed. */
  readonly isCut: boolean;
}

const markers = [
  "flasher_args.json",
  "project_description.json",
  "sdkconfig",
  "platformio.ini",
  "runners.yaml",
  "domains.yaml",
  "build.options.json",
  "flash_args",
  "CMakeCache.txt",
  "Makefile",
] as const;
export type Marker = (typeof markers)[number];

/** A build's own folder says all in the files at its top; what lies below is of no interest. */
const endsHere: ReadonlySet<string> = new Set<Marker>([
  "flasher_args.json",
  "project_description.json",
  "domains.yaml",
  "runners.yaml",
  "build.options.json",
]);
const skipped: ReadonlySet<string> = new Set([
  "node_modules",
  "CMakeFiles",
  "managed_components",
  "__pycache__",
  "venv",
  "deps",
  "incremental",
]);
const programExtensions: ReadonlySet<string> = new Set([".elf", ".axf", ".out"]);
const buildFolder =
  /^(_?build|out|bin|target|dist|output|debug|release|cmake-build|firmware|zephyr$|thumbv|riscv32|xtensa)/i;
const wellKnownFolders = ["build", "out", "target"];
const MAX_PROGRAMS = 300;
const AT_ONCE = 16;

interface Folder {
  readonly path: string;
  readonly depth: number;
}

interface Contents {
  readonly files: readonly string[];
  readonly folders: readonly string[];
  readonly isCut: boolean;
}

/** Folders that look like builds come first, so that a limit cuts sources. A folder that cannot be read counts as empty. */
export async function scanFolder(folder: string, limits: ScanLimits = scanLimits): Promise<Scan> {
  const root = resolve(folder);
  const found = new Map<string, string[]>(markers.map((marker) => [marker, []]));
  const programs: string[] = [];
  const sketches: string[] = [];
  const queues: readonly [Folder[], Folder[]] = [[{ path: root, depth: 0 }], []];
  let left = limits.entries;
  let isCut = false;
  while (left > 0 && (queues[0].length > 0 || queues[1].length > 0)) {
    const batch = queues[0].splice(0, AT_ONCE);
    batch.push(...queues[1].splice(0, AT_ONCE - batch.length));
    const limit = Math.min(limits.entriesPerFolder, left);
    const contents = await Promise.all(batch.map(({ path }) => contentsOf(path, limit)));
    batch.forEach(({ path, depth }, index) => {
      const { files, folders, isCut: folderIsCut } = contents[index] ?? nothing;
      left -= files.length + folders.length;
      isCut ||= folderIsCut;
      for (const file of files) {
        found.get(file)?.push(path);
        if (programs.length < MAX_PROGRAMS && mayBeProgram(path, file)) programs.push(join(path, file));
        if (file === `${basename(path)}.ino`) sketches.push(path);
      }
      if (depth >= limits.depth) return;
      for (const name of foldersToVisit(files, folders)) {
        queues[buildFolder.test(name) ? 0 : 1].push({ path: join(path, name), depth: depth + 1 });
      }
    });
  }
  isCut ||= queues[0].length > 0 || queues[1].length > 0;
  for (const paths of found.values()) paths.sort(byDepth);
  return { root, foldersWith: (marker) => found.get(marker) ?? [], programs, sketches, isCut };
}

const nothing: Contents = { files: [], folders: [], isCut: false };

async function contentsOf(path: string, limit: number): Promise<Contents> {
  const files: string[] = [];
  const folders: string[] = [];
  try {
    for await (const entry of await opendir(path, { bufferSize: 512 })) {
      if (files.length + folders.length >= limit) return await withWellKnown(path, { files, folders, isCut: true });
      if (entry.isDirectory()) folders.push(entry.name);
      else files.push(entry.name);
    }
  } catch {
    return { files, folders, isCut: false }; // no access, or just deleted by a clean build
  }
  return { files, folders, isCut: false };
}

/** Names come in no order, so that a limit may cut the very ones that matter: those are asked for by name. */
async function withWellKnown(path: string, contents: Contents): Promise<Contents> {
  const thatExist = async (names: readonly string[], known: readonly string[]) => {
    const missing = names.filter((name) => !known.includes(name));
    const times = await Promise.all(missing.map((name) => timeOf(join(path, name))));
    return missing.filter((_, index) => times[index] !== undefined);
  };
  const files = [...contents.files, ...(await thatExist(markers, contents.files))];
  const folders = [...contents.folders, ...(await thatExist(wellKnownFolders, contents.folders))];
  return { files, folders, isCut: true };
}

function foldersToVisit(files: readonly string[], folders: readonly string[]): readonly string[] {
  if (files.some((file) => endsHere.has(file)) || files.includes("Kconfig.zephyr")) return [];
  if (files.includes("CMakeCache.txt") && folders.includes("zephyr")) return ["zephyr"];
  return folders.filter((name) => !name.startsWith(".") && !skipped.has(name));
}

/** Programs without an extension (Cargo's) only where builds put them. */
function mayBeProgram(folder: string, file: string): boolean {
  const extension = extname(file).toLowerCase();
  return programExtensions.has(extension) || (extension === "" && buildFolder.test(basename(folder)));
}

function byDepth(a: string, b: string): number {
  return a.split(/[\\/]/).length - b.split(/[\\/]/).length || (a < b ? -1 : 1);
}
