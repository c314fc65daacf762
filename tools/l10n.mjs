// Collects what extension and panel say into l10n/bundle.l10n.json, the list that translations start from. `npm test` compares.
import { getL10nJson } from "@vscode/l10n-dev";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./setup.mjs";

const files = ["src/extension", "src/webview"].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".ts"))
    .map((name) => ({ extension: ".ts", contents: readFileSync(join(root, folder, name), "utf8") })),
);
const words = Object.entries(await getL10nJson(files)).sort(([a], [b]) => (a < b ? -1 : 1));
const file = join(root, "l10n/bundle.l10n.json");
writeFileSync(file, `${JSON.stringify(Object.fromEntries(words), null, 2)}\n`);
process.stdout.write(`${words.length} sentences in ${file}\n`);
