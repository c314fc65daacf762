/** Entry of the tests that run inside the extension host. Loaded by the editor; leaves its counts in a file. */
import Mocha from "mocha";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** @throws Error when a test failed, was skipped, or a rejection was left unhandled */
export async function run(): Promise<void> {
  const unhandled: unknown[] = [];
  process.on("unhandledRejection", (reason) => {
    const text = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
    if (/deltaflash|out[/\\]stage/i.test(text)) unhandled.push(text);
  });
  const mocha = new Mocha({ ui: "bdd", color: false, timeout: 40_000 });
  const grep = process.env["DELTAFLASH_GREP"];
  if (grep !== undefined) mocha.grep(grep);
  for (const file of readdirSync(__dirname).sort()) {
    if (file.endsWith(".test.cjs")) mocha.addFile(join(__dirname, file));
  }
  const stats = await new Promise<Mocha.Stats | undefined>((resolve) => {
    const runner = mocha.run(() => resolve(runner.stats));
  });
  for (const one of unhandled) console.error(`unhandled rejection: ${String(one)}`);
  const passed = stats?.passes ?? 0;
  const failed = (stats?.failures ?? 1) + (stats?.pending ?? 0) + unhandled.length;
  const results = process.env["DELTAFLASH_RESULTS"];
  if (results !== undefined) writeFileSync(results, JSON.stringify({ passed, failed }));
  if (failed > 0) throw new Error(`${failed} failed`);
}
