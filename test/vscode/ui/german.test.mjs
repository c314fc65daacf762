// The extension in another language than English: the editor says which, the rest is the extension's own lists of sentences.
// And settings of the wrong type, which are said once, with the way to them.
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  enlargePanel,
  item,
  openDemo,
  panel,
  runCommand,
  slowEnough,
  toast,
  toastButton,
  waitForItem,
} from "./screen.mjs";

const saidOfSettings = "mit denen Deltaflash nichts anfangen kann";

export async function tests(places, test) {
  const demo = await openDemo({
    ...places,
    language: "de",
    settings: { "deltaflash.baud": "schnell", "deltaflash.useStub": 3 },
  });
  const { page } = demo;
  try {
    await test("settings of the wrong type are one message that names them all, and its button leads to them", async () => {
      await item(page).waitFor(slowEnough);
      await toast(page, saidOfSettings).waitFor(slowEnough);
      assert.equal(await page.locator(".notification-toast").count(), 1);
      const text = await toast(page, saidOfSettings).locator(".notification-list-item-message").textContent();
      assert.equal(
        text,
        "Einstellungen, mit denen Deltaflash nichts anfangen kann und die als nicht gesetzt gelten: " +
          'deltaflash.baud sollte eine ganze Zahl von 1200 bis 12000000 sein, ist aber "schnell"; ' +
          "deltaflash.useStub sollte true oder false sein, ist aber 3.",
      );
      await toastButton(page, saidOfSettings, "Einstellungen öffnen").click();
      const settings = page.locator(".settings-editor .setting-item-contents");
      await settings.filter({ hasText: "Bit pro Sekunde beim Flashen" }).first().waitFor(slowEnough);
      await settings.filter({ hasText: "Ein kleines Programm ins RAM" }).first().waitFor(slowEnough);
      await page.keyboard.press("Escape");
      await page.locator(".settings-editor").waitFor({ state: "detached", ...slowEnough });
    });

    await test("the button, the commands and the tree are German, and what can be used of the settings is", async () => {
      await waitForItem(page, /esp32c3.*Flashen/);
      assert.match(
        await item(page).getAttribute("aria-label"),
        /drücken Sie, um zu speichern, zu bauen und zu flashen/,
      );
      await runCommand(page, "Deltaflash: Alles speichern, bauen und flashen");
      await waitForItem(page, /esp32c3.*\d+(\.\d)? m?s/);
      assert.match(await item(page).getAttribute("aria-label"), /geflasht\. Drücken Sie/);
    });

    await test("the timing panel is German", async () => {
      await runCommand(page, "Deltaflash: Flash-Zeiten anzeigen");
      await enlargePanel(page, "Geändert seit dem letzten Flashen");
      await panel(page).getByText("40 von 40 Sektoren (160.0 KiB) in").first().waitFor(slowEnough);
      await panel(page).getByText("Wo die Zeit geblieben ist").waitFor(slowEnough);
      await panel(page).locator(".row .phase").filter({ hasText: "schreiben" }).waitFor(slowEnough);
      await page.waitForTimeout(600);
      await page.screenshot({ path: join(places.screenshots, "german.png") });
    });

    await test("a failure has its button in German; the engine's own words stay English", async () => {
      await runCommand(page, "Deltaflash: Board und Anschluss wählen");
      await page.locator(".quick-input-list .monaco-list-row").filter({ hasText: "Anderer Anschluss" }).click();
      await page.locator(".quick-input-widget:visible input").first().fill("sim:esp9");
      await page.keyboard.press("Enter");
      await waitForItem(page, /esp9/);
      await runCommand(page, "Deltaflash: Flashen, ohne zu bauen");
      await toast(page, "esp9").waitFor(slowEnough);
      assert.equal(await toastButton(page, "esp9", "Board und Anschluss wählen").count(), 1);
      await waitForItem(page, /Fehler/);
    });
  } catch (error) {
    await page.screenshot({ path: join(places.screenshots, "unexpected.png") });
    throw error;
  } finally {
    await demo.stop();
  }
}
