/**
 * Where a path that a build wrote down lies on this machine. The build may have run on Windows, in a container or in another
 * folder: then the path names nothing here, but its end still says where the file is below the build folder.
 */
import { basename, isAbsolute, join, relative, resolve, sep } from "node:path";
import { kindOf } from "./read-file.ts";

const windowsPath = /^[A-Za-z]:[\\/]|^\\\\/;

/** Full path: as written when something is there, else the longest end of it that exists below `folder`, else the best guess. */
export async function localPath(folder: string, written: string): Promise<string> {
  const isForeign = process.platform !== "win32" && windowsPath.test(written);
  const hasOnlyBackslashes = process.platform !== "win32" && written.includes("\\") && !written.includes("/");
  const text = isForeign || hasOnlyBackslashes ? written.replaceAll("\\", "/") : written;
  if (!isForeign && (!isAbsolute(text) || (await exists(text)))) return resolve(folder, text);
  const words = text.split(/[\\/]/).filter((word) => word !== "" && word !== "." && word !== "..");
  for (let from = 1; from < words.length; from += 1) {
    const candidate = join(folder, ...words.slice(from));
    if (await exists(candidate)) return resolve(candidate);
  }
  return isForeign ? resolve(folder, basename(text)) : resolve(text);
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await kindOf(path)) !== "missing";
  } catch {
    return false;
  }
}

/** True for the folder itself and for everything below it. Both are full paths. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
