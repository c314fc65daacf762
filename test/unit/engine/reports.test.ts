import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { FlashError } from "../../../src/core/errors.ts";
import { failedBefore } from "../../../src/engine/report.ts";
import { ReportStore } from "../../../src/engine/reports.ts";
import type { StoredReport } from "../../../src/engine/views.ts";

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "deltaflash-reports-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

function stored(at: number, identity: string): StoredReport {
  const report = { ...failedBefore("/dev/ttyUSB0", new FlashError("timeout", "silent")), identity };
  return { at, trigger: "key", artifact: ["a.elf"], report };
}

const [one, two] = ["60:55:f9:00:00:01", "60:55:f9:00:00:02"];

test("the last 50 of each board are kept, the newest first, also when they come at once", async () => {
  const state = folder();
  const store = new ReportStore(state);
  await Promise.all(Array.from({ length: 60 }, (_, at) => store.add(stored(at, one))));
  await store.add(stored(1_000, two));
  await store.add(stored(1_001, ""));
  const again = new ReportStore(state);
  expect((await again.newest(one, 100)).map((report) => report.at)).toEqual(
    Array.from({ length: 50 }, (_, index) => 59 - index),
  );
  expect((await again.newest(undefined, 3)).map((report) => report.at)).toEqual([1_001, 1_000, 59]);
  expect(await again.newest("never seen", 10)).toEqual([]);
  expect(await again.newest(one, -1)).toEqual([]);
});

test("a file that is spoilt counts as empty, and entries that are no reports are left out", async () => {
  const state = folder();
  const store = new ReportStore(state);
  mkdirSync(join(state, "reports"));
  const file = join(state, "reports", "60-55-f9-00-00-01.json");
  writeFileSync(file, "{ not json");
  expect(await store.newest(one, 10)).toEqual([]);
  writeFileSync(file, JSON.stringify([null, 5, { at: 1, report: null }, stored(7, one)]));
  expect(await store.newest(one, 10)).toEqual([stored(7, one)]);
  await store.add(stored(8, one));
  expect(await store.newest(one, 10)).toHaveLength(2);
});
