// Takes the desktop command line that @vscode/test-electron passes, runs it on the server build, returns the exit code.
// Env: VSCH_NODE, VSCH_SERVER, VSCH_CHROMIUM, VSCH_HEADED, VSCH_LOG (file), VSCH_SCREENSHOT_DIR, VSCH_TIMEOUT_MS
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import util from "node:util";
import { nodeBin, openWorkbench, serverArgs, serverEnv, serverMain, serverRoot, startServer } from "./host.mjs";

const { env } = process;
const CLI = ["install-extension", "uninstall-extension", "list-extensions", "show-versions", "force"];
const VALUED = [
  "extensionDevelopmentPath",
  "extensionTestsPath",
  "user-data-dir",
  "extensions-dir",
  "install-extension",
  "uninstall-extension",
];
const opt = { targets: [], dev: [], cli: [] };
for (let rest = process.argv.slice(2); rest.length;) {
  const arg = rest.shift();
  if (!arg.startsWith("--")) {
    opt.targets.push(arg);
    continue;
  }
  let [key, value] = arg.slice(2).split(/=(.*)/s, 2);
  if (value === undefined && VALUED.includes(key) && rest[0] && !rest[0].startsWith("--")) value = rest.shift();
  if (key === "extensionDevelopmentPath") opt.dev.push(value);
  else if (CLI.includes(key)) opt.cli.push(value === undefined ? `--${key}` : `--${key}=${value}`);
  else opt[key] = value ?? true; // unknown desktop flags are ignored
}
if (opt.version) {
  console.log(JSON.parse(fs.readFileSync(path.join(serverRoot, "package.json"), "utf8")).version);
  process.exit(0);
}

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "vsch-"));
const dataDir = path.resolve(opt["user-data-dir"] ?? path.join(scratch, "user-data"));
const extensionsDir = path.resolve(opt["extensions-dir"] ?? path.join(scratch, "extensions"));
if (opt.cli.length) {
  const { status } = spawnSync(nodeBin, [serverMain, ...serverArgs(dataDir, extensionsDir), ...opt.cli], {
    stdio: "inherit",
    env: serverEnv(),
  });
  fs.rmSync(scratch, { recursive: true, force: true });
  process.exit(status ?? 1);
}

const tests = opt.extensionTestsPath && path.resolve(opt.extensionTestsPath),
  [target] = opt.targets;
const resultFile = path.join(scratch, "result"),
  outFile = path.join(scratch, "output");
fs.writeFileSync(outFile, "");
const log = (text) => {
  if (env.VSCH_LOG) fs.appendFileSync(env.VSCH_LOG, text);
};
let server,
  browser,
  page,
  finished = false,
  printed = 0;
const flush = () => {
  const all = fs.readFileSync(outFile);
  process.stdout.write(all.subarray(printed));
  printed = all.length;
};
const poll = setInterval(flush, 100);

async function finish(code, why) {
  if (finished) return;
  finished = true;
  clearInterval(poll);
  if (code && env.VSCH_SCREENSHOT_DIR && page)
    await page.screenshot({ path: path.join(env.VSCH_SCREENSHOT_DIR, "failure.png") }).catch(() => {});
  await Promise.race([browser?.close().catch(() => {}), new Promise((resolve) => setTimeout(resolve, 5000))]);
  await server?.stop();
  flush();
  if (why) console.error(`[vscode-host] ${why}`);
  fs.rmSync(scratch, { recursive: true, force: true });
  process.exit(code);
}
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => finish(130, name));
const limit = +(env.VSCH_TIMEOUT_MS ?? 600_000);
setTimeout(() => finish(124, `no result after ${limit} ms`), limit).unref();

async function beforeGoto(opened) {
  page = opened;
  page.on("crash", () => finish(1, "page crashed"));
  page.on("pageerror", (error) => log(`[page] ${error}\n`));
  await page.exposeFunction("codeAutomationLog", (type, args) => log(`[workbench ${type}] ${util.format(...args)}\n`));
  // Called when run() settles, but also with 0 when the extension host was killed: only the shim's verdict counts.
  await page.exposeFunction("codeAutomationExit", (code) => {
    const verdict = fs.existsSync(resultFile) ? fs.readFileSync(resultFile, "utf8") : undefined;
    setTimeout(() =>
      finish(
        verdict === "pass" ? code : code || 1,
        verdict ? undefined : `extension host ended before the tests did (reported ${code})`,
      ),
    );
  });
}
try {
  server = await startServer({
    dataDir,
    extensionsDir,
    onLog: log,
    env: { ...env, ...(tests && { VSCH_TESTS: tests, VSCH_OUT: outFile, VSCH_RESULT: resultFile }) },
  });
  ({ browser, page } = await openWorkbench(server, {
    devExtensions: opt.dev,
    beforeGoto,
    wait: false,
    testsPath: tests && path.join(import.meta.dirname, "test-shim.cjs"),
    ...(target && { [target.endsWith(".code-workspace") ? "workspace" : "folder"]: target }),
  }));
  browser.on("disconnected", () => finish(1, "browser ended"));
} catch (error) {
  await finish(1, error.message);
}
