// The level of testing that runs in a real VS Code: tests inside its extension host, and tests that use it in a browser.
// `node tools/vscode-tests.mjs [host|ui]` installs what it needs, runs them and prints `N passed, N failed`.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { closingLine } from "./levels.mjs";
import { packExtension } from "./package.mjs";
import { checkNode, giveUp, installDebianPackages, installPackages, root, run, temporaryFolder } from "./setup.mjs";
import { makeDemoWorkspace, stageExtension } from "./stage.mjs";

const host = join(root, "tools", "vscode-host");

/** VS Code's server build and Chromium; both are used by `npm run vscode`, too. */
export function installVscode() {
  installDebianPackages([
    { name: "chromium", isThere: () => existsSync(process.env.VSCH_CHROMIUM ?? "/usr/bin/chromium") },
    { name: "fonts-dejavu-core", isThere: () => existsSync("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf") },
    // Stands for a terminal program that holds a port.
    { name: "python3", isThere: () => spawnSync("python3", ["--version"]).status === 0 },
    { name: "make", isThere: () => spawnSync("make", ["--version"]).status === 0 },
  ]);
  installVscodeServer();
}

export function installVscodeServer() {
  if (existsSync(join(host, "node_modules/code-server/lib/vscode/.host-ready"))) return;
  process.stdout.write("installing VS Code (server build)\n");
  if (run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: host }) !== 0)
    giveUp("VS Code could not be installed.", "Read the output of npm above; it needs the npm registry.");
  if (run(process.execPath, [join(host, "setup.mjs")]) !== 0)
    giveUp("VS Code could not be set up.", "Read the output above.");
}

/** An extension of the tests, loaded beside ours. */
async function bundleStandIn(from, to) {
  const { build: bundle } = await import("esbuild");
  await bundle({
    entryPoints: { extension: join(root, from, "extension.ts") },
    outdir: to,
    outExtension: { ".js": ".cjs" },
    bundle: true,
    format: "cjs",
    platform: "node",
    external: ["vscode"],
    logLevel: "warning",
  });
  cpSync(join(root, from, "package.json"), join(to, "package.json"));
}

async function hostSuite(stage, scratch) {
  // Not at the top: they are installed by then.
  const { build: bundle } = await import("esbuild");
  const { runTests } = await import("@vscode/test-electron");
  const tests = join(root, "test/vscode/suite");
  await bundle({
    entryPoints: readdirSync(tests)
      .filter((name) => name === "index.ts" || name.endsWith(".test.ts"))
      .map((name) => join(tests, name)),
    outdir: join(stage, "out/test"),
    outExtension: { ".js": ".cjs" },
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "node20.19",
    external: ["vscode", "mocha"],
    sourcemap: "inline",
    logLevel: "warning",
  });
  const cmakeTools = join(stage, "out/cmake-tools");
  await bundleStandIn("test/vscode/cmake-tools", cmakeTools);
  const cortexDebug = join(stage, "out/cortex-debug");
  await bundleStandIn("test/vscode/cortex-debug", cortexDebug);
  const workspace = join(scratch, "host-workspace");
  makeDemoWorkspace(workspace);
  const results = join(scratch, "results.json");
  const environment = { DELTAFLASH_STATE: join(scratch, "host-state"), DELTAFLASH_RESULTS: results };
  if (process.env.DELTAFLASH_GREP) environment.DELTAFLASH_GREP = process.env.DELTAFLASH_GREP;
  await runTests({
    vscodeExecutablePath: process.env.VSCODE_EXECUTABLE ?? join(host, "code"),
    extensionDevelopmentPath: [stage, cmakeTools, cortexDebug],
    extensionTestsPath: join(stage, "out/test/index.cjs"),
    extensionTestsEnv: { VSCH_TIMEOUT_MS: "240000", ...environment },
    launchArgs: [workspace, "--disable-extensions"],
  }).catch((error) => process.stdout.write(`${error.message}\n`));
  const title = "extension host";
  if (!existsSync(results)) return { title, passed: 0, failed: 1 };
  return { title, ...JSON.parse(readFileSync(results, "utf8")) };
}

/** Every file exports `tests`: names, and what to do with `{ stage, vsix, cli, scratch, screenshots }`. */
async function uiTests(stage, scratch, only) {
  const folder = join(root, "test/vscode/ui");
  const vsix = join(scratch, "deltaflash.vsix");
  const size = packExtension(vsix);
  process.stdout.write(`package: ${(size / 1e6).toFixed(2)} MB\n`);
  const commandLine = join(stage, "out/cli");
  if (run(process.execPath, ["esbuild.mjs", commandLine]) !== 0) giveUp("The build failed.", "Read the errors above.");
  const cli = join(commandLine, "cli.mjs");
  const screenshots = process.env.DELTAFLASH_SCREENSHOTS ?? join(scratch, "screenshots");
  mkdirSync(screenshots, { recursive: true });
  let passed = 0;
  let failed = 0;
  for (const name of readdirSync(folder).filter((one) => one.endsWith(".test.mjs") && one.includes(only))) {
    const { tests } = await import(pathToFileURL(join(folder, name)).href);
    const own = mkdtempSync(join(scratch, "ui-"));
    await tests({ stage, vsix, cli, scratch: own, screenshots }, async (title, act) => {
      const startedAt = performance.now();
      try {
        await act();
        passed += 1;
        process.stdout.write(`ok   ${title} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)\n`);
      } catch (error) {
        failed += 1;
        process.stdout.write(`FAIL ${title}\n${error.stack}\n`);
      }
    }).catch((error) => {
      failed += 1;
      process.stdout.write(`FAIL ${name}\n${error.stack}\n`);
    });
  }
  return { title: "user interface", passed, failed: passed + failed === 0 ? 1 : failed };
}

/** @returns results as of the other levels */
export async function runVscodeTests(which = "", only = "") {
  installVscode();
  mkdirSync(join(root, "out"), { recursive: true });
  const keep = process.env.DELTAFLASH_KEEP !== undefined;
  const folderAt = (begin) => (keep ? { path: mkdtempSync(begin), remove: () => undefined } : temporaryFolder(begin));
  const { path: stage, remove: removeStage } = folderAt(join(root, "out", "stage-"));
  const { path: scratch, remove: removeScratch } = folderAt(join(tmpdir(), "deltaflash-vscode-"));
  try {
    stageExtension(stage);
    const results = [];
    if (which !== "ui") results.push(await hostSuite(stage, scratch));
    if (which !== "host") results.push(await uiTests(stage, scratch, only));
    return results;
  } finally {
    removeStage();
    removeScratch();
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  checkNode();
  installPackages();
  process.exitCode = closingLine(await runVscodeTests(process.argv[2], process.argv[3]));
}
