/** Where Deltaflash keeps what it remembers, and how a file there is replaced without ever being half written. */
import { mkdir, open, rename } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** `$DELTAFLASH_STATE`, else the platform's folder for state. */
export function stateFolder(env: NodeJS.ProcessEnv = process.env): string {
  const { DELTAFLASH_STATE, XDG_STATE_HOME, LOCALAPPDATA } = env;
  if (DELTAFLASH_STATE !== undefined && DELTAFLASH_STATE !== "") return DELTAFLASH_STATE;
  if (process.platform === "win32") return join(LOCALAPPDATA ?? join(homedir(), "AppData", "Local"), "deltaflash");
  if (process.platform === "darwin") return join(homedir(), "Library", "Application Support", "deltaflash");
  return join(XDG_STATE_HOME ?? join(homedir(), ".local", "state"), "deltaflash");
}

/** Replaces the file: afterwards it holds all of `data` or what it held before, even if the power fails. */
export async function replaceFile(path: string, data: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const beside = `${path}.${process.pid}.new`;
  const file = await open(beside, "w");
  try {
    await file.writeFile(data);
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
}
