/** Files that a command is asked to write: checked before the work begins, written when it is done. */
import { open, writeFile } from "node:fs/promises";
import { FlashError } from "../core/errors.ts";

/** @throws FlashError `refused` when a file cannot be written; an existing one keeps its contents */
export async function checkOutputs(paths: readonly (string | undefined)[]): Promise<void> {
  for (const path of paths) {
    if (path === undefined || path === "-") continue;
    try {
      await (await open(path, "a")).close();
    } catch (cause) {
      throw unwritable(path, cause);
    }
  }
}

/** To standard output if `path` is `-`. @throws FlashError `refused` */
export async function writeOutput(path: string, text: string): Promise<void> {
  if (path === "-") {
    process.stdout.write(text);
    return;
  }
  try {
    await writeFile(path, text);
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

export function unwritable(path: string, cause: unknown): FlashError {
  return new FlashError("refused", `${path} cannot be written: ${reasonOf(cause)}`, {
    cause,
    remedy: "Choose another file, or create its folder first.",
  });
}

function reasonOf(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  switch (code ?? "") {
    case "ENOENT":
    case "ENOTDIR":
      return "its folder does not exist";
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return "access is denied";
    case "EISDIR":
      return "it is a folder";
    default:
      return message;
  }
}
