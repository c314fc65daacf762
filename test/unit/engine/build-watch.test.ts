import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadArtifact } from "../../../src/build/load.ts";
import { BuildWatch, loadableDigest } from "../../../src/engine/build-watch.ts";
import type { BuildCompleted } from "../../../src/engine/views.ts";
import { ManualClock, settle } from "./manual-clock.ts";

const programs = {
  base: gunzipSync(readFileSync("test/fixtures/firmware/meter-esp32c3-base.elf.gz")),
  const: gunzipSync(readFileSync("test/fixtures/firmware/meter-esp32c3-const.elf.gz")),
};
let root: string;
let folder: string;
let elf: string;
let clock: ManualClock;
let told: BuildCompleted[];
let builds: BuildWatch;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "deltaflash-watch-"));
  folder = join(root, "out", "build");
  elf = join(folder, "meter.elf");
  mkdirSync(folder, { recursive: true });
  writeFileSync(elf, programs.base);
  clock = new ManualClock();
  told = [];
  builds = new BuildWatch({ clock, loadArtifact, onCompleted: (build) => told.push(build), log: () => undefined });
});
afterEach(async () => {
  builds.close();
  await settle();
  rmSync(root, { recursive: true });
});

const project = () => ({ id: "plain:meter", artifact: [elf], watch: [elf] });

/** Both kinds of time: the system needs its own to report a change. */
async function pass(durationMs: number): Promise<void> {
  for (let ms = 0; ms < durationMs; ms += 50) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    await clock.pass(50);
  }
}

test("a program that is linked anew is told once, by its files", async () => {
  await builds.watch([project()]);
  await pass(1_000);
  expect(told).toEqual([]);
  writeFileSync(elf, programs.const);
  await pass(2_000);
  const id = loadableDigest(await loadArtifact([elf]));
  expect(told).toEqual([{ project: "plain:meter", id, sources: ["watcher"], changed: true }]);
});

test("a program that is renamed into its place is told, and one that is cut short is not", async () => {
  await builds.watch([project()]);
  const beside = join(folder, "meter.new");
  writeFileSync(beside, programs.const);
  renameSync(beside, elf);
  await pass(1_500);
  expect(told).toHaveLength(1);
  truncateSync(elf, 50_000);
  await pass(8_000);
  expect(told).toHaveLength(1);
});

test("a folder that is deleted and made again is watched again", async () => {
  await builds.watch([project()]);
  rmSync(join(root, "out"), { recursive: true });
  await pass(2_500);
  mkdirSync(folder, { recursive: true });
  await pass(2_500);
  expect(told).toEqual([]);
  writeFileSync(elf, programs.const);
  await pass(2_000);
  expect(told).toMatchObject([{ sources: ["watcher"], changed: true }]);
});

test("a folder that is not there yet is watched as soon as it is", async () => {
  rmSync(join(root, "out"), { recursive: true });
  await builds.watch([project()]);
  await pass(1_500);
  mkdirSync(folder, { recursive: true });
  writeFileSync(elf, programs.base);
  await pass(3_000);
  expect(told).toMatchObject([{ project: "plain:meter", changed: true }]);
});

test("a failed build is not told, and hints for a project that nobody watches are ignored", async () => {
  await builds.watch([project()]);
  writeFileSync(elf, programs.const);
  builds.hint({ project: "plain:meter", source: "task", exitCode: 2 });
  builds.hint({ project: "plain:other", source: "task", exitCode: 0 });
  await pass(3_000);
  expect(told).toEqual([]);
  builds.hint({ project: "plain:meter", source: "task", exitCode: 0 });
  await pass(500);
  expect(told).toMatchObject([{ sources: ["task"], exitCode: 0, changed: true }]);
});

test("debug information does not count as a change", async () => {
  await builds.watch([project()]);
  writeFileSync(elf, Buffer.concat([programs.base, Buffer.from("more, behind everything that is loaded")]));
  await pass(2_000);
  expect(told).toMatchObject([{ changed: false }]);
});
