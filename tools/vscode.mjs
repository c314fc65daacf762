// `npm run vscode`: a real VS Code in the browser, with the packed extension, the demo firmware and a simulated board chosen.
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { packExtension } from "./package.mjs";
import { checkNode, giveUp, installPackages, root } from "./setup.mjs";
import { makeDemoWorkspace } from "./stage.mjs";
import { installVscodeServer } from "./vscode-tests.mjs";

checkNode();
installPackages();
installVscodeServer();

const host = join(root, "tools", "vscode-host");
const { startServer } = await import(pathToFileURL(join(host, "host.mjs")).href);
const folder = join(root, "out", "vscode");
const workspace = join(folder, "meter");
const dataDir = join(folder, "data");
const extensionsDir = join(folder, "extensions");
const vsix = join(folder, "deltaflash.vsix");

packExtension(vsix);
if (!existsSync(workspace)) makeDemoWorkspace(workspace); // edits of an earlier visit stay
const flags = ["--user-data-dir", dataDir, "--extensions-dir", extensionsDir, "--install-extension", vsix, "--force"];
const { status, stdout, stderr } = spawnSync(join(host, "code"), flags, { encoding: "utf8" });
if (status !== 0) giveUp(`The extension could not be installed: ${stdout}${stderr}`, "Read the message above.");

const server = await startServer({
  ...{ dataDir, extensionsDir },
  env: { ...process.env, DELTAFLASH_STATE: process.env.DELTAFLASH_STATE ?? join(folder, "state") },
});
const url = `${server.url}?${new URLSearchParams({ folder: workspace })}`;
process.stdout.write(`
VS Code with Deltaflash:  ${url}

1. Press Ctrl+Alt+F: the meter firmware is built and flashed to a simulated ESP32-C3. Nothing runs on silicon.
2. Change EDIT_NONE to EDIT_CONST in src/edit.h, press the key again.
3. Look at the panel "Deltaflash": where the time went, and what had changed.

Ctrl+C ends it.
`);
const opener = { darwin: "open", linux: "xdg-open" }[process.platform];
if (opener !== undefined && (process.platform === "darwin" || process.env.DISPLAY || process.env.WAYLAND_DISPLAY)) {
  spawn(opener, [url], { stdio: "ignore", detached: true }).on("error", () => undefined); // the address stands above
}
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, async () => {
    await server.stop();
    process.exit(0);
  });
}
