// Puts the extension together in a folder of its own, as it is packed, so that a running editor never meets a half-built dist/.
import { cpSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { giveUp, root, run } from "./setup.mjs";

const parts = [
  "package.json",
  "package.nls.json",
  "package.nls.de.json",
  "l10n",
  "media",
  "README.md",
  "CHANGELOG.md",
  "LICENSE",
  ".vscodeignore",
];

export function stageExtension(folder) {
  mkdirSync(folder, { recursive: true });
  if (run(process.execPath, ["esbuild.mjs", "--extension", folder]) !== 0)
    giveUp("The build failed.", "Read the errors above.");
  for (const part of parts) {
    if (existsSync(join(root, part))) cpSync(join(root, part), join(folder, part), { recursive: true });
  }
}

/** The meter firmware with its Makefile, and prebuilt variants where there is no compiler for it. */
export function makeDemoWorkspace(folder) {
  cpSync(join(root, "test/vscode/demo"), folder, { recursive: true });
  mkdirSync(join(folder, "prebuilt"), { recursive: true });
  for (const variant of ["base", "const"]) {
    const name = `meter-esp32c3-${variant}.elf.gz`;
    cpSync(join(root, "test/fixtures/firmware", name), join(folder, "prebuilt", name));
  }
}
