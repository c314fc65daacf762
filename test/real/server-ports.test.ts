/** Ports that are taken, that vanish, that belong to nobody; and a program that runs from RAM. */
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { FlashParams } from "../../src/server/protocol.ts";
import { noise, writeElf } from "../fixtures/elf-writer.ts";
import { Desk, meter } from "./cli-helper.ts";
import { runPython } from "./pyserial.ts";
import { bundleServer, Server } from "./server-helper.ts";

let bundle: ReturnType<typeof bundleServer>;
beforeAll(() => void (bundle = bundleServer()));
afterAll(() => bundle.remove());

const start = (desk: Desk) => Server.started(bundle.path, desk.path("state"));
const job = (port: string, artifact: string = meter.base): FlashParams => ({
  ...{ target: { port }, artifact: [artifact], mode: "changed", trigger: "key" },
});

/** Opens the port as terminal programs do, exclusively, and keeps it. */
const holdPort = `
import sys, time, serial
port = serial.Serial(sys.argv[1], 115200, exclusive=True)
print("held")
time.sleep(60)
`;

test("a port that another program holds: the failure names the program and its process, in report, state and monitor", async () => {
  await using desk = new Desk();
  const sim = await desk.sim(["esp32c3", "--factory", "--listen", "pty", "--speed", "10x"]);
  await using server = await start(desk);
  const port = sim.address;
  {
    await using holder = runPython(holdPort, port);
    expect(await holder.line()).toBe("held");
    const { error } = await server.request("deltaflash/flash", job(port));
    const program = new RegExp(`^${port} is open in .*python3.* \\(process ${holder.pid ?? 0}\\)$`);
    expect(error).toMatchObject({ code: "port-busy", message: expect.stringMatching(program) as string });
    expect(error?.remedy).toMatch(
      new RegExp(`^Close .*python3.* \\(process ${holder.pid ?? 0}\\), then flash again\\.$`),
    );
    expect(server.of("deltaflash/state").at(-1)?.state).toMatchObject({ kind: "failed", code: "port-busy" });
    expect(server.of("deltaflash/report")[0]?.report.error?.message).toMatch(program);

    await server.request("deltaflash/monitor/open", { port, baud: 115_200 });
    await server.until(() => server.of("deltaflash/monitor/state").length > 0);
    const [monitor] = server.of("deltaflash/monitor/state");
    expect(monitor).toMatchObject({ state: "reconnecting", detail: expect.stringMatching(program) as string });
    await server.request("deltaflash/monitor/close", { port });
  }
  expect(await server.request("deltaflash/flash", job(port))).toMatchObject({ result: "flashed", error: null });
});

test("a board that is pulled out in the middle: the failure says where, and the next flash completes it", async () => {
  await using desk = new Desk();
  const file = desk.path("flash.bin");
  await using server = await start(desk);
  const pulled = await desk.sim([
    "esp32c3",
    "--factory",
    "--flash",
    file,
    "--listen",
    "rfc2217://127.0.0.1:0",
    "--fault",
    "unplug@in:60000",
  ]);
  const { error } = await server.request("deltaflash/flash", job(pulled.address));
  expect(error?.code).toBe("disconnected");
  expect(error?.message).toContain(pulled.address);
  expect(error?.remedy).toContain("Plug the board in again");
  await pulled.stop();
  const gone = await server.request("deltaflash/flash", job(pulled.address));
  expect(gone.error).toMatchObject({
    code: "board-not-found",
    message: expect.stringContaining(pulled.address) as string,
  });

  const sim = await desk.sim(["esp32c3", "--flash", file, "--listen", "rfc2217://127.0.0.1:0", "--speed", "10x"]);
  const report = await server.request("deltaflash/flash", job(sim.address));
  expect(report).toMatchObject({ result: "flashed", error: null });
  expect(report.notes.join()).toContain("An earlier flash was cut short");
});

test("a program for the RAM is loaded, runs, and is heard in the monitor from its first word on", async () => {
  await using desk = new Desk();
  const sim = await desk.sim(["esp32c3", "--factory", "--listen", "rfc2217://127.0.0.1:0", "--speed", "10x"]);
  await using server = await start(desk);
  const port = sim.address;
  const elf = desk.path("blink.elf");
  const code = { name: ".text", address: 0x4038_0000, data: noise(8_000, 1), flags: 6 };
  writeFileSync(elf, writeElf({ machine: 243, entry: 0x4038_0000, sections: [code] }));
  await server.request("deltaflash/monitor/open", { port, baud: 115_200 });
  await server.until(() => server.of("deltaflash/monitor/state").some(({ state }) => state === "open"));
  const report = await server.request("deltaflash/flash", { ...job(port, elf), mode: "ram" });
  expect(report).toMatchObject({ result: "loaded", error: null, chip: "esp32c3", image: { bytes: 8_000 } });
  expect(report.notes).toEqual(["7.8 KiB run from RAM at 0x40380000; a reset starts the program in the flash again."]);
  expect(report.spans.map(({ phase }) => phase)).toContain("load");
  await server.until(() => server.monitorText.includes("ram: running at 0x40380000\r\n"));
  expect(server.monitorText).toMatch(/^ram: running/m);
  expect(server.of("deltaflash/monitor/state").map(({ state }) => state)).toEqual(["open", "paused", "open"]);
  const kinds = server.of("deltaflash/state").map(({ state }) => state.kind);
  expect(kinds.at(-1)).toBe("done");

  // Nothing was written: the flash still holds what it held, and can be flashed at once.
  expect(await server.request("deltaflash/flash", job(port))).toMatchObject({ result: "flashed", error: null });
});
