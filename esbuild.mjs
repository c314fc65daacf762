// Bundles the command line, and the extension with its server and its panel.
//
//   node esbuild.mjs                       everything into dist/, the serial port's native parts into prebuilds/
//   node esbuild.mjs <folder>              the command line alone; the folder is emptied first
//   node esbuild.mjs --extension <folder>  what a packed extension runs: <folder>/dist and <folder>/prebuilds
import { build } from "esbuild";
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";

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

/**
 * The programs for the chips' RAM, Espressif's and ours, in one file: they resemble each other, so that together they pack far
 * better than one by one.
 */
function stubsTogether(outdir) {
  const files = new Map();
  return {
    name: "stubs-together",
    setup(bundle) {
      bundle.onResolve({ filter: /^stubs-together$/ }, ({ path }) => ({ path, namespace: "stubs" }));
      bundle.onLoad({ filter: /.*/, namespace: "stubs" }, () => ({ contents: stubReader, resolveDir: "." }));
      bundle.onLoad({ filter: /[\\/](blobs|stub_flasher)[\\/][^\\/]+\.json$/ }, async ({ path }) => {
        const name = `${basename(dirname(path))}/${basename(path)}`;
        files.set(name, JSON.parse(await readFile(path, "utf8")));
        return { contents: `import { stub } from "stubs-together"; export default stub(${JSON.stringify(name)});` };
      });
      bundle.onEnd(async () => {
        const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
        const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 22 };
        await writeFile(
          join(outdir, "stubs.br"),
          brotliCompressSync(withoutBase64(Object.fromEntries(sorted)), { params }),
        );
      });
    },
  };
}

/** Base64 hides from the packer what is alike; as hexadecimal digits it is seen. */
function withoutBase64(files) {
  return JSON.stringify(files, (_, value) =>
    typeof value === "string" && value.length >= 64 && /^[A-Za-z0-9+/]+=*$/.test(value) && value.length % 4 === 0
      ? `hex:${Buffer.from(value, "base64").toString("hex")}`
      : value,
  );
}

const stubReader = `
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
let files;
const withBase64 = (_, value) =>
  typeof value === "string" && value.startsWith("hex:") ? Buffer.from(value.slice(4), "hex").toString("base64") : value;
const read = () => JSON.parse(brotliDecompressSync(readFileSync(join(__dirname, "stubs.br"))).toString(), withBase64);
export const stub = (name) => (files ??= read())[name];
`;

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
  await build({
    ...node,
    entryPoints: { server: "src/server/main.ts", "delta-thread": "src/server/delta-thread.ts" },
    plugins: [stubsTogether(outdir)],
  });
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
  // For every platform that the editor runs on: not Android, and no 32-bit Windows since 1.84.
  const filter = (path) => !/android-|win32-ia32/.test(path);
  await cp("node_modules/@serialport/bindings-cpp/prebuilds", prebuilds, { recursive: true, filter });
}

const [first, second] = process.argv.slice(2);
const folder = first === "--extension" ? join(second, "dist") : (first ?? "dist");
await rm(folder, { recursive: true, force: true });
if (first !== "--extension") await bundleCommandLine(folder);
if (first === undefined) await bundleExtension(".");
if (first === "--extension") await bundleExtension(second);
