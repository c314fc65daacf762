// Collects what the extension says into l10n/bundle.l10n.json, the list that translations start from. `--check` only compares.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./setup.mjs";

const folder = join(root, "src/extension");
const file = join(root, "l10n/bundle.l10n.json");
const words = new Set();
for (const name of readdirSync(folder).sort()) {
  const text = readFileSync(join(folder, name), "utf8");
  for (const [, literal] of text.matchAll(/l10n\.t\(\s*("(?:[^"\\]|\\.)*")/g)) words.add(JSON.parse(literal));
}
const bundle = `${JSON.stringify(Object.fromEntries([...words].sort().map((word) => [word, word])), null, 2)}\n`;
if (process.argv.includes("--check")) {
  if (readFileSync(file, "utf8") !== bundle) {
    process.stderr.write("l10n/bundle.l10n.json is not up to date\nRun: node tools/l10n.mjs\n");
    process.exitCode = 1;
  }
} else {
  mkdirSync(join(root, "l10n"), { recursive: true });
  writeFileSync(file, bundle);
}
