// A port that another program has open: who has it is said, and the button flashes once it is free.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { item, openDemo, serveBoard, slowEnough, toast, toastButton, waitForItem } from "./screen.mjs";

/** Opens a port as terminal programs do, says so, and keeps it. */
const terminalProgram = `
import fcntl, os, sys, time
port = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
fcntl.flock(port, fcntl.LOCK_EX)
print("open", flush=True)
time.sleep(120)
`;

export async function tests(places, test) {
  const board = await serveBoard(places.cli, ["--listen", "pty", "--speed", "max"]);
  const holder = await holdPort(join(places.scratch, "terminal-program.py"), board.address);
  const demo = await openDemo({ ...places, settings: { "deltaflash.port": board.address } });
  const { page } = demo;
  try {
    await test("a busy port is said once, with the name of the program that holds it and what to do", async () => {
      await item(page).waitFor(slowEnough);
      await page.keyboard.press("Control+Alt+F");
      const said = toast(page, "is open in");
      await said.waitFor(slowEnough);
      assert.equal(await page.locator(".notification-toast").count(), 1);
      const text = await said.locator(".notification-list-item-message").textContent();
      assert.ok(text.includes(board.address), text);
      assert.match(text, /python3 \S+/);
      assert.ok(text.includes(`(process ${holder.pid})`), text);
      assert.match(text, /Close .*, then flash again\.$/);
      await waitForItem(page, /Failed/);
    });

    await test("its button flashes when the program has let go of the port", async () => {
      await holder.stop();
      await toastButton(page, "is open in", "Flash Again").click();
      await waitForItem(page, /\d+(\.\d)? m?s/);
      assert.match((await item(page).getAttribute("aria-label")) ?? "", /flashed in/);
      assert.equal(await page.locator(".notification-toast").count(), 0);
    });
  } catch (error) {
    await page.screenshot({ path: join(places.screenshots, "unexpected.png") });
    throw error;
  } finally {
    await holder.stop();
    await demo.stop();
    await board.stop();
  }
}

async function holdPort(file, port) {
  writeFileSync(file, terminalProgram);
  const child = spawn("python3", [file, port], { stdio: ["ignore", "pipe", "inherit"] });
  const gone = new Promise((resolve) => child.once("close", resolve));
  await new Promise((resolve, reject) => {
    child.stdout.once("data", resolve);
    child.once("close", () => reject(new Error("the program that holds the port ended")));
  });
  const stop = async () => {
    child.kill();
    await gone;
  };
  return { pid: child.pid, stop };
}
