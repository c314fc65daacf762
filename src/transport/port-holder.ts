/** Who has a device open, as Linux's /proc tells it. Other systems do not say. */
import { readdir, readFile, readlink, realpath } from "node:fs/promises";
import { join } from "node:path";

export interface PortHolder {
  readonly pid: number;
  /** The command line, shortened. */
  readonly command: string;
}

const COMMAND_LIMIT_CHARACTERS = 80;

/**
 * A process other than this one that has `path` open, or undefined when there is none that we may see: the open files of
 * other users' processes are hidden from all but root.
 */
export async function holderOf(path: string, procRoot = "/proc"): Promise<PortHolder | undefined> {
  const device = await realpath(path).catch(() => path);
  const entries = await readdir(procRoot).catch(() => []);
  for (const entry of entries) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    if (await hasOpen(join(procRoot, entry, "fd"), device)) {
      return { pid, command: await commandOf(join(procRoot, entry)) };
    }
  }
  return undefined;
}

async function hasOpen(folder: string, device: string): Promise<boolean> {
  const files = await readdir(folder).catch(() => []); // gone by now, or not ours to see
  for (const file of files) {
    const target = await readlink(join(folder, file)).catch(() => "");
    if (target === device) return true;
  }
  return false;
}

async function commandOf(folder: string): Promise<string> {
  const line = await readFile(join(folder, "cmdline"), "utf8").catch(() => "");
  const words = line.replace(/[\0\s]+/g, " ").trim();
  const name = words === "" ? (await readFile(join(folder, "comm"), "utf8").catch(() => "")).trim() : words;
  return name.length > COMMAND_LIMIT_CHARACTERS ? `${name.slice(0, COMMAND_LIMIT_CHARACTERS)}…` : name;
}
