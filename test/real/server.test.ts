import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadArtifact } from "../../src/build/load.ts";
import type { FlashMode, FlashParams } from "../../src/server/protocol.ts";
import { elfToAppImage } from "../../src/targets/esp/elf-to-image.ts";
import { Desk, meter, type Sim } from "./cli-helper.ts";
import { bundleServer, Server } from "./server-helper.ts";

let bundle: ReturnType<typeof bundleServer>;
beforeAll(() => void (bundle = bundleServer()));
afterAll(() => bundle.remove());

const served = ["esp32c3", "--factory", "--listen", "rfc2217://127.0.0.1:0"];

function job(port: string, artifact: string, mode: FlashMode = "changed"): FlashParams {
  return { target: { port }, artifact: [artifact], mode, trigger: "key" };
}

const start = (desk: Desk) => Server.started(bundle.path, desk.path("state"));

test("connects ahead, flashes without connecting again, and keeps the report", async () => {
  await using desk = new Desk();
  const sim = await desk.sim([...served, "--speed", "10x"]);
  await using server = await start(desk);
  const { address: port } = sim;
  await server.request("deltaflash/prepare", { target: { port } });
  await server.until(() => server.of("deltaflash/state").some(({ state }) => state.kind === "ready"));

  const flash = server.request("deltaflash/flash", job(port, meter.base));
  await server.until(() => server.of("deltaflash/state").some(({ state }) => state.kind === "working"));
  const report = await flash;
  expect(report).toMatchObject({ result: "flashed", error: null, chip: "esp32c3", port });
  const connectMs = report.spans.reduce((sum, span) => sum + (span.phase === "connect" ? span.durationMs : 0), 0);
  expect(connectMs).toBeLessThan(20);

  const kinds = server.of("deltaflash/state").map(({ state }) => state.kind);
  expect(kinds.filter((kind, index) => kind !== kinds[index - 1])).toEqual(["connecting", "ready", "working", "done"]);
  const { reports } = await server.request("deltaflash/reports", { identity: report.identity, limit: 10 });
  expect(reports).toEqual(server.of("deltaflash/report"));
  expect(reports[0]).toMatchObject({ trigger: "key", artifact: [meter.base], report });

  const again = await server.request("deltaflash/flash", job(port, meter.base));
  expect(again).toMatchObject({ result: "unchanged", error: null });
  expect(await server.stop()).toBeLessThan(1_500);
});

const appImage = async () => {
  const artifact = await loadArtifact([meter.base]);
  if (artifact.kind !== "elf") throw new Error("the fixture is an ELF file");
  return elfToAppImage(artifact.elf, "esp32c3", { elfSha256: Buffer.from(artifact.elfSha256, "hex") });
};

/** What stands in a simulated board's flash chip after it was stopped. */
async function flashOf(sim: Sim, file: string): Promise<Buffer> {
  await sim.stop();
  return readFileSync(file);
}

const isWriting = (server: Server) =>
  server.of("deltaflash/state").some(({ state }) => state.kind === "working" && (state.percent ?? 0) > 5);

test("of two flashes in quick succession the newer wins, and the board holds it", async () => {
  await using desk = new Desk();
  const file = desk.path("flash.bin");
  const sim = await desk.sim([...served, "--flash", file]);
  await using server = await start(desk);
  const port = sim.address;
  const older = server.request("deltaflash/flash", job(port, meter.const));
  await server.until(() => server.of("deltaflash/state").length > 0);
  const newer = server.request("deltaflash/flash", job(port, meter.base));
  expect((await older).error).toMatchObject({
    code: "cancelled",
    message: "a newer flash of the same board has taken its place",
  });
  expect(await newer).toMatchObject({ result: "flashed", error: null });
  const app = await appImage();
  expect((await flashOf(sim, file)).subarray(0x10000, 0x10000 + app.length).equals(app)).toBe(true);
});

test("a flash that writes already is not torn by a newer one, which then runs", async () => {
  await using desk = new Desk();
  const file = desk.path("flash.bin");
  const sim = await desk.sim([...served, "--flash", file]);
  await using server = await start(desk);
  const port = sim.address;
  const first = server.request("deltaflash/flash", job(port, meter.const));
  await server.until(() => isWriting(server));
  const second = server.request("deltaflash/flash", job(port, meter.const));
  const third = server.request("deltaflash/flash", job(port, meter.base));
  expect((await second).error?.code).toBe("cancelled");
  expect(["flashed", "failed"]).toContain((await first).result);
  expect(await third).toMatchObject({ result: "flashed", error: null });
  const app = await appImage();
  expect((await flashOf(sim, file)).subarray(0x10000, 0x10000 + app.length).equals(app)).toBe(true);
});

