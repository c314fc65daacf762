/** One key: build, connect meanwhile, write what changed; and what happens when something of it fails. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { describe, it, before, beforeEach } from "mocha";
import { commands, type Event } from "vscode";
import type { DeltaflashApi } from "../../../src/extension/api.ts";
import type { StoredReport } from "../../../src/server/protocol.ts";
import { all, deltaflash, edit, errorsDuring, fastPort, next, set, sleep, summary } from "./helpers.ts";

describe("Save All, Build and Flash", () => {
  let api: DeltaflashApi;
  let flashed: Event<StoredReport>;

  before(async () => {
    api = await deltaflash();
    flashed = api.onDidFlash;
    await set("port", fastPort);
    await set("onBuild", "off");
  });

  beforeEach(() => edit("NONE"));

  it("builds first, then writes a new board full and reports it", async () => {
    const done = next(flashed);
    await commands.executeCommand("deltaflash.flash");
    equal(summary(await done), "key: flashed 40/40");
  });

  it("writes only the sectors that an edit changed", async () => {
    edit("CONST");
    const done = next(flashed);
    await commands.executeCommand("deltaflash.flash");
    const stored = await done;
    equal(summary(stored), "key: flashed 3/40");
    ok(stored.report.spans.length > 5);
  });

  it("writes nothing when nothing changed, and everything when asked to", async () => {
    await commands.executeCommand("deltaflash.flash");
    let done = next(flashed);
    await commands.executeCommand("deltaflash.flashOnly");
    equal(summary(await done), "button: unchanged 0/40");
    done = next(flashed);
    await commands.executeCommand("deltaflash.flashFull");
    equal(summary(await done), "button: flashed 40/40");
  });

  it("flashes the newer of two quick saves once, and the board holds it", async () => {
    const reports = await all(flashed, async () => {
      const first = commands.executeCommand("deltaflash.flash");
      await sleep(30);
      edit("CONST");
      await Promise.all([first, commands.executeCommand("deltaflash.flash")]);
    });
    deepEqual(reports.map(summary), ["key: flashed 3/40"]);
    const done = next(flashed);
    await commands.executeCommand("deltaflash.flashOnly");
    equal(summary(await done), "button: unchanged 0/40");
  });

  it("flashes nothing after a build that failed, and says so once", async () => {
    edit("BROKEN");
    const errors = await errorsDuring(async () => {
      deepEqual(await all(flashed, async () => commands.executeCommand("deltaflash.flash")), []);
    });
    equal(errors.length, 1);
    match(errors[0] ?? "", /^The build 'build' failed with exit code 2\. Nothing was flashed\. \[Show Problems\]$/);
  });

  it("says once what is wrong with the port, and flashes again where the remedy says so", async () => {
    await set("port", "tcp://127.0.0.1:1");
    try {
      const errors = await errorsDuring(async () => commands.executeCommand("deltaflash.flashOnly"));
      equal(errors.length, 1);
      match(errors[0] ?? "", /\[(Select Board and Port|Flash Again)\]$/);
    } finally {
      await set("port", fastPort);
    }
  });

  it("says in one message what is wrong with the settings, and goes on with what it can use", async () => {
    const errors = await errorsDuring(async () => {
      await set("baud", "fast");
      await set("useStub", 3);
      const done = next(flashed);
      await commands.executeCommand("deltaflash.flashOnly");
      equal((await done).report.error, null);
    });
    await set("baud", undefined);
    await set("useStub", undefined);
    equal(errors.filter((one) => one.includes("deltaflash.baud") && one.includes('"fast"')).length > 0, true);
    ok(errors.at(-1)?.includes("deltaflash.useStub should be true or false, but it is 3"), errors.join("\n"));
  });

  it("flashes for other extensions, and tells them when there is nothing to flash to", async () => {
    equal((await api.flash({ build: true })).result, "flashed");
    equal((await api.flash({ port: "sim:nothing" })).error?.code, "board-not-found");
  });
});
