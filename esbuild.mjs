// Bundles the command line, and the extension with its server and its panel.
//
//   node esbuild.mjs                       everything into dist/, the serial port's native parts into prebuilds/
//   node esbuild.mjs <folder>              the command line alone; the folder is emptied first
//   node esbuild.mjs --extension <folder>  what a packed extension runs: <folder>/dist and <folder>/prebuilds
import { build } from "esbuild";
import { cp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

const version = JSON.stringify(JSON.parse(await readFile("package.json", "utf8")).version);
const common = {
  bundle: true,
  target: "node20.19",
  sourcemap: true,
  define: { VERSION: version },
  // Their entry points for Node load parts of themselves at run time, which a bundle cannot.
  alias: {
    yaml: "./node_modules/yaml/browser/index.js",
    "jsonc-parser": "./node_modules/jsonc-parser/lib/esm/main.js",
  },
  logLevel: "warning",
};

/** Code splitting keeps `deltaflash --help` from loading what it does not need. */
async function bundleCommandLine(outdir) {
  await build({
    ...common,
    entryPoints: { cli: "src/cli/main.ts" },
    outdir,
    outExtension: { ".js": ".mjs" },
    splitting: true,
    format: "esm",
    platform: "node",
    external: ["serialport"],
    banner: { js: "#!/usr/bin/env node" },
  });
}

/** Loaded when the server is started, not when the extension is. */
const languageClientApart = {
  name: "language-client-apart",
  setup(bundle) {
    bundle.onResolve({ filter: /\/language-client\.ts$/ }, ({ kind }) =>
      kind === "dynamic-import" ? { path: "./language-client.cjs", external: true } : undefined,
    );
  },
};

/** `.cjs`, because package.json says `"type": "module"` and the editor loads extensions with `require`. */
async function bundleExtension(root) {
  const outdir = join(root, "dist");
  const node = { ...common, outdir, outExtension: { ".js": ".cjs" }, format: "cjs", platform: "node", minify: true };
  await build({
    ...node,
    entryPoints: { extension: "src/extension/main.ts", "language-client": "src/extension/language-client.ts" },
    external: ["vscode"],
    plugins: [languageClientApart],
  });
  await build({ ...node, entryPoints: { server: "src/server/main.ts", "delta-thread": "src/server/delta-thread.ts" } });
  await build({
    ...common,
    entryPoints: { "timing-panel": "src/webview/timing-panel.ts" },
    outdir,
    format: "iife",
    platform: "browser",
    target: "es2022",
    minify: true,
  });
  // node-gyp-build looks for them one folder above the bundle.
  const prebuilds = join(root, "prebuilds");
  await rm(prebuilds, { recursive: true, force: true });
  // For every platform that the editor runs on, which Android is not.
  const filter = (path) => !path.includes("android-");
  await cp("node_modules/@serialport/bindings-cpp/prebuilds", prebuilds, { recursive: true, filter });
}

const [first, second] = process.argv.slice(2);
const folder = first === "--extension" ? join(second, "dist") : (first ?? "dist");
await rm(folder, { recursive: true, force: true });
if (first !== "--extension") await bundleCommandLine(folder);
if (first === undefined) await bundleExtension(".");
if (first === "--extension") await bundleExtension(second);
