// What `npm start` and `npm test` need before anything else: the right Node, the npm packages of the lockfile, and Debian packages.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dirname, "..");

/** Ends the program with one sentence that says what is wrong and one that says what to do. */
export function giveUp(what, remedy) {
  process.stderr.write(`${what}\n${remedy}\n`);
  process.exit(1);
}

/** A new folder whose name begins so; it goes away by `remove`, and with this program in any case, however it ends by itself. */
export function temporaryFolder(begin) {
  const path = mkdtempSync(begin);
  const remove = () => rmSync(path, { recursive: true, force: true });
  process.once("exit", remove);
  return { path, remove };
}

/** @returns the exit code; output goes to the terminal */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit", ...options });
  if (error) giveUp(`${command} could not be started: ${error.message}`, "Install it and try again.");
  return status ?? 1;
}

export function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  giveUp(`Node ${process.versions.node} is too old.`, "Install Node 20.19 or newer.");
}

/** Installs exactly what the lockfile says, unless that was done already. */
export function installPackages() {
  const stamp = join(root, "node_modules", ".deltaflash-lock");
  const wanted = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  process.stdout.write("installing npm packages\n");
  const code = run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  if (code !== 0) giveUp("npm ci failed.", "Read its output above; it needs the npm registry.");
  writeFileSync(stamp, wanted);
}

export function build() {
  if (run(process.execPath, ["esbuild.mjs"]) !== 0) giveUp("The build failed.", "Read the errors above.");
}

/**
 * Debian packages, each with a probe that tells whether what it brings is there already.
 * Installs the missing ones as root; otherwise names the command and ends the program.
 * @param {readonly { name: string, isThere: () => boolean }[]} packages
 */
export function installDebianPackages(packages) {
  const missing = packages.filter((one) => !one.isThere()).map((one) => one.name);
  if (missing.length === 0) return;
  const line = `apt-get install -y --no-install-recommends ${missing.join(" ")}`;
  const remedy = `Run: sudo ${line}`;
  const isRoot = process.getuid?.() === 0;
  if (!isRoot || spawnSync("apt-get", ["--version"]).status !== 0)
    giveUp(`Missing for the tests: ${missing.join(", ")}.`, remedy);
  process.stdout.write(`installing ${missing.join(", ")}\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  run("apt-get", ["update", "-qq"], { env });
  if (
    run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...missing], {
      env,
      stdio: ["ignore", "ignore", "inherit"],
    }) !== 0
  ) {
    giveUp(`Installing ${missing.join(", ")} failed.`, remedy);
  }
}
