/** The timing panel in a real browser, under the policy that the editor gives it. */
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { StoredReport } from "../../src/server/protocol.ts";
import { firmware, Rig } from "../sim/rig.ts";

const folder = mkdtempSync(join(tmpdir(), "deltaflash-panel-"));
/** Before the first page. */
export async function bundlePanel(): Promise<void> {
  await build({
    entryPoints: ["src/webview/timing-panel.ts"],
    bundle: true,
    format: "iife",
    target: "es2022",
    outfile: join(folder, "timing-panel.js"),
  });
}

export function removePanel(): void {
  rmSync(folder, { recursive: true, force: true });
}

/** Newest first: the same build again, an edited constant, and the first flash of a board. */
export async function threeFlashes(): Promise<readonly StoredReport[]> {
  const rig = new Rig({ board: "esp32c3" }, { port: "sim:esp32c3" });
  const reports: StoredReport[] = [];
  for (const kind of ["base", "const", "const"] as const) {
    const report = await rig.flash(await firmware(kind));
    reports.unshift({ at: reports.length + 1, trigger: "key", artifact: ["a.elf"], report });
    rig.again();
  }
  return reports;
}

const before = `
const told = [], posted = [];
let saved;
document.addEventListener("securitypolicyviolation", (event) => told.push("refused: " + event.violatedDirective));
addEventListener("error", (event) => told.push("error: " + event.message));
const acquireVsCodeApi = () => ({
  getState: () => window.startState, setState: (state) => { saved = state; }, postMessage: (message) => posted.push(message),
});
const settled = () => new Promise((done) => setTimeout(done, 50));
const send = (message) => { postMessage(message, "*"); return settled(); };
const text = (selector) => [...document.querySelectorAll(selector)].map((one) => one.textContent.trim());
const click = (selector) => { document.querySelector(selector).click(); return settled(); };
const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
const focus = () => document.activeElement.getAttribute("data-key");
`;

export interface PageOptions {
  readonly startState?: unknown;
  /** Of another language, as the editor hands them over. */
  readonly words?: Readonly<Record<string, string>>;
}

/** Runs the script's body in the page; it calls `told.push`. @returns what was told, and refusals and errors among it */
export function inPage(script: string, { startState, words }: PageOptions = {}): readonly string[] {
  const after = `(async () => { await settled(); ${script} })()
    .catch((error) => told.push("error: " + error.message))
    .then(() => document.body.replaceChildren(Object.assign(document.createElement("pre"), { textContent: encodeURIComponent(JSON.stringify(told)) })));`;
  writeFileSync(join(folder, "before.js"), `window.startState = ${JSON.stringify(startState)};${before}`);
  writeFileSync(join(folder, "after.js"), after);
  const scripts = ["before.js", "timing-panel.js", "after.js"].map(
    (name) => `<script nonce="n" src="${name}"></script>`,
  );
  const policy = "default-src 'none'; style-src file:; script-src 'nonce-n'";
  const style = pathToFileURL(resolve("media/timing-panel.css")).href;
  const page = join(folder, "page.html");
  writeFileSync(
    page,
    `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">
    <link rel="stylesheet" href="${style}"></head><body><main id="timing"></main><script type="application/json" id="words">${words === undefined ? "" : JSON.stringify(words)}</script>${scripts.join("")}</body></html>`,
  );
  const { stdout } = spawnSync(
    process.env["VSCH_CHROMIUM"] ?? "/usr/bin/chromium",
    // prettier-ignore
    ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1000,700", "--virtual-time-budget=5000",
      `--user-data-dir=${join(folder, "profile")}`, "--dump-dom", pathToFileURL(page).href],
    { encoding: "utf8", timeout: 60_000 },
  );
  const told = /<pre>(.*?)<\/pre>/.exec(stdout)?.[1];
  if (told === undefined) throw new Error(`the page told nothing: ${stdout.slice(0, 400)}`);
  return JSON.parse(decodeURIComponent(told)) as string[];
}

export const hand = (reports: readonly StoredReport[]) =>
  `await send({ kind: "reports", reports: ${JSON.stringify(reports)} });`;
