// The levels of testing, and how their results are counted.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./setup.mjs";

const bin = (name) => join(root, "node_modules", ".bin", name);

/** One pass or failure each. */
const checks = [
  ["lint", bin("eslint"), ["--max-warnings", "0", "."]],
  ["types", bin("tsc"), ["-p", "tsconfig.json"]],
  ["types of the panel", bin("tsc"), ["-p", "src/webview"]],
  ["format", bin("prettier"), ["--check", "--log-level", "warn", "."]],
  ["import rules", bin("depcruise"), ["--config", ".dependency-cruiser.mjs", "src", "test", "bench"]],
  ["dead code", bin("knip"), []],
];

/** Files that are as they were need no second look; `npm test` looks at everything. */
function cacheOf(title) {
  if (title !== "lint" && title !== "format") return [];
  return ["--cache", "--cache-strategy", "content", "--cache-location", join(root, "node_modules", ".cache", title)];
}

/** Two at a time, the slow ones first; each prints what it has to say when it is done. */
export async function runChecks({ cached = false } = {}) {
  const waiting = checks.map(([title, command, args]) => [
    title,
    command,
    cached ? [...args, ...cacheOf(title)] : args,
  ]);
  const results = [];
  const worker = async () => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift())
      results.push(await runCheck(...check));
  };
  await Promise.all([worker(), worker()]);
  return results;
}

async function runCheck(title, command, args) {
  const startedAt = performance.now();
  const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  const output = [];
  child.stdout.on("data", (part) => output.push(part));
  child.stderr.on("data", (part) => output.push(part));
  const passed = await new Promise((resolve) => {
    child.once("error", () => resolve(false));
    child.once("close", (code) => resolve(code === 0));
  });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  process.stdout.write(`${passed ? "" : Buffer.concat(output)}${passed ? "ok  " : "FAIL"} ${title} (${seconds} s)\n`);
  return { title, passed: passed ? 1 : 0, failed: passed ? 0 : 1 };
}

/** A vitest project; every test counts, and so does a run that ends without a result or skips anything. */
export function runTests(project, env = process.env) {
  const folder = mkdtempSync(join(tmpdir(), "deltaflash-test-"));
  try {
    const file = join(folder, "results.json");
    const args = ["run", "--project", project, "--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
    const { status } = spawnSync(bin("vitest"), args, { cwd: root, env, stdio: ["ignore", "inherit", "inherit"] });
    if (!existsSync(file)) return { title: project, passed: 0, failed: 1 };
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(readFileSync(file, "utf8"));
    const skipped = numPendingTests + numTodoTests;
    if (skipped > 0) process.stdout.write(`${skipped} tests of ${project} were skipped: that counts as failed\n`);
    const failed = numFailedTests + skipped;
    return { title: project, passed: numPassedTests, failed: failed === 0 && status !== 0 ? 1 : failed };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Prints the sums; @returns the exit code */
export function closingLine(results) {
  const sum = (field) => results.reduce((total, result) => total + result[field], 0);
  const broken = results.filter((result) => result.failed > 0).map((result) => result.title);
  if (broken.length > 0) process.stdout.write(`failed: ${broken.join(", ")}\n`);
  process.stdout.write(`${sum("passed")} passed, ${sum("failed")} failed\n`);
  return sum("failed") === 0 && sum("passed") > 0 ? 0 : 1;
}
