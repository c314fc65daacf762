// `npm run soak [-- RUNS [FIRST SEED]]`: the fault campaign against our own stub, 20,000 runs unless told otherwise.
import { build as bundle } from "esbuild";
import { checkNode, installPackages, run } from "./setup.mjs";

checkNode();
installPackages();
await bundle({
  entryPoints: ["test/sim/patch-stub-soak.ts"],
  outfile: "dist/soak.mjs",
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  packages: "external",
  sourcemap: true,
});
process.exitCode = run(process.execPath, ["--enable-source-maps", "dist/soak.mjs", ...process.argv.slice(2)]);
