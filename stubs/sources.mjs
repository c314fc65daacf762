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

const folders = ["core", "esp", "esp/chips", "wasm"];
const scripts = ["build.mjs", "elf.mjs", "sources.mjs"];

/**
 * SHA-256 over name and contents of everything that goes into any blob, the build scripts too: all blobs have one, so that a
 * simulated chip's core says the same build number as the blob that was loaded into it.
 * @returns {string} hex
 */
export function sourceHash() {
  const files = folders.flatMap((folder) =>
    readdirSync(join(stubs, folder))
      .filter((name) => /\.(c|h|S|in)$/.test(name))
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

/** The number that HELLO reports. @param {string} hash @returns {number} */
export function buildNumber(hash) {
  return Number.parseInt(hash.slice(0, 8), 16);
}
