// A workspace in which two builds have left firmware: the key asks once which one is meant.
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { item, openDemo, slowEnough, waitForItem } from "./screen.mjs";

export async function tests(places, test) {
  const demo = await openDemo({
    ...places,
    prepare: (workspace) => {
      addFirmware(workspace, "older", 3_600);
      addFirmware(workspace, "newer", 60);
      // What the build task makes would be a third.
      writeFileSync(join(workspace, "Makefile"), "all:\n\t@echo built\n");
    },
  });
  const { page } = demo;
  const rows = () => page.locator(".quick-input-list .monaco-list-row");
  try {
    await test("the key asks which firmware is meant, the likeliest first and chosen, with the reason", async () => {
      await item(page).waitFor(slowEnough);
      await page.keyboard.press("Control+Alt+F");
      await page.locator(".quick-input-title").filter({ hasText: "Which Firmware?" }).waitFor(slowEnough);
      await rows().first().waitFor(slowEnough);
      assert.equal(await rows().count(), 2);
      const first = await rows().first().textContent();
      assert.match(first, /newer/);
      assert.match(first, /It stands first of 2: it was built later than/);
      assert.match(await rows().first().getAttribute("class"), /focused/);
      await page.screenshot({ path: join(places.screenshots, "two-firmwares.png") });
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Enter");
      await waitForItem(page, /esp32c3.*\d+(\.\d)? m?s/);
    });

    await test("the choice is remembered, by the next window too", async () => {
      await page.keyboard.press("Control+Alt+F");
      await waitForItem(page, /Unchanged/);
      await page.reload(); // another browser would have another memory
      await waitForItem(page, /Flash/);
      await page.keyboard.press("Control+Alt+F");
      await waitForItem(page, /Unchanged/);
      assert.equal(await page.locator(".quick-input-widget:visible").count(), 0);
    });
  } catch (error) {
    await page.screenshot({ path: join(places.screenshots, "unexpected.png") });
    throw error;
  } finally {
    await demo.stop();
  }
}

/** As a build has left it. */
function addFirmware(workspace, name, secondsAgo) {
  const folder = join(workspace, name, "build");
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(workspace, "Makefile"), join(workspace, name, "Makefile"));
  const file = join(folder, `${name}.elf`);
  writeFileSync(file, gunzipSync(readFileSync(join(workspace, "prebuilt/meter-esp32c3-base.elf.gz"))));
  const at = Date.now() / 1000 - secondsAgo;
  utimesSync(file, at, at);
}
