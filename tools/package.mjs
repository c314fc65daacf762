// `npm run package [file] [most bytes]`: bundles and packs the extension, and refuses a package that is too large or lacks a part.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { checkNode, giveUp, installPackages, root, run, temporaryFolder } from "./setup.mjs";
import { stageExtension } from "./stage.mjs";

const mostBytes = 1_200_000;
const needed = [
  "dist/extension.cjs",
  "dist/language-client.cjs",
  "dist/server.cjs",
  "dist/delta-thread.cjs",
  "dist/stubs.br",
  "dist/timing-panel.js",
  "media/timing-panel.css",
  "media/icon.png",
  "package.nls.json",
  "package.nls.de.json",
  "l10n/bundle.l10n.de.json",
  "prebuilds/linux-x64/",
  "prebuilds/linux-arm64/",
  "prebuilds/win32-x64/",
  "prebuilds/darwin-x64+arm64/",
];

/** @returns the size in bytes; ends the program when the package is not as it should be */
export function packExtension(file, limitBytes = mostBytes) {
  const { path: stage, remove } = temporaryFolder(join(tmpdir(), "deltaflash-pack-"));
  try {
    stageExtension(stage);
    mkdirSync(dirname(file), { recursive: true });
    const vsce = join(root, "node_modules", ".bin", "vsce");
    const flags = ["--no-dependencies", "--no-rewrite-relative-links", "--allow-missing-repository"];
    if (run(vsce, ["package", ...flags, "--out", file], { cwd: stage, stdio: ["ignore", "ignore", "inherit"] }) !== 0)
      giveUp("Packing failed.", "Read the errors above.");
    const { stdout } = spawnSync(vsce, ["ls", "--no-dependencies"], { cwd: stage, encoding: "utf8" });
    const missing = needed.filter((part) => !stdout.split("\n").some((line) => line.startsWith(part)));
    if (missing.length > 0)
      giveUp(`The package lacks ${missing.join(", ")}.`, "Look at .vscodeignore and esbuild.mjs.");
    const { size } = statSync(file);
    if (size > limitBytes) {
      rmSync(file);
      giveUp(
        `The package has ${size} bytes; ${limitBytes} are the most.`,
        "Find out what came in with `vsce ls --tree`.",
      );
    }
    return size;
  } finally {
    remove();
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  checkNode();
  installPackages();
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const file = resolve(process.argv[2] ?? join(root, `deltaflash-${version}.vsix`));
  const size = packExtension(file, process.argv[3] === undefined ? mostBytes : Number(process.argv[3]));
  process.stdout.write(`${file}: ${(size / 1e6).toFixed(2)} MB\n`);
}
