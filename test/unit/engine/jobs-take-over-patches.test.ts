/** A newer flash takes the place of an older one whose sectors our own stub composes. */
import { expect, test } from "vitest";
import { pseudoFirmware, usualJob } from "../../sim/rig.ts";
import { jobBench, port, wishes, type JobBench } from "./job-bench.ts";
import { until } from "./manual-clock.ts";
import { connectSpans, edited, holds, isPast, requestWith, secondWhen, shifted, working } from "./take-over-bench.ts";

const halfMegabyte = 0x80000;
const older = pseudoFirmware(halfMegabyte, 1);
/** Everything moved: every sector is a patch. */
const moved = shifted(older, 0x1100, 12);
const movedMore = shifted(moved, 0x9100, 20);
const request = requestWith(usualJob);

const madeWay = "a newer flash of the same board has taken its place";

const twoFlashes = (one: JobBench, isThere: Parameters<typeof secondWhen>[1], first = moved, second = movedMore) =>
  secondWhen(one, isThere, { first: request(first), second: request(second) });

test("in the middle of patches the newer flash goes on with the connection, and with what is written already", async () => {
  const one = jobBench();
  await one.jobs.flash(port, request(older));
  const { first, second } = await twoFlashes(one, isPast(40));
  expect(first).toMatchObject({ result: "failed", error: { code: "cancelled" } });
  expect(first.error?.message).toBe(`${madeWay}; it had begun to write, which the next flash completes`);
  expect(first.written.sectors).toBeGreaterThanOrEqual(0.4 * first.image.sectors);
  expect(first.written.sectors).toBeLessThan(first.image.sectors);
  expect(second).toMatchObject({ result: "flashed", error: null });
  expect(connectSpans(second)).toEqual([]);
  expect(second.notes.join()).toContain("An earlier flash was cut short");
  expect(second.notes.join()).not.toContain("Something else has written");
  expect(holds(one, movedMore)).toBe(true);
  expect(one).toMatchObject({ opened: 2, isOpen: false });
  expect(await one.jobs.flash(port, request(movedMore))).toMatchObject({ result: "unchanged", notes: [] });
});

test("what was patched before the newer flash came is not written again", async () => {
  const one = jobBench();
  await one.jobs.flash(port, request(older));
  const { first, second } = await twoFlashes(one, isPast(50), moved, edited(moved, 0x70000));
  expect(first.written.sectors + second.written.sectors).toBeLessThanOrEqual(first.image.sectors + 16);
  expect(holds(one, edited(moved, 0x70000))).toBe(true);
});

test("in the middle of a new board's first flash", async () => {
  const one = jobBench();
  const { first, second } = await twoFlashes(one, isPast(20), older, moved);
  expect(first).toMatchObject({ result: "failed", error: { code: "cancelled" } });
  expect(second).toMatchObject({ result: "flashed", error: null });
  expect(connectSpans(second)).toEqual([]);
  expect(holds(one, moved)).toBe(true);
  expect(one).toMatchObject({ opened: 1, isOpen: false });
});

test("while the older one connects", async () => {
  const one = jobBench();
  const { first, second } = await twoFlashes(one, (state) => state.kind === "connecting");
  expect(first.error?.message).toBe(madeWay);
  expect(second).toMatchObject({ result: "flashed", error: null });
  expect(holds(one, movedMore)).toBe(true);
  expect(one).toMatchObject({ opened: 1, isOpen: false });
});

test("while the older one asks what the board holds", async () => {
  const one = jobBench();
  await one.jobs.flash(port, request(older));
  const { first, second } = await twoFlashes(one, working("survey"), moved, edited(older, 0x6000));
  expect(first).toMatchObject({ result: "failed", error: { code: "cancelled" }, written: { sectors: 0 } });
  expect(second).toMatchObject({ result: "flashed", error: null, written: { sectors: 1 } });
  expect(connectSpans(second)).toEqual([]);
  expect(holds(one, edited(older, 0x6000))).toBe(true);
});

test("when the older one has written everything it is on record before the newer one goes on", async () => {
  const one = jobBench();
  await one.jobs.flash(port, request(older));
  const { second } = await twoFlashes(one, isPast(100), moved, edited(moved, 0x6000));
  expect(second).toMatchObject({ result: "flashed", error: null, written: { sectors: 1 }, notes: [] });
  expect(connectSpans(second)).toEqual([]);
  expect(holds(one, edited(moved, 0x6000))).toBe(true);
});

test("a connection made ahead goes from flash to flash", async () => {
  const one = jobBench();
  await one.jobs.flash(port, request(older));
  one.jobs.prepare(port, wishes);
  await until(() => one.said.at(-1) === "ready");
  const { second } = await twoFlashes(one, isPast(20));
  expect(second).toMatchObject({ result: "flashed", error: null });
  expect(holds(one, movedMore)).toBe(true);
  expect(one).toMatchObject({ opened: 2, isOpen: false });
});

test("of many saves in quick succession the last one is what the board holds, over one connection", async () => {
  const one = jobBench();
  await one.jobs.flash(port, request(older));
  const builds = [1, 2, 3, 4].map((part) => shifted(older, part * 0x10000, 4 * part));
  const reports: ReturnType<typeof one.jobs.flash>[] = [];
  one.onState = (state) => {
    const next = builds[reports.length];
    if (next !== undefined && isPast(10 * (reports.length + 1))(state))
      reports.push(one.jobs.flash(port, request(next)));
  };
  await one.jobs.flash(port, request(moved));
  for (let index = 0; index < builds.length; index++) await reports[index];
  const results = await Promise.all(reports);
  expect(results.map(({ result }) => result)).toEqual(["failed", "failed", "failed", "flashed"]);
  expect(holds(one, builds[3] ?? older)).toBe(true);
  expect(one).toMatchObject({ opened: 2, isOpen: false });
});

test("when it wants Espressif's stub it connects anew", async () => {
  const one = jobBench();
  const first = one.jobs.flash(port, request(older));
  await until(() => one.said.includes("working"));
  const second = await one.jobs.flash(port, requestWith({ ...usualJob, officialStub: true })(moved));
  expect((await first).error?.code).toBe("cancelled");
  expect(second).toMatchObject({ result: "flashed", error: null });
  expect(connectSpans(second).map(({ label }) => label)).toContain("stub upload");
  expect(holds(one, moved)).toBe(true);
  expect(one).toMatchObject({ opened: 2, isOpen: false });
});

test("when the board is pulled out while one flash makes way, the newer one says so and the port is free", async () => {
  const one = jobBench("esp32c3?speed=max&fault=unplug@in:150000");
  const { first, second } = await twoFlashes(one, isPast(20), older, pseudoFirmware(halfMegabyte, 2));
  expect([first.error?.code, second.error?.code]).toContain("disconnected");
  expect(one.isOpen).toBe(false);
});

test("cancelled in the middle of patches, a flash says what it leaves behind, and the next one repairs it", async () => {
  const one = jobBench();
  await one.jobs.flash(port, request(older));
  one.onState = (state) => {
    if (isPast(40)(state)) one.jobs.cancel(port);
  };
  const report = await one.jobs.flash(port, request(moved));
  expect(report.error?.code).toBe("cancelled");
  expect(report.error?.message).toContain("cancelled half way");
  expect(one.isOpen).toBe(false);
  one.onState = () => undefined;
  expect(await one.jobs.flash(port, request(moved))).toMatchObject({ result: "flashed", error: null });
  expect(holds(one, moved)).toBe(true);
});
