// `npm run bench`: builds the product and the benchmarks, then runs them.
import { build as bundle } from "esbuild";
import { build, checkNode, installPackages, run } from "./setup.mjs";

checkNode();
installPackages();
build();
await bundle({
  entryPoints: ["bench/main.ts"],
  outfile: "dist/bench.mjs",
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  packages: "external",
  sourcemap: true,
});
process.exitCode = run(process.execPath, ["--enable-source-maps", "dist/bench.mjs"]);
