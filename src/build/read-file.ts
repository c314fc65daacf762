/** Reads the files of a build, and says with the full path what is wrong when it cannot. */
import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { FlashError } from "../core/errors.ts";

/** @throws FlashError `bad-image` with the full path and the reason. */
export async function readBytes(path: string, remedy?: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw unreadable(path, { cause, remedy });
  }
}

export type PathKind = "file" | "folder" | "missing";

/** @throws FlashError `bad-image` when the path cannot be looked at for another reason than that it is missing. */
export async function kindOf(path: string): Promise<PathKind> {
  try {
    return (await stat(path)).isDirectory() ? "folder" : "file";
  } catch (cause) {
    if (codeOf(cause) === "ENOENT" || codeOf(cause) === "ENOTDIR") return "missing";
    throw unreadable(path, { cause, remedy: undefined });
  }
}

/** The reason in words that a message can carry. */
export function unreadable(
  path: string,
  why: { readonly cause: unknown; readonly remedy: string | undefined },
): FlashError {
  const full = resolve(path);
  const { cause } = why;
  const missing = codeOf(cause) === "ENOENT" || codeOf(cause) === "ENOTDIR";
  const remedy = why.remedy ?? (missing ? "Check the path, or build first." : "Check the file and its access rights.");
  return new FlashError(
    "bad-image",
    missing ? `${full} does not exist` : `${full} cannot be read: ${reasonOf(cause)}`,
    {
      cause,
      remedy,
    },
  );
}

function reasonOf(cause: unknown): string {
  switch (codeOf(cause)) {
    case "EACCES":
    case "EPERM":
      return "access is denied";
    case "EISDIR":
      return "it is a folder";
    default:
      return cause instanceof Error ? cause.message : String(cause);
  }
}

function codeOf(cause: unknown): unknown {
  return cause instanceof Error && "code" in cause ? cause.code : undefined;
}