test("a flash is cancelled while it writes, and the next one completes it", async () => {
  await using desk = new Desk();
  const sim = await desk.sim([...served]);
  await using server = await start(desk);
  const port = sim.address;
  const flash = server.request("deltaflash/flash", job(port, meter.base));
  await server.until(() => isWriting(server));
  await server.request("deltaflash/cancel", { port });
  expect(await flash).toMatchObject({ result: "failed", error: { code: "cancelled" } });
  expect(server.of("deltaflash/state").at(-1)?.state).toMatchObject({ kind: "failed", code: "cancelled" });
  const again = await server.request("deltaflash/flash", job(port, meter.base));
  expect(again).toMatchObject({ result: "flashed", error: null });
  expect(again.notes.join()).toContain("An earlier flash was cut short");
});

test("the monitor gives its port to a flash and hears the new program from its first line", async () => {
  await using desk = new Desk();
  const sim = await desk.sim([...served, "--speed", "10x"]);
  await using server = await start(desk);
  const port = sim.address;
  const logFile = desk.path("monitor.log");
  await server.request("deltaflash/monitor/open", { port, baud: 115_200, logFile });
  await server.until(() => server.of("deltaflash/monitor/state").some(({ state }) => state === "open"));
  await server.request("deltaflash/prepare", { target: { port } });
  expect(await server.request("deltaflash/flash", job(port, meter.base))).toMatchObject({ result: "flashed" });
  await server.until(() => server.monitorText.includes('running "meter"'));
  expect(server.monitorText).toMatch(/^ESP-ROM:esp32c3/);
  expect(server.monitorText).not.toContain("\ufffd");
  expect(server.of("deltaflash/monitor/state").map(({ state }) => state)).toEqual(["open", "paused", "open"]);
  await server.request("deltaflash/monitor/write", { port, text: "help\r\n" });
  await server.request("deltaflash/monitor/close", { port });
  expect(readFileSync(logFile, "utf8")).toBe(server.monitorText);
  await expect(server.request("deltaflash/monitor/write", { port, text: "x" })).rejects.toThrow("there is no monitor");
});

test("a server that is killed while it writes leaves a journal, and a new one repairs the board", async () => {
  await using desk = new Desk();
  const file = desk.path("flash.bin");
  const sim = await desk.sim([...served, "--flash", file]);
  const port = sim.address;
  {
    await using server = await start(desk);
    const flash = server.request("deltaflash/flash", job(port, meter.base));
    flash.catch(() => undefined); // nobody answers any more
    await server.until(() => isWriting(server));
    await server.kill();
  }
  await using server = await start(desk);
  const repaired = await server.request("deltaflash/flash", job(port, meter.base));
  expect(repaired).toMatchObject({ result: "flashed", error: null });
  expect(repaired.notes.join()).toContain("An earlier flash was cut short");
  const app = await appImage();
  expect((await flashOf(sim, file)).subarray(0x10000, 0x10000 + app.length).equals(app)).toBe(true);
});

test("closing the editor during a flash ends it in time and frees the port", async () => {
  await using desk = new Desk();
  const sim = await desk.sim([...served]);
  const port = sim.address;
  {
    await using server = await start(desk);
    const big = desk.path("big.bin");
    writeFileSync(big, randomBytes(1024 * 1024)); // takes 12 s at 921600 baud
    const flash = server.request("deltaflash/flash", job(port, `0x100000:${big}`));
    await server.until(() => isWriting(server));
    expect(await server.stop()).toBeLessThan(1_500);
    expect(await flash).toMatchObject({ result: "failed", error: { code: "cancelled" } });
    expect(await server.ended).toBe(0);
  }
  await using server = await start(desk);
  expect(await server.request("deltaflash/flash", job(port, meter.base))).toMatchObject({ error: null });
});

test("a simulated board in the server: ports, plan, flash, changed symbols, unchanged plan", async () => {
  await using desk = new Desk();
  await using server = await start(desk);
  const port = "sim:esp32c3?speed=max";
  const { ports } = await server.request("deltaflash/ports", {});
  expect(ports).toContainEqual(
    expect.objectContaining({ port: "sim:esp32c3", title: "ESP32-C3 board with a USB bridge", simulated: true }),
  );
  const ask = (artifact: string) =>
    server.request("deltaflash/plan", { target: { port, chip: "esp32c3" }, artifact: [artifact] });
  expect(await ask(meter.base)).toMatchObject({ boardKnown: false, changed: [] });

  const flashed = await server.request("deltaflash/flash", job(port, meter.base));
  expect(flashed).toMatchObject({ result: "flashed", board: "esp32c3-sim" });
  expect(await ask(meter.base)).toMatchObject({ boardKnown: true, sectorsToWrite: 0, runs: [], changed: [] });

  const plan = await ask(meter.const);
  const changed = await server.request("deltaflash/flash", job(port, meter.const));
  expect(plan.sectorsToWrite).toBe(changed.written.sectors);
  expect(plan.estimateMs).toBeLessThan(plan.fullEstimateMs);
  expect(plan.changed.some((item) => item.kind === "section")).toBe(true);
  expect(plan.changed.some((item) => item.kind === "symbol")).toBe(true);
});

