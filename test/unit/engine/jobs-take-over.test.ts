/** A newer flash takes the place of an older one that writes by Espressif's stub or by a ROM; for our own see `jobs-take-over-patches.test.ts`. */
import { expect, test } from "vitest";
import type { Report } from "../../../src/engine/report.ts";
import { pseudoFirmware, usualJob } from "../../sim/rig.ts";
import { jobBench, port, wishes, type JobBench } from "./job-bench.ts";
import { until } from "./manual-clock.ts";
import { connectSpans, edited, holds, isPast, requestWith, secondWhen, working } from "./take-over-bench.ts";

const oneMegabyte = 0x100000;
const older = pseudoFirmware(oneMegabyte, 1);
const newer = edited(older, 0x80000);
const official = { ...usualJob, officialStub: true };
const request = requestWith(official);

const twoFlashes = (one: JobBench, isThere: Parameters<typeof secondWhen>[1], data = newer) =>
  secondWhen(one, isThere, { first: request(older), second: request(data) });

test("a newer flash goes on with the connection of the one that it replaces, in the middle of a run", async () => {
  const one = jobBench();
  const { first, second, tookMs } = await twoFlashes(one, isPast(20));
  expect(first).toMatchObject({ result: "failed", error: { code: "cancelled" }, written: { sectors: 0 } });
  expect(first.error?.message).toBe(
    "a newer flash of the same board has taken its place; it had begun to write, which the next flash completes",
  );
  expect(second).toMatchObject({ result: "flashed", error: null });
  expect(connectSpans(second)).toEqual([]);
  expect(second.notes.join()).toContain("An earlier flash was cut short");
  expect(holds(one, newer)).toBe(true);
  expect(one).toMatchObject({ opened: 1, isOpen: false });
  expect(one.said).toEqual(["connecting", "working", "done"]);
  expect(tookMs).toMatchInlineSnapshot(`8835`);
  // What the older flash had written is not written again, and the board is believed for what it says only.
  expect(second.written.sectors).toBeLessThan(first.image.sectors);
  expect(await one.jobs.flash(port, request(newer))).toMatchObject({ result: "unchanged" });
});

test("a newer flash does not wait for an older one of which nothing will be left", async () => {
  const one = jobBench();
  const other = pseudoFirmware(oneMegabyte, 2);
  const { second, tookMs } = await twoFlashes(one, isPast(20), other);
  expect(second).toMatchObject({ result: "flashed", error: null });
  expect(holds(one, other)).toBe(true);
  expect(tookMs).toMatchInlineSnapshot(`10943`);
});

test("a newer flash takes over while the older one connects", async () => {
  const one = jobBench();
  const { first, second, tookMs } = await twoFlashes(one, (state) => state.kind === "connecting");
  expect(first.error?.message).toBe("a newer flash of the same board has taken its place");
  expect(second).toMatchObject({ result: "flashed", error: null });
  expect(holds(one, newer)).toBe(true);
  expect(one).toMatchObject({ opened: 1, isOpen: false });
  expect(tookMs).toMatchInlineSnapshot(`10820`);
});

test("a newer flash takes over while the older one asks what the board holds", async () => {
  const one = jobBench();
  await one.jobs.flash(port, request(older));
  const { first, second, tookMs } = await twoFlashes(one, working("survey"));
  expect(first).toMatchObject({ result: "failed", error: { code: "cancelled" } });
  expect(second).toMatchObject({ result: "flashed", error: null, written: { sectors: 1 } });
  expect(connectSpans(second)).toEqual([]);
  expect(holds(one, newer)).toBe(true);
  expect(one).toMatchObject({ opened: 2, isOpen: false });
  expect(tookMs).toMatchInlineSnapshot(`1182`);
});

test("a flash that has written everything is verified and on record before the newer one goes on", async () => {
  const one = jobBench();
  const { second, tookMs } = await twoFlashes(one, working("verify"));
  expect(second).toMatchObject({ result: "flashed", error: null, written: { sectors: 1 }, notes: [] });
  expect(connectSpans(second)).toEqual([]);
  expect(holds(one, newer)).toBe(true);
  expect(tookMs).toMatchInlineSnapshot(`2284`);
});

