/** Boards behind the GDB servers that a workspace's launch.json and the settings name, through the bundled server. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { FlashParams, GdbSources, TargetSelection } from "../../src/server/protocol.ts";
import { noise, writeElf } from "../fixtures/elf-writer.ts";
import { Desk } from "./cli-helper.ts";
import { bundleServer, Server } from "./server-helper.ts";

let bundle: ReturnType<typeof bundleServer>;
beforeAll(() => void (bundle = bundleServer()));
afterAll(() => bundle.remove());

/** A program for the flash of QEMU's microbit, 3 pages of it: a vector table, and a loop that stays where it is. */
function program(): Uint8Array {
  const data = noise(3 * 1024, 5);
  const view = new DataView(data.buffer);
  view.setUint32(0, 0x2000_1000, true);
  for (let vector = 4; vector < 0xc0; vector += 4) view.setUint32(vector, 0x101, true);
  view.setUint16(0x100, 0xe7fe, true);
  return writeElf({ machine: 40, entry: 0x101, sections: [{ name: ".text", address: 0, data, flags: 6 }] });
}

const qemu = { type: "cortex-debug", servertype: "qemu", machine: "microbit", cpu: "cortex-m0" };

function workspace(desk: Desk, configurations: readonly Readonly<Record<string, unknown>>[]): GdbSources {
  const file = desk.path("ws/.vscode/launch.json");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(desk.path("ws/fw.elf"), program());
  writeFileSync(file, JSON.stringify({ configurations }));
  return { folders: [desk.path("ws")] };
}

const job = (desk: Desk, target: TargetSelection): FlashParams => ({
  ...{ target, artifact: [desk.path("ws/fw.elf")], mode: "changed", trigger: "key" },
});

/** The processes of a name that were started below this one. */
const startedBy = (log: string) => [...log.matchAll(/started (\S+) .*\(process (\d+)\)/g)].map(([, name]) => name);

test("the configurations that name a server are ports, and say how it is started and where that stands", async () => {
  await using desk = new Desk();
  const external = { type: "cortex-debug", servertype: "external", gdbTarget: "bench:3333" };
  const unknown = { type: "cortex-debug", servertype: "openocd", configFiles: ["${command:board}"] };
  const gdb = workspace(desk, [
    { name: "Run (QEMU)", ...qemu },
    { name: "Bench", ...external },
    { name: "Board", ...unknown },
  ]);
  await using server = await Server.started(bundle.path, desk.path("state"));
  const setting = { command: "openocd", args: ["-f", "b.cfg", "-c", "gdb_port {gdbPort}"] };
  const { ports } = await server.request("deltaflash/ports", { gdb: { ...gdb, setting } });
  const served = ports.filter((port) => port.gdbServer === true);
  expect(served.map(({ port, title }) => [port, title])).toEqual([
    ["gdb:launch/Run (QEMU)", "GDB server of launch.json: Run (QEMU)"],
    ["gdb:launch/Bench", "GDB server of launch.json: Bench"],
    ["gdb:settings", "GDB server of the settings"],
  ]);
  expect(served[0]?.detail).toMatch(/^qemu-system-arm · .*launch\.json line 1 · There is no debug probe/);
  const none = await server.request("deltaflash/ports", { gdb: { folders: [] } });
  expect(none.ports.filter((port) => port.gdbServer === true)).toEqual([]);
});

test("a flash starts the server, the next one finds it, and the server's end is its end", async () => {
  await using desk = new Desk();
  const gdb = workspace(desk, [{ name: "Run (QEMU)", ...qemu }]);
  const server = await Server.started(bundle.path, desk.path("state"));
  const target = { port: "gdb:launch/Run (QEMU)", gdb };
  const first = await server.request("deltaflash/flash", job(desk, target));
  expect(first).toMatchObject({ port: "gdb:launch/Run (QEMU)", error: null, result: "flashed" });
  const second = await server.request("deltaflash/flash", job(desk, target));
  expect(second).toMatchObject({ error: null, result: "unchanged" });
  const pid = Number(/\(process (\d+)\)/.exec(JSON.stringify(server.told))?.[1]);
  expect(startedBy(JSON.stringify(server.told))).toEqual(["qemu-system-arm"]);
  await server.stop();
  expect(() => process.kill(pid, 0)).toThrow();
  await server[Symbol.asyncDispose]();
});

test("a name that is not there, and a server that does not start, are said in the report", async () => {
  await using desk = new Desk();
  const broken = { name: "Debug", type: "cortex-debug", servertype: "openocd", configFiles: ["no-such.cfg"] };
  const gdb = workspace(desk, [broken]);
  await using server = await Server.started(bundle.path, desk.path("state"));
  const missing = await server.request("deltaflash/flash", job(desk, { port: "gdb:launch/Flash", gdb }));
  expect(missing.error).toMatchObject({
    code: "board-not-found",
    message: "launch.json has no debug configuration “Flash”; there are “Debug”",
  });
  const dead = await server.request("deltaflash/flash", job(desk, { port: "gdb:launch/Debug", gdb }));
  expect(dead.error).toMatchObject({
    code: "disconnected",
    message: expect.stringContaining("Can't find no-such.cfg") as string,
  });
});
