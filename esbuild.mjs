// Bundles the command line. Code splitting keeps `deltaflash --help` from loading what it does not need.
import { build } from "esbuild";
import { readFile, rm } from "node:fs/promises";

/** `node esbuild.mjs [folder]`; the folder is emptied first. */
const outdir = process.argv[2] ?? "dist";

await rm(outdir, { recursive: true, force: true });
await build({
  entryPoints: { cli: "src/cli/main.ts" },
  outdir,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  sourcemap: true,
  external: ["serialport"],
  define: { VERSION: JSON.stringify(JSON.parse(await readFile("package.json", "utf8")).version) },
  loader: { ".py": "text" },
  banner: { js: "#!/usr/bin/env node" },
  logLevel: "warning",
});
