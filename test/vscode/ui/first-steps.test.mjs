// The walkthrough, step by step, and the trace that a flash is exported as.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { item, openDemo, runCommand, slowEnough, until, waitForItem } from "./screen.mjs";

const manifest = JSON.parse(readFileSync(join(import.meta.dirname, "../../../package.json"), "utf8"));
const words = JSON.parse(readFileSync(join(import.meta.dirname, "../../../package.nls.json"), "utf8"));
const [walkthrough] = manifest.contributes.walkthroughs;
const wordOf = (text) => text.replace(/^%(.*)%$/, (_, key) => words[key]);

export async function tests(places, test) {
  const demo = await openDemo(places);
  const { page, workspace } = demo;
  const input = page.locator(".quick-input-widget:visible input").first();
  const step = (id) => page.locator(`.getting-started-step[data-step-id$="#${id}"]`);
  const openStep = async (id) => {
    if (!(await step(id).getAttribute("class")).includes("expanded")) await step(id).click();
    await page.locator(`.getting-started-step.expanded[data-step-id$="#${id}"]`).waitFor(slowEnough);
  };
  /** The picture is shown by a page of its own. */
  const showsPicture = async (id) => {
    const { media } = walkthrough.steps.find((one) => one.id === id);
    assert.ok(existsSync(join(places.stage, media.svg)), media.svg);
    const svg = page.frameLocator("iframe.webview.ready").frameLocator("#active-frame").locator("svg").first();
    await svg.waitFor(slowEnough);
    await until("a picture of some size", async () => ((await svg.boundingBox())?.width ?? 0) > 100);
  };
  const isDone = (id) => step(id).locator(".codicon.complete").waitFor(slowEnough);
  try {
    await item(page).waitFor(slowEnough);

    await test("the walkthrough opens and lists its steps", async () => {
      await runCommand(page, "Welcome: Open Walkthrough...");
      await input.fill(wordOf(walkthrough.title));
      await page
        .locator(".quick-input-list .monaco-list-row")
        .filter({ hasText: wordOf(walkthrough.title) })
        .first()
        .click();
      for (const { id, title } of walkthrough.steps) {
        await step(id)
          .filter({ hasText: wordOf(title) })
          .waitFor(slowEnough);
      }
    });

    await test("its first step has a picture, and its button opens the list of boards", async () => {
      await openStep("board");
      await showsPicture("board");
      await step("board").getByRole("button", { name: "Select Board and Port" }).click();
      await page.locator(".quick-input-list .monaco-list-row").filter({ hasText: "sim:esp32c3" }).first().click();
      await isDone("board");
    });

    await test("its second step has a picture, its buttons flash and lead to the key", async () => {
      await openStep("flash");
      await showsPicture("flash");
      await step("flash").getByRole("button", { name: "Save All, Build and Flash" }).click();
      await waitForItem(page, /esp32c3.*\d+(\.\d)? m?s/);
      await isDone("flash");
      await step("flash").getByRole("button", { name: "Change the Key" }).click();
      const keys = page.locator(".keybindings-editor");
      await keys.getByText("Deltaflash: Save All, Build and Flash").first().waitFor(slowEnough);
      await page.keyboard.press("Escape");
      await keys.waitFor({ state: "detached", ...slowEnough });
    });

    await test("its third step has a picture, and its button opens the timing panel", async () => {
      await openStep("timing");
      await showsPicture("timing");
      await step("timing").getByRole("button", { name: "Show Timing Panel" }).click();
      await page
        .locator(".part.panel .pane-header, .part.panel .title")
        .filter({ hasText: "Flash Timing" })
        .first()
        .waitFor(slowEnough);
      await isDone("timing");
    });

    await test("Export Trace asks where, and writes a trace that Perfetto opens", async () => {
      await runCommand(page, "Deltaflash: Export Trace");
      await input.waitFor(slowEnough);
      await until("the proposed name", async () => (await input.inputValue()).endsWith("deltaflash-trace.json"));
      const file = join(workspace, "my trace.json");
      await input.fill(file);
      await page.keyboard.press("Enter");
      await until("the file", () => existsSync(file) && readFileSync(file, "utf8") !== "");
      assertPerfetto(JSON.parse(readFileSync(file, "utf8")));
    });
  } catch (error) {
    await page.screenshot({ path: join(places.screenshots, "unexpected.png") });
    throw error;
  } finally {
    await demo.stop();
  }
}

/** Trace Event Format, "JSON Object Format": complete events of one process, and the names of its tracks. */
function assertPerfetto({ traceEvents, displayTimeUnit }) {
  assert.equal(displayTimeUnit, "ms");
  const spans = traceEvents.filter(({ ph }) => ph === "X");
  const names = traceEvents.filter(({ ph, name }) => ph === "M" && name === "thread_name");
  assert.equal(traceEvents.find(({ name }) => name === "process_name").args.name.includes("sim:esp32c3"), true);
  assert.deepEqual(
    traceEvents.filter(({ ph }) => ph !== "X" && ph !== "M"),
    [],
  );
  assert.ok(spans.length > 5, `${spans.length} spans`);
  for (const { ts, dur, pid, tid, name } of spans) {
    assert.ok(Number.isInteger(ts) && ts >= 0 && Number.isInteger(dur) && dur >= 0, name);
    assert.ok(
      names.some((track) => track.pid === pid && track.tid === tid),
      name,
    );
  }
  const phases = new Set(spans.map(({ cat }) => cat));
  for (const phase of ["survey", "write", "verify", "reset"]) assert.ok(phases.has(phase), phase);
  // They touch: each begins where the one before has ended, to the microsecond that rounding costs.
  const sorted = spans.toSorted((a, b) => a.ts - b.ts || a.dur - b.dur);
  sorted.slice(1).forEach(({ ts, name }, at) => {
    const { ts: before, dur } = sorted[at];
    assert.ok(Math.abs(before + dur - ts) <= 2, name);
  });
}
