// `npm run package [file]`: bundles and packs the extension, and refuses a package that is too large or lacks a part.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { build, checkNode, giveUp, installPackages, root, run } from "./setup.mjs";

const mostBytes = 1.2 * 1024 * 1024;
const needed = [
  "extension/dist/extension.cjs",
  "extension/dist/language-client.cjs",
  "extension/dist/server.cjs",
  "extension/dist/timing-panel.js",
  "extension/media/timing.css",
  "extension/prebuilds/linux-x64/",
  "extension/prebuilds/win32-x64/",
  "extension/prebuilds/darwin-x64+arm64/",
];

checkNode();
installPackages();
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const file = resolve(process.argv[2] ?? join(root, `deltaflash-${version}.vsix`));
mkdirSync(dirname(file), { recursive: true });
build();
const vsce = join(root, "node_modules", ".bin", "vsce");
const flags = ["--no-dependencies", "--no-rewrite-relative-links", "--allow-missing-repository"];
if (run(vsce, ["package", ...flags, "--out", file]) !== 0) giveUp("Packing failed.", "Read the errors above.");

const listed = spawnSync(vsce, ["ls", "--no-dependencies"], { cwd: root, encoding: "utf8" }).stdout.split("\n");
const missing = needed.filter((part) => !listed.some((line) => `extension/${line}`.startsWith(part)));
if (missing.length > 0) giveUp(`The package lacks ${missing.join(", ")}.`, "Look at .vscodeignore and esbuild.mjs.");
const { size } = statSync(file);
process.stdout.write(`${file}: ${(size / 1024 / 1024).toFixed(2)} MiB\n`);
if (size > mostBytes) giveUp("The package is larger than 1.2 MiB.", "Find out what came in with `vsce ls --tree`.");
