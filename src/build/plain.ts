/**
 * A build folder of no known system (make, CMake, Cargo, Zephyr …): its program is the ELF file that was linked last.
 * Looks at the beginnings of files, not at their names alone.
 */
import { readdir } from "node:fs/promises";
import { extname, join, resolve } from "node:path";
import { FlashError } from "../core/errors.ts";
import type { ElfArtifact } from "./artifact.ts";
import { loadElf } from "./elf-file.ts";
import { linkTime } from "./elf-head.ts";

const MAX_DEPTH = 4;
const MAX_ENTRIES = 20_000;
const programExtensions = ["", ".elf", ".axf", ".out"];
const skipped = [".git", "node_modules", "CMakeFiles", ".cache", "deps", "incremental"];

/** @throws FlashError `bad-image` when there is no program for a controller in the folder or below it. */
export async function loadNewestElf(folder: string): Promise<ElfArtifact> {
  const newest = await findNewestElf(folder);
  if (newest !== undefined) return loadElf(newest, "plain");
  throw new FlashError("bad-image", `${resolve(folder)} holds no program for an ARM, RISC-V or Xtensa controller`, {
    remedy: "Build first, or give the path of the ELF file.",
  });
}

/** Full path of the ELF file with the latest time; boot loaders and the like of sub-builds count as well. */
async function findNewestElf(folder: string): Promise<string | undefined> {
  let newest: { readonly path: string; readonly timeMs: number } | undefined;
  for (const path of await candidatesIn(resolve(folder))) {
    const timeMs = await linkTime(path);
    if (timeMs !== undefined && (newest === undefined || timeMs > newest.timeMs)) newest = { path, timeMs };
  }
  return newest?.path;
}

async function candidatesIn(root: string): Promise<readonly string[]> {
  const found: string[] = [];
  const folders: { readonly path: string; readonly depth: number }[] = [{ path: root, depth: 0 }];
  let seen = 0;
  for (let folder = folders.shift(); folder !== undefined && seen < MAX_ENTRIES; folder = folders.shift()) {
    const entries = await readdir(folder.path, { withFileTypes: true });
    seen += entries.length;
    for (const entry of entries) {
      const path = join(folder.path, entry.name);
      if (entry.isDirectory() && folder.depth < MAX_DEPTH && !skipped.includes(entry.name)) {
        folders.push({ path, depth: folder.depth + 1 });
      } else if (entry.isFile() && programExtensions.includes(extname(entry.name).toLowerCase())) {
        found.push(path);
      }
    }
  }
  return found;
}
