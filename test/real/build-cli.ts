/** Bundles the command line once for all tests that run it, so that none of them meets an old one. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** Full path of the bundled `cli.mjs`. */
    readonly cli: string;
  }
}

/** Below node_modules, so that the packages that are not bundled are found. */
const root = join(import.meta.dirname, "../..");
const cache = join(root, "node_modules/.cache");

export function setup(project: TestProject): () => void {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "deltaflash-cli-"));
  const { status } = spawnSync(process.execPath, ["esbuild.mjs", folder], { cwd: root, stdio: "inherit" });
  if (status !== 0) throw new Error("the command line could not be bundled");
  project.provide("cli", join(folder, "cli.mjs"));
  return () => rmSync(folder, { recursive: true, force: true });
}