test("what cannot be flashed is a report with a remedy, whatever was asked", async () => {
  await using desk = new Desk();
  await using server = await start(desk);
  const codeOf = async (params: unknown) =>
    (await server.request("deltaflash/flash", params as FlashParams)).error?.code ?? "none";
  expect(await codeOf(job("sim:esp32c3", desk.path("missing.elf")))).toBe("bad-image");
  expect(await codeOf(job("sim:no-such-board", meter.base))).toBe("board-not-found");
  expect(await codeOf(job("tcp://127.0.0.1:1", meter.base))).toBe("board-not-found");
  expect(await codeOf({ ...job("sim:esp32c3", meter.base), target: { port: 5 } })).toBe("refused");
  expect(await codeOf({ ...job("sim:esp32c3", meter.base), target: { port: "sim:esp32c3", baud: "fast" } })).toBe(
    "refused",
  );
  expect(await codeOf({})).toBe("refused");
  expect(
    await codeOf({
      ...job("sim:esp32c3?speed=max", meter.base),
      target: { port: "sim:esp32c3?speed=max", chip: "esp32s3" },
    }),
  ).toBe("wrong-chip");
});

test("a build that ends is told once, with what told it", async () => {
  await using desk = new Desk();
  await using server = await start(desk);
  const elf = desk.path("build", "meter.elf");
  mkdirSync(desk.path("build"));
  writeFileSync(elf, gunzipSync(readFileSync(meter.base)));
  const project = { id: "plain:x", system: "plain", title: "x", artifact: [elf], watch: [elf], reasons: [] };
  await server.request("deltaflash/watch", { projects: [project] });
  writeFileSync(elf, gunzipSync(readFileSync(meter.const)));
  await server.request("deltaflash/hint", { project: "plain:x", source: "task", exitCode: 0 });
  await server.until(() => server.of("deltaflash/buildCompleted").length > 0);
  const [build] = server.of("deltaflash/buildCompleted");
  expect(build).toMatchObject({ project: "plain:x", exitCode: 0, changed: true });
  expect([...(build?.sources ?? [])].sort()).toEqual(["task", "watcher"]);
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  expect(server.of("deltaflash/buildCompleted")).toHaveLength(1);
});

test("over a serial port, with the native parts that ship", async () => {
  await using desk = new Desk();
  const sim = await desk.sim(["esp32c3", "--factory", "--listen", "pty"]);
  await using server = await start(desk);
  const report = await server.request("deltaflash/flash", job(sim.address, meter.base));
  expect(report).toMatchObject({ result: "flashed", error: null });
  expect(await server.stop()).toBeLessThan(1_500);
});

test("a simulated board boots into its monitor in real time, and the command line finds what was flashed", async () => {
  await using desk = new Desk();
  await using server = await start(desk);
  const port = "sim:esp32c3";
  await server.request("deltaflash/monitor/open", { port, baud: 115_200 });
  expect(await server.request("deltaflash/flash", job(port, meter.base))).toMatchObject({ result: "flashed" });
  await server.until(() => server.monitorText.includes('running "meter"'));
  expect(server.monitorText).toMatch(/^ESP-ROM:esp32c3/);
  const { report } = await desk.flash([meter.base, "--port", "sim:esp32c3?speed=max"]);
  expect(report.result).toBe("unchanged");
});

test("a project is found, watched, planned and flashed by what the discovery says", async () => {
  await using desk = new Desk();
  await using server = await start(desk);
  mkdirSync(desk.path("ws", "build"), { recursive: true });
  writeFileSync(desk.path("ws", "Makefile"), "all:\n");
  writeFileSync(desk.path("ws", "build", "meter.elf"), gunzipSync(readFileSync(meter.base)));
  const { projects } = await server.request("deltaflash/discover", { folders: [desk.path("ws")] });
  const [project] = projects;
  if (project === undefined) throw new Error("no project was found");
  await server.request("deltaflash/watch", { projects });
  const target = { port: "sim:esp32c3?speed=max", chip: "esp32c3" };
  const plan = await server.request("deltaflash/plan", { target, artifact: project.artifact });
  expect(plan.sectorsToWrite).toBeGreaterThan(0);
  const params = { target, artifact: project.artifact, mode: "changed", trigger: "button" } as const;
  expect(await server.request("deltaflash/flash", params)).toMatchObject({ result: "flashed", error: null });
});
