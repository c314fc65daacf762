/** Builds that something else started: a task, a terminal, a program outside the editor. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, beforeEach, describe, it } from "mocha";
import { window } from "vscode";
import type { DeltaflashApi } from "../../../src/extension/api.ts";
import {
  all,
  deltaflash,
  edit,
  fastPort,
  next,
  runTask,
  set,
  sleep,
  summary,
  taskNamed,
  until,
  workspaceFolder,
} from "./helpers.ts";

/** Longer than a watcher needs to see that a file stays as it is. */
const calmMs = 1_500;

describe("builds of others", () => {
  let api: DeltaflashApi;
  let kind: "NONE" | "CONST" = "NONE";

  before(async () => {
    api = await deltaflash();
    await set("port", fastPort);
    await set("onBuild", "flash");
    edit("NONE");
    await api.flash({ build: true });
    await sleep(3_500); // what is noticed of our own build is over
  });

  beforeEach(() => edit((kind = kind === "NONE" ? "CONST" : "NONE")));
  after(() => set("onBuild", "off"));

  it("flashes once after a build task, and says that the task was the reason", async () => {
    const task = await taskNamed("build");
    const reports = await all(api.onDidFlash, async () => {
      const done = next(api.onDidFlash);
      equal(await runTask(task), 0);
      await done;
      await sleep(calmMs);
    });
    equal(reports.length, 1);
    ok(reports.map(summary)[0]?.includes("flashed 3/40"), summary(reports[0] as never));
    ok(reports[0]?.trigger.startsWith("build:") && reports[0].trigger.includes("task"), reports[0]?.trigger ?? "");
  });

  it("flashes a build again when one of our own came in between", async () => {
    const again = kind;
    const flashed = async () => {
      const done = next(api.onDidFlash);
      equal(await runTask(await taskNamed("build")), 0);
      return summary(await done);
    };
    ok((await flashed()).includes("flashed 3/40"));
    edit(again === "NONE" ? "CONST" : "NONE");
    await api.flash({ build: true });
    await sleep(calmMs);
    edit(again);
    ok((await flashed()).includes("flashed 3/40"));
    await sleep(calmMs);
  });

  it("flashes once after a build in a terminal", async () => {
    const terminal = window.createTerminal({ name: "builder", cwd: workspaceFolder() });
    terminal.show(true);
    await until("shell integration", () => terminal.shellIntegration !== undefined);
    const reports = await all(api.onDidFlash, async () => {
      const done = next(api.onDidFlash);
      terminal.shellIntegration?.executeCommand("make");
      await done;
      await sleep(calmMs);
    });
    terminal.dispose();
    deepEqual(reports.length, 1);
    ok(reports[0]?.trigger.includes("terminal"), reports[0]?.trigger ?? "");
  });

  it("flashes once after a build outside the editor", async () => {
    const reports = await all(api.onDidFlash, async () => {
      const done = next(api.onDidFlash);
      execFileSync("make", { cwd: workspaceFolder() });
      await done;
      await sleep(calmMs);
    });
    deepEqual(reports.map(summary), ["build:watcher: flashed 3/40"]);
  });

  it("flashes nothing after a build that failed", async () => {
    edit("BROKEN");
    const task = await taskNamed("build");
    const reports = await all(api.onDidFlash, async () => {
      equal(await runTask(task), 2);
      await sleep(calmMs);
    });
    deepEqual(reports, []);
  });

  it("only tells of the build when it is set to off", async () => {
    await set("onBuild", "off");
    const built = next(api.onDidBuild);
    const reports = await all(api.onDidFlash, async () => {
      await runTask(await taskNamed("build"));
      await built;
      await sleep(calmMs);
    });
    deepEqual(reports, []);
  });
});
