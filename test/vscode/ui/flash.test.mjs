// The main way through the product, as a user sees it.
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  chooseTheme,
  edit,
  enlargePanel,
  item,
  itemWidth,
  openDemo,
  openFile,
  panel,
  runCommand,
  slowEnough,
  toast,
  toastButton,
  waitForItem,
} from "./screen.mjs";

export async function tests(places, test) {
  const { page, workspace, stop } = await openDemo(places);
  const picture = async (name) => {
    await page.waitForTimeout(600); // fading is over
    await page.screenshot({ path: join(places.screenshots, `${name}.png`) });
  };
  const widths = [];
  try {
    await test("the demo's firmware is found and the flash button shows the board", async () => {
      await item(page).waitFor(slowEnough);
      await waitForItem(page, /esp32c3.*Flash/);
      widths.push(await itemWidth(page));
    });

    await test("one key builds and flashes; the button says how long it took, and no toast says more", async () => {
      await page.keyboard.press("Control+Alt+F");
      await waitForItem(page, /esp32c3.*\d+(\.\d)? m?s/);
      widths.push(await itemWidth(page));
      assert.equal(await page.locator(".notification-toast").count(), 0);
    });

    await test("the panel shows the flash as a waterfall", async () => {
      await runCommand(page, "Deltaflash: Show Timing Panel");
      await enlargePanel(page);
      await panel(page)
        .getByText(/40 of 40 sectors/)
        .first()
        .waitFor(slowEnough);
      await panel(page).getByText("survey").first().waitFor(slowEnough);
    });

    await test("an edit of three sectors is three sectors, in the view, the panel and the button", async () => {
      edit(workspace, "CONST");
      await page.keyboard.press("Control+Alt+F");
      await panel(page)
        .getByText(/3 of 40 sectors/)
        .first()
        .waitFor(slowEnough);
      await waitForItem(page, /esp32c3.*\d+(\.\d)? m?s/);
      widths.push(await itemWidth(page));
    });

    await test("what a build changed is listed before it is flashed", async () => {
      edit(workspace, "NONE");
      await runCommand(page, "Tasks: Run Build Task");
      await waitForItem(page, /New build/);
      const view = page.locator(".pane").filter({ hasText: "Changed Since Last Flash" });
      await view.getByText(/3 of 40 sectors, about/).waitFor(slowEnough);
      await view.getByText("Sectors to write").click();
      await page.keyboard.press("ArrowRight");
      await view.getByText(".flash.text").click();
      await page.keyboard.press("ArrowRight");
      widths.push(await itemWidth(page));
      await picture("changes");
      await item(page).click();
      await waitForItem(page, /esp32c3.*\d+(\.\d)? m?s/);
    });

    await test("the button is equally wide in every state", async () => {
      assert.ok(Math.max(...widths) - Math.min(...widths) <= 4, widths.join(", "));
    });

    await test("the colours follow the theme", async () => {
      await openFile(page, "edit.h");
      await runCommand(page, "View: Close Primary Side Bar");
      await chooseTheme(page, "Light Modern", "vs");
      await assertBarsStandOut(page);
      await picture("light");
      await chooseTheme(page, "Dark High Contrast", "hc-black");
      await assertBarsStandOut(page);
      await picture("high-contrast");
      await chooseTheme(page, "Dark Modern", "vs-dark");
      await assertBarsStandOut(page);
      await picture("dark");
    });

    await test("the monitor shows the boot, pauses for a flash and goes on", async () => {
      await runCommand(page, "Deltaflash: Open Monitor");
      const terminal = page.locator(".xterm-rows").last();
      await terminal.filter({ hasText: "connected" }).waitFor(slowEnough);
      edit(workspace, "CONST");
      await page.keyboard.press("Control+Alt+F");
      await terminal.filter({ hasText: /paused/ }).waitFor(slowEnough);
      await terminal.filter({ hasText: /running "meter"/ }).waitFor(slowEnough);
      await picture("monitor");
    });

    await test("a failure is said once, and its button is the remedy", async () => {
      await runCommand(page, "Deltaflash: Select Board and Port");
      await page.locator(".quick-input-list .monaco-list-row").filter({ hasText: "Another Port" }).click();
      await page.locator(".quick-input-widget:visible input").first().fill("sim:esp9");
      await page.keyboard.press("Enter");
      await waitForItem(page, /esp9/);
      await runCommand(page, "Deltaflash: Flash Without Building");
      await toast(page, "esp9").waitFor(slowEnough);
      assert.equal(await page.locator(".notification-toast").count(), 1);
      await picture("failure");
      await toastButton(page, "esp9", "Select Board and Port").click();
      const rows = page.locator(".quick-input-list .monaco-list-row");
      await rows.filter({ hasText: "sim:esp32c3" }).first().waitFor(slowEnough);
      await picture("boards");
      await rows.filter({ hasText: "As the Setting Says" }).first().click();
      await waitForItem(page, /esp32c3/);
    });

    await test("Why This Target? explains project and board", async () => {
      await page.keyboard.press("Control+J"); // the panel leaves little room
      await runCommand(page, "Deltaflash: Why This Target?");
      const text = page.locator(".editor-instance .view-lines");
      await text.filter({ hasText: "deltaflash.port" }).waitFor(slowEnough);
      await text.filter({ hasText: "meter.elf" }).waitFor(slowEnough);
    });

    await test("the editor counts less than 50 ms for our activation", async () => {
      let said = await activationTime(page);
      // Another program may have had the processor: the best of three windows.
      for (let again = 0; again < 2 && !isQuick(said); again++) {
        await runCommand(page, "Developer: Reload Window");
        await page.waitForTimeout(3_000);
        await item(page).waitFor(slowEnough);
        said = await activationTime(page);
      }
      assert.ok(isQuick(said), said);
    });
  } catch (error) {
    await picture("unexpected");
    throw error;
  } finally {
    await stop();
  }
}

