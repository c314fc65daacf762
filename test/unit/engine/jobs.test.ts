import { expect, test } from "vitest";
import { FlashError } from "../../../src/core/errors.ts";
import { usualJob } from "../../sim/rig.ts";
import { exposed, jobBench as bench, port, wishes } from "./job-bench.ts";
import { settle, until } from "./manual-clock.ts";

test("a connection made ahead makes the flash start without one, and the port is closed afterwards", async () => {
  const { jobs, request, said, ...rest } = exposed(bench());
  jobs.prepare(port, wishes);
  await until(() => said.at(-1) === "ready");
  const report = await jobs.flash(port, request("base"));
  expect(report).toMatchObject({ result: "flashed", error: null, board: "esp32c3-sim" });
  expect(report.spans.filter((span) => span.phase === "connect")).toEqual([]);
  expect(said).toEqual(["connecting", "ready", "working", "done"]);
  expect(rest.bench).toMatchObject({ opened: 1, isOpen: false });
});

test("a flash that comes while the connection is made waits for the rest of it only", async () => {
  const { jobs, request, bench: one } = exposed(bench());
  jobs.prepare(port, wishes);
  expect(await jobs.flash(port, request("base"))).toMatchObject({ result: "flashed", error: null });
  expect(one.opened).toBe(1);
});

test("a connection that nobody uses is dropped after 20 s, and the board runs its program again", async () => {
  const { jobs, said, clock, sim, bench: one } = exposed(bench());
  jobs.prepare(port, wishes);
  await until(() => said.at(-1) === "ready");
  await clock.pass(15_000);
  jobs.prepare(port, wishes);
  await clock.pass(15_000);
  expect(one.isOpen).toBe(true);
  await clock.pass(6_000);
  await until(() => said.at(-1) === "idle");
  expect(one.isOpen).toBe(false);
  expect(sim.says()).toContain("No bootable app partitions");
});

test("a connection for other settings is replaced", async () => {
  const { jobs, said, request, bench: one } = exposed(bench());
  jobs.prepare(port, wishes);
  await until(() => said.at(-1) === "ready");
  jobs.prepare(port, { baud: 460_800, useStub: true });
  await until(() => said.at(-1) === "ready" && one.opened === 2);
  const report = await jobs.flash(port, request("base", { useStub: false, baud: 460_800 }));
  expect(report).toMatchObject({ result: "flashed", error: null });
  expect(one).toMatchObject({ opened: 3, isOpen: false });
});

test("a board that does not answer ahead does not harm the flash", async () => {
  const { jobs, said, request, bench: one } = exposed(bench());
  one.openError = new FlashError("port-busy", "taken");
  jobs.prepare(port, wishes);
  await until(() => said.at(-1) === "idle");
  one.openError = undefined;
  expect(await jobs.flash(port, request("base"))).toMatchObject({ result: "flashed", error: null });
});

test("of three flashes that come at once the last one is what the board holds", async () => {
  const { jobs, request, sim } = exposed(bench());
  const reports = await Promise.all([
    jobs.flash(port, request("const")),
    jobs.flash(port, request("base")),
    jobs.flash(port, request("const")),
  ]);
  expect(reports.map((report) => report.error?.code ?? report.result)).toEqual(["cancelled", "cancelled", "flashed"]);
  expect(reports[1].error?.message).toBe("a newer flash of the same board has taken its place");
  expect(sim.says()).toContain("running");
});

test("a flash that writes already is finished before a newer one runs", async () => {
  const { jobs, request, said } = exposed(bench());
  const first = jobs.flash(port, request("const"));
  await until(() => said.includes("working"));
  await settle();
  const second = jobs.flash(port, request("base"));
  expect(["flashed", "failed"]).toContain((await first).result);
  expect(await second).toMatchObject({ error: null });
  expect(await jobs.flash(port, request("base"))).toMatchObject({ result: "unchanged" });
});

test("an artifact that cannot be read touches no port, and ends the connection made ahead", async () => {
  const { jobs, said, bench: one } = exposed(bench());
  jobs.prepare(port, wishes);
  await until(() => said.at(-1) === "ready");
  const broken = () => Promise.reject(new FlashError("bad-image", "half written"));
  expect(await jobs.flash(port, { artifact: broken, options: usualJob })).toMatchObject({
    result: "failed",
    error: { code: "bad-image" },
  });
  await until(() => !one.isOpen);
  expect(one.opened).toBe(1);
});

test("a program for the RAM is loaded after a reset, whatever was connected ahead", async () => {
  const { jobs, said, request, bench: one } = exposed(bench());
  jobs.prepare(port, wishes);
  await until(() => said.at(-1) === "ready");
  const report = await jobs.flash(port, request("base", { ram: true }));
  expect(report).toMatchObject({ result: "failed", written: { bytes: 0 } });
  expect(report.spans.map((span) => span.label)).toContain("reset + sync");
  expect(one).toMatchObject({ opened: 2, isOpen: false });
});

test("cancel drops a connection made ahead, and what runs ends as cancelled", async () => {
  const { jobs, said, request, bench: one } = exposed(bench());
  jobs.prepare(port, wishes);
  await until(() => said.at(-1) === "ready");
  jobs.cancel(port);
  await until(() => said.at(-1) === "idle");
  expect(one.isOpen).toBe(false);
  const flash = jobs.flash(port, request("base"));
  jobs.cancel(port);
  expect((await flash).error?.code).toBe("cancelled");
  expect(await jobs.flash(port, request("base"))).toMatchObject({ error: null });
});

test("the monitor shares the port: it pauses for the flash and hears the boot from its first line", async () => {
  const { jobs, said, request, clock, bench: one } = exposed(bench());
  await jobs.openMonitor(port, { baud: 115_200 });
  await clock.pass(100);
  expect(await jobs.flash(port, request("base"))).toMatchObject({ result: "flashed", error: null });
  for (let round = 0; round < 200 && !one.text.includes("running"); round++) await clock.pass(20);
  expect(one.text).toMatch(/^ESP-ROM:esp32c3/);
  expect(one.text).not.toContain("\ufffd");
  expect(one).toMatchObject({ opened: 1, isOpen: true });
  await jobs.closeMonitor(port);
  expect(one.isOpen).toBe(false);
  expect(said.filter((word) => word.startsWith("monitor"))).toEqual([
    "monitor open",
    "monitor paused",
    "monitor open",
    "monitor closed",
  ]);
});

test("closing ends what runs, closes the ports, and refuses more", async () => {
  const { jobs, request, clock, said, bench: one } = exposed(bench());
  await jobs.openMonitor(port, { baud: 115_200 });
  const flash = jobs.flash(port, request("base", { full: true }));
  await until(() => said.includes("working"));
  const closed = jobs.close(900);
  await clock.pass(1_000);
  await closed;
  await flash;
  expect(one.isOpen).toBe(false);
  expect((await jobs.flash(port, request("base"))).error).toMatchObject({ code: "cancelled" });
});

test("a board that is pulled out during the flash is a failed report, and the port is free", async () => {
  const { jobs, request, said, bench: one } = exposed(bench("esp32c3?speed=max&fault=unplug@in:40000"));
  expect((await jobs.flash(port, request("base"))).error?.code).toBe("disconnected");
  expect(said.at(-1)).toBe("failed disconnected");
  expect(one.isOpen).toBe(false);
});
