/** What the loaders for Cortex-M are made of, and the hash that tells whether they are made of what stands here. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { stubs } from "../sources.mjs";

/** Names as in `blobs/cortex-m-<driver>.json`. */
export const drivers = readdirSync(join(stubs, "cortex-m", "drivers"))
  .filter((name) => name.endsWith(".c"))
  .map((name) => name.slice(0, -2))
  .sort();

const roots = ["entry.S", "hash.S", "loader.c", "loader.ld", "patch.c", "build.mjs"].map((name) => `cortex-m/${name}`);

/**
 * SHA-256 over name and contents of everything that goes into one loader: drivers do not share it, so that one can change alone.
 * @param {string} driver
 * @returns {string} hex
 */
export function loaderHash(driver) {
  const names = new Set([...roots, "elf.mjs", `cortex-m/drivers/${driver}.c`]);
  for (const name of names) for (const included of includedBy(name)) names.add(included);
  const hash = createHash("sha256");
  for (const name of [...names].sort()) {
    hash
      .update(`${name}\0`)
      .update(readFileSync(join(stubs, name)))
      .update("\0");
  }
  return hash.digest("hex");
}

/** Files of ours, relative to `stubs`: beside the one that includes them, or where the compiler looks. */
function includedBy(name) {
  if (!/\.[ch]$/.test(name)) return [];
  const text = readFileSync(join(stubs, name), "utf8");
  return [...text.matchAll(/^#(?:include|define AREAS) "(.+)"$/gm)].map(([, file]) => {
    const places = [dirname(name), "cortex-m", "core"].map((folder) => join(folder, file));
    const place = places.find((path) => existsSync(join(stubs, path)));
    if (place === undefined) throw new Error(`${name} includes ${file}, which is nowhere`);
    return place;
  });
}