test("a connection made ahead goes from flash to flash", async () => {
  const one = jobBench();
  one.jobs.prepare(port, { ...wishes, officialStub: true });
  await until(() => one.said.at(-1) === "ready");
  const { second } = await twoFlashes(one, isPast(20));
  expect(second).toMatchObject({ result: "flashed", error: null });
  expect(one).toMatchObject({ opened: 1, isOpen: false });
});

test("of many saves in quick succession the last one is what the board holds, over one connection", async () => {
  const one = jobBench();
  const builds = [1, 2, 3, 4].map((part) => edited(older, part * 0x20000));
  const reports: Promise<Report>[] = [];
  one.onState = (state) => {
    const next = builds[reports.length];
    const isTime = state.kind === "working" && (state.percent ?? 0) >= 5 * (reports.length + 1);
    if (next !== undefined && isTime) reports.push(one.jobs.flash(port, request(next)));
  };
  await one.jobs.flash(port, request(older));
  for (let index = 0; index < builds.length; index++) await reports[index];
  const results = await Promise.all(reports);
  expect(results.map(({ result }) => result)).toEqual(["failed", "failed", "failed", "flashed"]);
  expect(holds(one, builds[3] ?? older)).toBe(true);
  expect(one).toMatchObject({ opened: 1, isOpen: false });
});

test("a ROM is left to finish the run that it has begun, and the newer flash then goes on with it", async () => {
  const one = jobBench();
  const options = { ...official, useStub: false };
  let second: Promise<Report> | undefined;
  one.onState = (state) => {
    if (isPast(5)(state)) second ??= one.jobs.flash(port, { ...request(newer), options });
  };
  const first = await one.jobs.flash(port, { ...request(older), options });
  expect(first).toMatchObject({ error: { code: "cancelled" }, written: { sectors: 256 } });
  expect(await second).toMatchObject({ result: "flashed", error: null, written: { sectors: 1 } });
  expect(holds(one, newer)).toBe(true);
  expect(one).toMatchObject({ opened: 1, isOpen: false });
});

test("a newer flash that wants another bit rate connects anew", async () => {
  const one = jobBench();
  const first = one.jobs.flash(port, request(older));
  await until(() => one.said.includes("working"));
  const options = { ...official, baud: 460_800 };
  const second = await one.jobs.flash(port, { ...request(newer), options });
  expect((await first).error?.code).toBe("cancelled");
  expect(second).toMatchObject({ result: "flashed", error: null });
  expect(connectSpans(second).length).toBeGreaterThan(0);
  expect(holds(one, newer)).toBe(true);
  expect(one).toMatchObject({ opened: 2, isOpen: false });
});

test("a newer flash without a readable artifact gives the board back, and the next one repairs it", async () => {
  const one = jobBench();
  const first = one.jobs.flash(port, request(older));
  await until(() => one.said.includes("working"));
  const broken = { artifact: () => Promise.reject(new Error("half written")), options: official };
  expect((await one.jobs.flash(port, broken)).result).toBe("failed");
  expect((await first).error?.code).toBe("cancelled");
  await until(() => !one.isOpen);
  expect(await one.jobs.flash(port, request(newer))).toMatchObject({ result: "flashed", error: null });
  expect(holds(one, newer)).toBe(true);
});

test("when the board is pulled out while one flash makes way, the newer one says so and the port is free", async () => {
  const one = jobBench("esp32c3?speed=max&fault=unplug@in:200000");
  const { first, second } = await twoFlashes(one, isPast(20));
  expect([first.error?.code, second.error?.code]).toContain("disconnected");
  expect(one.isOpen).toBe(false);
});

test("where the line is in doubt the newer flash connects anew: a stub that does not answer", async () => {
  const one = jobBench("esp32c3?speed=max&fault=silence@SYNC:3");
  const { second } = await twoFlashes(one, isPast(20));
  expect(second).toMatchObject({ result: "flashed", error: null });
  expect(connectSpans(second).length).toBeGreaterThan(0);
  expect(one.opened).toBe(2);
});
