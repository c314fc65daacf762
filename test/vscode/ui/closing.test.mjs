// The window goes away in the middle of a flash: its tab is closed, or the browser ends without a word. The board sits on a wire
// of its own, so that another program can tell what is on it.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  edit,
  flashFromOutside,
  item,
  openDemo,
  runCommand,
  serveBoard,
  slowEnough,
  until,
  waitForItem,
} from "./screen.mjs";

const over = /\d+(\.\d)? m?s|Unchanged|Failed/;

export async function tests(places, test) {
  const board = await serveBoard(places.cli, ["--listen", "rfc2217://127.0.0.1:0", "--speed", "real"]);
  const port = board.address;
  // Espressif's stub takes long enough to be caught in the middle.
  const settings = { "deltaflash.port": port, "deltaflash.officialStub": true };
  const demo = await openDemo({ ...places, settings });
  const artifact = join(demo.workspace, "build/meter.elf");
  let { page, browser } = demo;
  const reopen = async () => {
    ({ page, browser } = await demo.open());
    await item(page).waitFor(slowEnough);
  };
  const flashAgain = async () => {
    const before = reports(places.scratch).length;
    await page.keyboard.press("Control+Alt+F");
    await until("another report", () => reports(places.scratch).length > before);
    await waitForItem(page, over);
    const report = newestReport(places.scratch);
    assert.equal(report.error, null);
    assert.equal(await page.locator(".notification-toast").count(), 0);
    return report;
  };
  const assertBoardHoldsTheBuild = () => {
    const { result, error, written, image } = flashFromOutside(places.cli, places.scratch, { artifact, port });
    assert.deepEqual({ result, error, written: written.sectors }, { result: "unchanged", error: null, written: 0 });
    assert.equal(image.sectors, 40);
  };
  try {
    await item(page).waitFor(slowEnough);

    await test("a tab that is closed in the middle of a flash lets go of the port, and the next flash repairs the board", async () => {
      await runCommand(page, "Deltaflash: Open Monitor");
      await page.locator(".xterm-rows").filter({ hasText: "connected" }).last().waitFor(slowEnough);
      await page.keyboard.press("Control+Alt+F");
      await waitForItem(page, /Write \d+%/);
      await page.close({ runBeforeUnload: true });
      await until("the server's end", () => servers(places.scratch).length === 0);
      const cut = newestReport(places.scratch);
      assert.equal(cut.result, "failed");
      assert.equal(cut.error.code, "cancelled");
      await reopen();
      const repair = await flashAgain();
      assert.equal(repair.result, "flashed");
      assert.match(repair.notes.join(" "), /An earlier flash was cut short/);
      assertBoardHoldsTheBuild();
    });

    await test("a browser that ends without a word in the middle of a flash costs neither board nor port", async () => {
      edit(demo.workspace, "CONST");
      await runCommand(page, "Deltaflash: Flash Everything (Full)");
      await waitForItem(page, /Write \d+%/);
      const before = reports(places.scratch).length;
      await browser.close();
      // The editor keeps the extensions of such a window for a while, and with them the flash, which comes to its end.
      await until("the report of the flash", () => reports(places.scratch).length > before);
      await reopen();
      await flashAgain();
      assertBoardHoldsTheBuild();
    });
  } finally {
    await demo.stop();
    await board.stop();
  }
}

/** Of the state folder, which outlives windows; newest first. */
function reports(scratch) {
  const folder = join(scratch, "state/reports");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((name) => JSON.parse(readFileSync(join(folder, name), "utf8")))
    .sort((a, b) => b.at - a.at);
}

const newestReport = (scratch) => reports(scratch)[0]?.report;

/** Processes that run the server of the extension that is installed there. */
function servers(scratch) {
  return readdirSync("/proc").filter((pid) => {
    try {
      const line = /^\d+$/.test(pid) ? readFileSync(`/proc/${pid}/cmdline`, "utf8") : "";
      return line.includes(scratch) && line.includes("server.cjs");
    } catch {
      return false; // it ended while we looked
    }
  });
}
