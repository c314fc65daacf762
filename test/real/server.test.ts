import { afterAll, beforeAll, expect, test } from "vitest";
import type { FlashMode, FlashParams } from "../../src/server/protocol.ts";
import { Desk, meter } from "./cli-helper.ts";
import { bundleServer, Server } from "./server-helper.ts";

let bundle: Awaited<ReturnType<typeof bundleServer>>;
beforeAll(async () => void (bundle = await bundleServer()));
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

  const report = await server.request("deltaflash/flash", job(port, meter.base));
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
