/** Builds that CMake Tools runs by itself: no task, no terminal, and no event for their end. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "mocha";
import { extensions } from "vscode";
import type { DeltaflashApi } from "../../../src/extension/api.ts";
import type { CmakeUser } from "../cmake-tools/extension.ts";
import { all, deltaflash, edit, fastPort, next, set, sleep, summary } from "./helpers.ts";

/** Longer than a watcher needs to see that a file stays as it is. */
const calmMs = 1_500;
/** Within this time after its start CMake Tools has been found. */
const foundMs = 6_000;

describe("builds of CMake Tools", () => {
  let api: DeltaflashApi;
  let cmake: CmakeUser;
  let kind: "NONE" | "CONST" = "NONE";

  before(async () => {
    api = await deltaflash();
    const found = extensions.getExtension<{ readonly user: CmakeUser }>("ms-vscode.cmake-tools");
    ok(found !== undefined, "the stand-in for CMake Tools is not there");
    cmake = (await found.activate()).user;
    await set("port", fastPort);
    await set("onBuild", "flash");
    edit("NONE");
    await api.flash({ build: true });
    await sleep(foundMs);
  });

  beforeEach(() => edit((kind = kind === "NONE" ? "CONST" : "NONE")));
  after(() => set("onBuild", "off"));

  it("are flashed once, though nothing tells that they have ended", async () => {
    const reports = await all(api.onDidFlash, async () => {
      const done = next(api.onDidFlash);
      equal(await cmake.build(), 0);
      await done;
      await sleep(calmMs);
    });
    deepEqual(reports.map(summary), ["build:watcher: flashed 3/40"]);
  });

  it("are flashed once when a new code model follows, and CMake Tools is named among the reasons", async () => {
    const reports = await all(api.onDidFlash, async () => {
      const done = next(api.onDidFlash);
      equal(await cmake.build(), 0);
      cmake.configure();
      await done;
      await sleep(calmMs);
    });
    equal(reports.length, 1);
    ok(reports[0]?.trigger.includes("cmake-tools"), reports[0]?.trigger ?? "");
  });

  it("are only offered where that is the setting", async () => {
    await set("onBuild", "offer");
    const reports = await all(api.onDidFlash, async () => {
      const built = next(api.onDidBuild);
      equal(await cmake.build(), 0);
      ok((await built).changed);
      await sleep(calmMs);
    });
    deepEqual(reports, []);
    await set("onBuild", "flash");
  });

  it("flash nothing when they failed", async () => {
    edit("BROKEN");
    const reports = await all(api.onDidFlash, async () => {
      equal(await cmake.build(), 2);
      cmake.configure();
      await sleep(calmMs);
    });
    deepEqual(reports.map(summary), []);
  });

  it("are not taken to have ended by a new code model alone", async () => {
    const reports = await all(api.onDidFlash, async () => {
      const builds = await all(api.onDidBuild, async () => {
        cmake.configure();
        await sleep(calmMs);
      });
      deepEqual(
        builds.filter((one) => one.changed),
        [],
      );
    });
    deepEqual(reports, []);
  });
});
