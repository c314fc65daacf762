/**
 * Reads `flash_args`: words of a command line for an image tool, options first, then offsets and files, as ESP-IDF and the Arduino
 * core for ESP32 write them. Knows nothing of either.
 */
import { dirname, resolve } from "node:path";
import { FlashError } from "../core/errors.ts";
import type { BuildFlashSettings } from "./artifact.ts";
import { optional, parseOffset, type FileAt } from "./flash-files.ts";
import { readBytes } from "./read-file.ts";

export interface FlashArgs {
  readonly settings: BuildFlashSettings;
  readonly files: readonly FileAt[];
}

/** @throws FlashError `bad-image` when the file is missing, names no file or has an offset that is none. */
export async function readFlashArgs(path: string): Promise<FlashArgs> {
  const text = new TextDecoder().decode(await readBytes(path));
  const words = (text.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replace(/^"(.*)"$/, "$1"));
  const options = optionsOf(words);
  const files: FileAt[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    if (word.startsWith("--")) {
      index += 1; // its value
      continue;
    }
    const file = words[index + 1];
    if (file === undefined) throw incomplete(path, `no file follows ${word}`);
    files.push({ offset: parseOffset(word, path), path: resolve(dirname(path), file) });
    index += 1;
  }
  if (files.length === 0) throw incomplete(path, "no file is named");
  return { settings: settingsOf((name) => options.get(name)), files };
}

/** `--flash-mode dio` and `--flash_mode dio` both as `flash_mode`. */
export function optionsOf(words: readonly string[]): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  words.forEach((word, index) => {
    const next = words[index + 1];
    if (word.startsWith("--") && next !== undefined) options.set(word.slice(2).replaceAll("-", "_"), next);
  });
  return options;
}

/** Settings out of `flash_mode`, `flash_freq` and `flash_size`, whichever there are. */
export function settingsOf(value: (name: string) => string | undefined): BuildFlashSettings {
  return {
    ...optional("mode", value("flash_mode")),
    ...optional("frequency", value("flash_freq")),
    ...optional("size", value("flash_size")),
  };
}

function incomplete(path: string, what: string): FlashError {
  return new FlashError("bad-image", `${path}: ${what}`, { remedy: "Build again: the file is incomplete." });
}