/** Each bar is opaque and has the contrast to its ground that WCAG 2.2 (1.4.11) asks of graphics. */
async function assertBarsStandOut(page) {
  const bars = await panel(page)
    .locator(".waterfall .bar")
    .evaluateAll((all) => {
      const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
      const rgba = (colour) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
      };
      const ground = rgba(getComputedStyle(document.documentElement).getPropertyValue("--vscode-panel-background"));
      return all.map((bar) => ({ phase: bar.getAttribute("class"), fill: rgba(getComputedStyle(bar).fill), ground }));
    });
  assert.ok(bars.length > 4, `${bars.length} bars`);
  for (const { phase, fill, ground } of bars) {
    assert.equal(fill[3], 255, phase);
    const [more, less] = [luminance(fill), luminance(ground)].sort((a, b) => b - a);
    assert.ok((more + 0.05) / (less + 0.05) >= 3, `${phase}: ${fill.join()} on ${ground.join()}`);
  }
}

/** Relative luminance of sRGB, 0 … 1. Source: WCAG 2.2. */
function luminance([red, green, blue]) {
  const linear = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

const isQuick = (said) => Number(/(\d+)ms/.exec(said)?.[1]) < 50;

/** @returns what the editor's own list says of us */
async function activationTime(page) {
  await runCommand(page, "Developer: Show Running Extensions");
  await page.locator(".runtime-extensions-editor .monaco-list-row").first().waitFor(slowEnough);
  const list = page.locator(".runtime-extensions-editor .monaco-list");
  const row = list.locator(".monaco-list-row").filter({ hasText: "Deltaflash" });
  await list.hover();
  // Rows out of sight are not in the page, and the list is sorted anew while extensions start.
  for (let turn = 0; turn < 60 && (await row.count()) === 0; turn++) {
    await page.mouse.wheel(0, turn % 12 === 11 ? -10_000 : 120);
    await page.waitForTimeout(100);
  }
  const said = (await row.locator(".activation-time").textContent()) ?? "";
  process.stdout.write(`     ${said}\n`);
  return said;
}
