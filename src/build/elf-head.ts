/** Tells by the beginning of a file whether it is a linked program for a controller, without reading all of it. */
import { open } from "node:fs/promises";
import { isElf } from "../core/elf.ts";

const HEADER_SIZE = 20;
const EXECUTABLE = 2; // e_type ET_EXEC
const controllers = [40, 94, 243]; // e_machine: ARM, Xtensa, RISC-V

/** When it was linked, milliseconds since 1970; undefined when the file is something else. */
export async function linkTime(path: string): Promise<number | undefined> {
  const header = Buffer.alloc(HEADER_SIZE);
  await using file = await open(path);
  const { bytesRead } = await file.read(header, 0, HEADER_SIZE, 0);
  if (bytesRead < HEADER_SIZE || !isElf(header)) return undefined;
  const is32Bit = header[4] === 1 && header[5] === 1;
  if (!is32Bit || header.readUInt16LE(16) !== EXECUTABLE || !controllers.includes(header.readUInt16LE(18))) {
    return undefined;
  }
  return (await file.stat()).mtimeMs;
}

export interface LinkedProgram {
  readonly path: string;
  readonly timeMs: number;
}

/** The programs for controllers among files, newest first; what cannot be read is left out. */
export async function newestPrograms(paths: readonly string[]): Promise<readonly LinkedProgram[]> {
  const programs: LinkedProgram[] = [];
  for (const path of paths) {
    const timeMs = await linkTime(path).catch(() => undefined);
    if (timeMs !== undefined) programs.push({ path, timeMs });
  }
  return programs.sort((a, b) => b.timeMs - a.timeMs || (a.path < b.path ? -1 : 1));
}
