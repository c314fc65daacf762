// `npm run bench`: builds the product and the benchmarks, then runs them.
import { build as bundle } from "esbuild";
import { build, checkNode, installPackages, run } from "./setup.mjs";

checkNode();
installPackages();
build();
for (const [name, source] of [
  ["bench", "bench/main.ts"],
  ["delta", "bench/delta.ts"],
]) {
  await bundle({
    entryPoints: [source],
    outfile: `dist/${name}.mjs`,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    packages: "external",
    sourcemap: true,
  });
}
process.exitCode =
  run(process.execPath, ["--enable-source-maps", "dist/bench.mjs"]) ||
  run(process.execPath, ["--enable-source-maps", "dist/delta.mjs"]);
