// Finishes the code-server install without its install scripts: no compiler, no extra headers, only npm packages.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

const vscode = path.join(import.meta.dirname, "node_modules/code-server/lib/vscode");
const stamp = path.join(vscode, ".host-ready");
if (fs.existsSync(stamp)) process.exit(0);
// `npm install`, not `npm ci`: the shrinkwrap in lib/vscode lacks one package; all other versions still come from it.
const flags = [
  "--omit=dev",
  "--ignore-scripts",
  "--no-audit",
  "--no-fund",
  "--no-save",
  "--engine-strict=false",
  "--loglevel=error",
];
for (const cwd of [vscode, path.join(vscode, "extensions")])
  execFileSync("npm", ["install", ...flags], { cwd, stdio: "inherit" });

// Two compiled modules are loaded by every process; these plain ones take their place.
const put = (name, text) => fs.writeFileSync(path.join(vscode, "node_modules/@vscode", name, "index.js"), text);
put(
  "native-watchdog",
  `
exports.start = pid => { setInterval(() => { try { process.kill(pid, 0); } catch { process.exit(87); } }, 3000).unref(); };
exports.exit = code => process.exit(code || 0);`,
);
put(
  "spdlog",
  `
const fs = require('fs'), path = require('path'), names = ['trace', 'debug', 'info', 'warning', 'error', 'critical'];
let level = 2;
class Logger {
  constructor(type, name, file) { this.file = file; this.level = level; fs.mkdirSync(path.dirname(file), { recursive: true }); }
  put(l, m) {
    const line = this.raw ? m : new Date().toISOString() + ' [' + names[l] + '] ' + m + '\\n';
    if (l >= this.level) try { fs.appendFileSync(this.file, line); } catch {}
  }
  trace(m) { this.put(0, m); } debug(m) { this.put(1, m); } info(m) { this.put(2, m); } warn(m) { this.put(3, m); }
  error(m) { this.put(4, m); } critical(m) { this.put(5, m); } getLevel() { return this.level; } setLevel(l) { this.level = l; }
  setPattern() {} clearFormatters() { this.raw = true; } flush() {} drop() {}
}
exports.version = 0; exports.Logger = Logger; exports.setFlushOn = () => {}; exports.setLevel = l => { level = l; };
exports.createRotatingLogger = exports.createAsyncRotatingLogger = async (name, file) => new Logger('', name, file);`,
); // one by one: ESM finds only these
fs.writeFileSync(stamp, "");
