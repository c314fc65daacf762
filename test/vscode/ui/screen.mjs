// What the tests that use the editor in a browser share: opening it, what is on the screen, pictures of it.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openWorkbench, runCommand, startServer } from "../../../tools/vscode-host/host.mjs";
import { makeDemoWorkspace } from "../../../tools/stage.mjs";

const root = join(import.meta.dirname, "../../..");

const fastPort = "sim:esp32c3?speed=max";
export const slowEnough = { timeout: 30_000 };

/**
 * A workbench on a fresh copy of the demo workspace.
 * @param options stage (development folder) or vsix, scratch, settings, restricted, beside (more development folders), environment,
 *   language, prepare (given the folder of the workspace before it is opened)
 */
export async function openDemo(options) {
  const { stage, vsix, scratch, settings, restricted = false, viewport, beside = [], environment, language } = options;
  const workspace = join(scratch, "meter");
  makeDemoWorkspace(workspace);
  writeFileSync(join(workspace, ".vscode/settings.json"), JSON.stringify({ "deltaflash.port": fastPort, ...settings }));
  options.prepare?.(workspace);
  const dataDir = join(scratch, "data");
  const extensionsDir = join(scratch, "extensions");
  if (vsix !== undefined) install(vsix, dataDir, extensionsDir);
  const server = await startServer({
    ...{ dataDir, extensionsDir, restricted },
    env: { ...process.env, DELTAFLASH_STATE: join(scratch, "state"), ...environment },
    settings: {
      "workbench.colorTheme": "Default Dark Modern",
      ...(restricted
        ? { "security.workspace.trust.enabled": true, "security.workspace.trust.startupPrompt": "never" }
        : {}),
    },
  });
  const browsers = [];
  /** A window on the same server, as after closing one. */
  const open = async () => {
    const devExtensions = [...(vsix === undefined ? [stage] : []), ...beside];
    const opened = await openWorkbench(server, { ...{ folder: workspace, viewport, language }, devExtensions });
    browsers.push(opened.browser);
    return opened;
  };
  const stop = async () => {
    for (const browser of browsers) await browser.close();
    await server.stop();
  };
  try {
    return { ...(await open()), open, workspace, server, dataDir, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A simulated board on a wire, in a process of its own, as the command line serves it. */
export async function serveBoard(cli, words) {
  const child = spawn(process.execPath, [cli, "sim", "esp32c3", "--factory", ...words], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const gone = new Promise((resolve) => child.once("close", resolve));
  const address = await new Promise((resolve, reject) => {
    let said = "";
    child.stdout.on("data", (bytes) => {
      said += bytes;
      const found = /^listening (\S+)\n/.exec(said);
      if (found !== null) resolve(found[1]);
    });
    child.once("close", () => reject(new Error(`the simulated board ended: ${said}`)));
  });
  const stop = async () => {
    child.kill();
    await gone;
  };
  return { address, stop };
}

/** What another process, with no record of the board, finds on it: the report of a flash from the command line. */
export function flashFromOutside(cli, scratch, { artifact, port }) {
  const env = { ...process.env, DELTAFLASH_STATE: mkdtempSync(join(scratch, "outside-")) };
  const flags = [cli, "flash", artifact, "--port", port, "--json", "-"];
  const { stdout, stderr } = spawnSync(process.execPath, flags, { env, encoding: "utf8" });
  assert.ok(stdout.startsWith("{"), stderr);
  return JSON.parse(stdout);
}

function install(vsix, dataDir, extensionsDir) {
  const code = join(root, "tools/vscode-host/code");
  const flags = ["--user-data-dir", dataDir, "--extensions-dir", extensionsDir, "--install-extension", vsix, "--force"];
  const { status, stdout, stderr } = spawnSync(code, flags, { encoding: "utf8" });
  assert.equal(status, 0, `${stdout}${stderr}`);
}

/** The one item of ours. */
export const item = (page) => page.locator('.statusbar-item[id="deltaflash.deltaflash.flash"]');

export async function waitForItem(page, pattern) {
  await page
    .locator('.statusbar-item[id="deltaflash.deltaflash.flash"]')
    .filter({ hasText: pattern })
    .waitFor(slowEnough);
}

export async function until(what, isSo) {
  const deadline = Date.now() + slowEnough.timeout;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${slowEnough.timeout} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The edit that the next build takes. */
export function edit(workspace, kind) {
  const file = join(workspace, "src/edit.h");
  writeFileSync(file, readFileSync(file, "utf8").replace(/^#define EDIT EDIT_.*$/m, `#define EDIT EDIT_${kind}`));
}

export const panel = (page) => page.frameLocator("iframe.webview.ready").frameLocator("#active-frame");

export const toast = (page, text) =>
  page
    .locator(".notification-toast")
    .filter({ has: page.locator(".notification-list-item-message", { hasText: text }) });

/** Everything that the toast's buttons are called. */
export const toastButton = (page, text, name) => toast(page, text).getByRole("button", { name });

export async function chooseTheme(page, theme, kind) {
  await runCommand(page, "Preferences: Color Theme");
  const input = page.locator(".quick-input-widget:visible input").first();
  await input.fill(theme);
  await page.locator(".quick-input-list .monaco-list-row").filter({ hasText: theme }).first().click();
  await page.locator(`.monaco-workbench.${kind}`).first().waitFor(slowEnough);
  await page.waitForTimeout(400);
}

/** More room for the panel than the editor gives it, and most of it for the timing. */
export async function enlargePanel(page, tree = "Changed Since Last Flash") {
  const drag = async (from, to) => {
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move(to.x, to.y, { steps: 8 });
    await page.mouse.up();
  };
  const pane = page.locator(".part.panel .pane").filter({ hasText: tree });
  await pane.waitFor(slowEnough);
  const box = await page.locator(".part.panel").boundingBox();
  await drag({ x: box.x + box.width / 2, y: box.y - 2 }, { x: box.x + box.width / 2, y: 260 });
  const changed = await pane.boundingBox();
  await drag({ x: changed.x, y: changed.y + 100 }, { x: changed.x + 160, y: changed.y + 100 });
}

export async function openFile(page, name) {
  await page.keyboard.press("Control+P");
  await page.locator(".quick-input-widget:visible input").first().fill(name);
  await page.locator(".quick-input-list .monaco-list-row").filter({ hasText: name }).first().click();
  await page.locator(".tab").filter({ hasText: name }).waitFor(slowEnough);
}

/** Pixels. */
export async function itemWidth(page) {
  return (await item(page).boundingBox())?.width ?? 0;
}

export { runCommand };
