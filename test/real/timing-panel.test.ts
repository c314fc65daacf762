/** The timing panel in a real browser, under the policy that the editor gives it. */
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StoredReport } from "../../src/server/protocol.ts";
import { firmware, Rig } from "../sim/rig.ts";

const folder = mkdtempSync(join(tmpdir(), "deltaflash-panel-"));
beforeAll(async () => {
  await build({
    entryPoints: ["src/webview/timing-panel.ts"],
    bundle: true,
    format: "iife",
    target: "es2022",
    outfile: join(folder, "timing-panel.js"),
  });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Newest first: the same build again, an edited constant, and the first flash of a board. */
async function threeFlashes(): Promise<readonly StoredReport[]> {
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

/** Runs the script's body in the page; it calls `told.push`. @returns what was told, and refusals and errors among it */
function inPage(script: string, startState?: unknown): readonly string[] {
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
    <link rel="stylesheet" href="${style}"></head><body><main id="timing"></main>${scripts.join("")}</body></html>`,
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

const hand = (reports: readonly StoredReport[]) =>
  `await send({ kind: "reports", reports: ${JSON.stringify(reports)} });`;

describe("the timing panel", () => {
  test("asks for reports, and says what to do while there are none", () => {
    expect(
      inPage(`told.push(JSON.stringify(posted), ...text("h1"), ...text(".buttons button"));
        await click("[data-key=board]"); told.push(JSON.stringify(posted.at(-1)));`),
    ).toEqual([`[{"kind":"ready"}]`, "No flash yet", "Flash", "Select board and port", `{"kind":"choose-board"}`]);
  });

  test("shows the last flash, what it saved, and the flashes before", async () => {
    const reports = await threeFlashes();
    expect(
      inPage(
        `${hand(reports)} told.push(...text("h1"), ...text(".row .phase"), ...text(".saved .sum"), ...text(".small .what"));`,
      ),
    ).toMatchInlineSnapshot(`
      [
        "Unchanged: all 40 sectors were right already, 367 ms Simulated board",
        "connect",
        "survey",
        "plan",
        "reset",
        "Saved about 1016 ms (73 %) against writing all 40 sectors.",
        "unchanged",
        "3 of 40 sectors",
        "40 of 40 sectors",
      ]
    `);
  });

  test("is used by keyboard: arrows move, one row is reached by Tab, a press shows the steps and keeps the focus", async () => {
    const reports = await threeFlashes();
    expect(
      inPage(`${hand(reports)} told.push(document.querySelectorAll(".row[tabindex='0']").length);
        document.querySelector(".row").focus();
        for (const key of ["ArrowDown", "End", "ArrowDown", "ArrowUp", "Home"]) { press(key); told.push(focus()); }
        await click("[data-key=row-connect]"); document.querySelector("[data-key=row-connect]").focus();
        await send({ kind: "state", port: "P", state: { kind: "working", phase: "write", percent: 43 } });
        told.push(focus(), saved.selected, ...text(".details caption"), ...text(".details th"), ...text(".progress"), ...text("[role=status]"));`),
    ).toMatchInlineSnapshot(`
      [
        1,
        "row-survey",
        "row-reset",
        "row-reset",
        "row-plan",
        "row-connect",
        "row-connect",
        "connect",
        "connect: 184 ms, 50 % of the flash",
        "reset + sync",
        "chip",
        "bit rate",
        "identity",
        "stub upload",
        "stub start",
        "Write, 43 %",
        "Write",
      ]
    `);
  });

  test("shows an older flash on request, and the new one when it comes", async () => {
    const reports = await threeFlashes();
    const failed = {
      ...reports[1],
      at: 9,
      report: {
        ...reports[1]?.report,
        result: "failed",
        error: { code: "timeout", message: "no answer", remedy: "Press reset." },
      },
    };
    expect(
      inPage(`${hand(reports)} await click("[data-key=flash-1]"); told.push(saved.shownAt, text("h1")[0]);
        await click("[data-key=export]"); told.push(JSON.stringify(posted.at(-1)));
        await send({ kind: "report", report: ${JSON.stringify(failed)} }); told.push(text("h1")[0], ...text(".error"), ...text("[role=status]"));`),
    ).toMatchInlineSnapshot(`
      [
        1,
        "Flashed 40 of 40 sectors (160.0 KiB) in 1476 ms Simulated board",
        "{"kind":"export-trace","at":1}",
        "Failed after 569 ms Simulated board",
        "No answer. Press reset.",
        "Failed after 569 ms. no answer. Press reset.",
      ]
    `);
  });

  test("tells the same in tables, and keeps the choice when it is hidden and shown again", async () => {
    const reports = await threeFlashes();
    const state = { reports, view: "table" };
    expect(
      inPage(
        `told.push(...text("caption"), ...text("tfoot td"), document.querySelector("[data-key=view]").getAttribute("aria-pressed"));
        await click("[data-key=view]"); told.push(saved.view, text(".row").length);`,
        state,
      ),
    ).toMatchInlineSnapshot(`
      [
        "Where the time went",
        "Last flashes of this board",
        "",
        "",
        "367 ms",
        "100 %",
        "",
        "",
        "true",
        "chart",
        4,
      ]
    `);
  });
});
