/** What the user waits for us, not for the board: from the end of a build to the first byte on the wire, and how free the server stays. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { FlashParams } from "../../src/server/protocol.ts";
import { pseudoFirmware } from "../sim/rig.ts";
import { Desk, meter } from "./cli-helper.ts";
import { bundleServer, Server } from "./server-helper.ts";

let bundle: ReturnType<typeof bundleServer>;
beforeAll(() => void (bundle = bundleServer()));
afterAll(() => bundle.remove());

const served = ["esp32c3", "--factory", "--listen", "rfc2217://127.0.0.1:0", "--speed", "10x"];

interface Wire extends Disposable {
  readonly address: string;
  /** When each piece for the board came by. */
  readonly sentMs: readonly number[];
}

/** Stands between the server and a board, and notes when something is sent. */
async function wireTo(address: string): Promise<Wire> {
  const board = new URL(address.replace("rfc2217:", "http:"));
  const sentMs: number[] = [];
  const proxy = createServer((client) => {
    const far = connect(Number(board.port), board.hostname);
    client.on("data", () => sentMs.push(performance.now()));
    client.setNoDelay(true).pipe(far.setNoDelay(true)).pipe(client);
    for (const socket of [client, far])
      socket.on("error", () => undefined).on("close", () => (far.destroy(), client.destroy()));
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const { port } = proxy.address() as AddressInfo;
  return { address: `rfc2217://127.0.0.1:${port}`, sentMs, [Symbol.dispose]: () => void proxy.close() };
}

const job = (port: string, artifact: string): FlashParams => ({
  ...{ target: { port }, artifact: [artifact], mode: "changed", trigger: "task" },
});
const best = (times: readonly number[]) => Math.min(...times);
const inWords = (times: readonly number[]) => times.map((ms) => ms.toFixed(0)).join(", ");

test("from the end of the build to the first byte on the wire it takes less than 100 ms when the board was connected before", async () => {
  await using desk = new Desk();
  const sim = await desk.sim(served);
  using wire = await wireTo(sim.address);
  await using server = await Server.started(bundle.path, desk.path("state"));
  const port = wire.address;
  const elf = desk.path("build", "meter.elf");
  mkdirSync(desk.path("build"));
  const project = { id: "plain:x", system: "plain", title: "x", artifact: [elf], watch: [elf], reasons: [] };
  const fromRequest: number[] = [];
  const fromBuild: number[] = [];
  for (const kind of ["base", "const", "base"] as const) {
    const ready = server.of("deltaflash/state").filter(({ state }) => state.kind === "ready").length;
    const completed = server.of("deltaflash/buildCompleted").length;
    if (completed === 0) {
      writeFileSync(elf, "not linked yet");
      await server.request("deltaflash/watch", { projects: [project] });
    }
    await server.request("deltaflash/prepare", { target: { port } });
    await server.until(
      () => server.of("deltaflash/state").filter(({ state }) => state.kind === "ready").length > ready,
    );
    writeFileSync(elf, gunzipSync(readFileSync(meter[kind])));
    const builtMs = performance.now();
    await server.request("deltaflash/hint", { project: "plain:x", source: "task", exitCode: 0 });
    await server.until(() => server.of("deltaflash/buildCompleted").length > completed);
    const askedMs = performance.now();
    const report = await server.request("deltaflash/flash", job(port, elf));
    expect(report).toMatchObject({ result: "flashed", error: null });
    const firstMs = wire.sentMs.find((ms) => ms >= builtMs) ?? Infinity;
    fromRequest.push(firstMs - askedMs);
    fromBuild.push(firstMs - builtMs);
  }
  console.log(
    `      first byte on the wire ${inWords(fromRequest)} ms after the request, ${inWords(fromBuild)} ms after the build`,
  );
  expect(best(fromRequest)).toBeGreaterThan(0);
  expect(best(fromRequest)).toBeLessThan(100);
});

/** Loaded into the server before everything else: at every SIGUSR2 it writes down how late the timers were since the last one. */
const probe = `
const { monitorEventLoopDelay } = require("node:perf_hooks");
const { writeFileSync } = require("node:fs");
const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
let round = 0;
process.on("SIGUSR2", () => {
  writeFileSync(__filename + "." + round++, JSON.stringify({ p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 }));
  delay.reset();
});
`;

interface Lateness {
  readonly p99: number;
  readonly max: number;
}

test("a flash of 4 MiB leaves the server free to answer: its event loop is less than 20 ms late in 99 of 100 cases", async () => {
  await using desk = new Desk();
  const sim = await desk.sim(served);
  const hook = desk.path("probe.cjs");
  writeFileSync(hook, probe);
  const image = desk.path("image.bin");
  writeFileSync(image, pseudoFirmware(4 * 1024 * 1024, 1));
  await using server = await Server.started(bundle.path, desk.path("state"), { nodeOptions: `--require ${hook}` });
  const lateness = async (round: number): Promise<Lateness> => {
    server.nudge("SIGUSR2");
    await expect.poll(() => existsSync(`${hook}.${round}`)).toBe(true);
    return JSON.parse(readFileSync(`${hook}.${round}`, "utf8")) as Lateness;
  };
  const rounds: Lateness[] = [];
  const isFree = () => rounds.some(({ p99 }) => p99 < 20);
  await lateness(0);
  // Whatever else this machine does makes timers late too: the best of three rounds is the server's own.
  while (!isFree() && rounds.length < 3) {
    const params = { ...job(sim.address, `0x0:${image}`), mode: "full" } as const;
    const report = await server.ask("deltaflash/flash", params, 90_000);
    expect(report).toMatchObject({ result: "flashed", error: null });
    rounds.push(await lateness(rounds.length + 1));
  }
  const words = rounds.map(({ p99, max }) => `p99 ${p99.toFixed(1)} ms, longest ${max.toFixed(1)} ms`);
  console.log(`      event loop delay while 4 MiB are flashed: ${words.join("; ")}`);
  expect(isFree()).toBe(true);
});
