import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadArtifact } from "../../../src/build/load.ts";
import { FlashError } from "../../../src/core/errors.ts";
import type { BoardAtPort } from "../../../src/engine/board-port.ts";
import type { EspJobOptions } from "../../../src/engine/esp-job.ts";
import { History } from "../../../src/engine/history.ts";
import { Jobs, type FlashRequest } from "../../../src/engine/jobs.ts";
import { simPort, type SimPort } from "../../../src/sim/sim-port.ts";
import type { SerialTransport } from "../../../src/transport/transport.ts";
import { ManualClock, settle, until } from "./manual-clock.ts";

const port = "sim:esp32c3?speed=max";
const usual: EspJobOptions = {
  baud: undefined,
  chip: undefined,
  identity: undefined,
  full: false,
  ram: false,
  dryRun: false,
  reset: true,
  useStub: true,
  appOffset: undefined,
  flashBytes: undefined,
};
const wishes = { baud: undefined, useStub: true };

/** Jobs on one simulated board; says what happens to its port. */
class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), "deltaflash-jobs-"));
  readonly clock = new ManualClock();
  readonly history = new History(this.folder);
  readonly said: string[] = [];
  readonly sim: SimPort;
  text = "";
  isOpen = false;
  opened = 0;
  openError: FlashError | undefined;
  readonly jobs: Jobs;

  constructor(words = "esp32c3?speed=max") {
    this.sim = simPort(port, words, undefined);
    this.jobs = new Jobs({
      clock: this.clock,
      history: this.history,
      boardAtPort: () => Promise.resolve(this.#board()),
      observer: {
        state: (_, state) => this.#say(state.kind === "failed" ? `failed ${state.code}` : state.kind),
        monitorText: (_, text) => (this.text += text),
        monitorState: (_, state) => this.#say(`monitor ${state}`),
        log: () => undefined,
      },
    });
  }

  request(kind: "base" | "const", options: Partial<EspJobOptions> = {}): FlashRequest {
    return {
      artifact: () => loadArtifact([`test/fixtures/firmware/meter-esp32c3-${kind}.elf.gz`]),
      options: { ...usual, ...options },
    };
  }

  #say(word: string): void {
    if (this.said.at(-1) !== word) this.said.push(word);
  }

  #board(): BoardAtPort {
    const { sim } = this;
    return {
      ...{ port, board: sim.board, clock: sim.clock },
      wake: () => sim.wake(),
      finish: () => Promise.resolve(undefined),
      open: () => (this.openError === undefined ? Promise.resolve(this.#open()) : Promise.reject(this.openError)),
    };
  }

  #open(): SerialTransport {
    if (this.isOpen) throw new FlashError("port-busy", "the port was opened twice");
    this.isOpen = true;
    this.opened++;
    const transport = this.sim.open();
    const close = transport[Symbol.asyncDispose].bind(transport);
    transport[Symbol.asyncDispose] = async () => {
      this.isOpen = false;
      await close();
    };
    return transport;
  }
}

let rejections: unknown[] = [];
const note = (reason: unknown) => rejections.push(reason);
let benches: Bench[] = [];
function bench(words?: string): Bench {
  const made = new Bench(words);
  benches.push(made);
  return made;
}
beforeEach(() => {
  rejections = [];
  process.on("unhandledRejection", note);
});
afterEach(async () => {
  await settle();
  process.off("unhandledRejection", note);
  for (const { folder } of benches) rmSync(folder, { recursive: true, force: true });
  benches = [];
  expect(rejections).toEqual([]);
});

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
  expect(await jobs.flash(port, { artifact: broken, options: usual })).toMatchObject({
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

function exposed(one: Bench) {
  const { jobs, said, clock, sim } = one;
  const request = (kind: "base" | "const", options?: Partial<EspJobOptions>) => one.request(kind, options);
  return { jobs, said, clock, sim, request, bench: one };
}
