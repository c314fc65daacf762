// The packed extension, installed as users install it; and in a folder that nobody trusts yet.
import assert from "node:assert/strict";
import { join } from "node:path";
import { item, openDemo, panel, runCommand, slowEnough, toast, toastButton, waitForItem } from "./screen.mjs";

export async function tests(places, test) {
  await test("the installed package flashes and shows the timing", async () => {
    const demo = await openDemo({ vsix: places.vsix, scratch: join(places.scratch, "installed") });
    try {
      await item(demo.page).waitFor(slowEnough);
      await demo.page.keyboard.press("Control+Alt+F");
      await waitForItem(demo.page, /esp32c3.*\d+(\.\d)? m?s/);
      await runCommand(demo.page, "Deltaflash: Show Timing Panel");
      await panel(demo.page)
        .getByText(/40 of 40 sectors/)
        .first()
        .waitFor(slowEnough);
    } finally {
      await demo.stop();
    }
  });

  await test("in Restricted Mode nothing is built, and the folder's settings choose no board", async () => {
    const scratch = join(places.scratch, "restricted");
    const demo = await openDemo({ vsix: places.vsix, scratch, restricted: true });
    const { page } = demo;
    try {
      await page.locator(".statusbar-item").filter({ hasText: "Restricted Mode" }).waitFor(slowEnough);
      await runCommand(page, "Deltaflash: Save All, Build and Flash");
      await toast(page, "Restricted Mode").waitFor(slowEnough);
      await page.waitForTimeout(600);
      await page.screenshot({ path: join(places.screenshots, "restricted.png") });
      assert.equal(await toastButton(page, "Restricted Mode", "Manage Workspace Trust").count(), 1);
      await runCommand(page, "Deltaflash: Select Board and Port");
      await page.locator(".quick-input-list .monaco-list-row").first().waitFor(slowEnough);
      assert.equal(await page.locator(".quick-input-list").getByText("As the Setting Says").count(), 0);
    } finally {
      await demo.stop();
    }
  });
}
