/** What the blobs are made of, and the hash that tells whether they are made of what stands here. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const stubs = import.meta.dirname;
export const blobs = join(stubs, "blobs");
/** Names as in `blobs/<chip>.json`. */
export const chips = readdirSync(join(stubs, "esp", "chips"))
  .filter((name) => name.endsWith(".h"))
  .map((name) => name.slice(0, -2))
  .sort();

const scripts = ["build.mjs", "elf.mjs", "sources.mjs"];
/** The parts of a blob, by the folders they come from. */
const folders = { esp: ["core", "esp", "esp/chips"], wasm: ["core", "wasm"] };

/**
 * SHA-256 over name and contents of everything that goes into a kind of blob, the build scripts too.
 * @param {"esp" | "wasm"} kind
 * @returns {string} hex
 */
export function sourceHash(kind) {
  const files = folders[kind].flatMap((folder) =>
    readdirSync(join(stubs, folder))
      .filter((name) => /\.(c|h|S|in|mjs)$/.test(name))
      .map((name) => `${folder}/${name}`),
  );
  const hash = createHash("sha256");
  for (const name of [...files, ...scripts].sort()) {
    hash
      .update(`${name}\0`)
      .update(readFileSync(join(stubs, name)))
      .update("\0");
  }
  return hash.digest("hex");
}

/** The number that HELLO reports. */
export function buildNumber(hash) {
  return Number.parseInt(hash.slice(0, 8), 16);
}
