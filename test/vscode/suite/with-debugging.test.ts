/** A debugger that has the probe: it is not taken away without a word, and one click ends it and flashes. */
import { equal, match, ok } from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { commands, debug } from "vscode";
import type { DeltaflashApi } from "../../../src/extension/api.ts";
import { deltaflash, edit, errorsDuring, fastPort, next, set, until } from "./helpers.ts";

/** Nobody listens there, and the demo firmware is for no board behind a probe: enough to see that a flash came so far. */
const port = "gdb://127.0.0.1:9";

describe("a debug session that holds the probe", () => {
  let api: DeltaflashApi;

  before(async () => {
    api = await deltaflash();
    await set("port", fastPort);
    edit("NONE");
    await api.flash({ build: true });
    await set("port", port);
  });
  after(() => set("port", undefined));

  async function startDebugging(): Promise<void> {
    ok(await debug.startDebugging(undefined, { type: "cortex-debug", name: "Board", request: "launch" }));
    await until("the session runs", () => debug.activeDebugSession?.type === "cortex-debug");
  }

  it("stops a flash through its probe, says so, and lets one through that needs no probe", async () => {
    await startDebugging();
    const said = await errorsDuring(() => Promise.resolve(commands.executeCommand("deltaflash.flashOnly")));
    equal(said.length, 1);
    match(said[0] ?? "", /^The debug session “Board” has the debug probe: .* \[Stop Debugging and Flash\]$/);
    equal(debug.activeDebugSession?.name, "Board");
    equal((await api.flash({ port: fastPort })).error, null);
  });

  it("is ended by the button, and the flash goes on", async () => {
    const flashed = next(api.onDidFlash);
    const said = await errorsDuring(async () => {
      await commands.executeCommand("deltaflash.flashOnly");
      await flashed;
      await until("the failure is shown", () => debug.activeDebugSession === undefined);
    }, "Stop Debugging and Flash");
    match(said[0] ?? "", /\[Stop Debugging and Flash\]$/);
    const { report } = await flashed;
    equal(report.port, port);
    equal(report.error?.code, "wrong-chip");
    equal(debug.activeDebugSession, undefined);
  });
});
