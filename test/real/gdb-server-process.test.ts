/** The real OpenOCD, without a chip, and the real QEMU: started as launch.json says, talked to, kept, ended. */
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { GdbServerLaunch } from "../../src/build/gdb-server-launch.ts";
import { readLaunchFile } from "../../src/build/launch-json.ts";
import { FlashError } from "../../src/core/errors.ts";
import { GdbServers } from "../../src/engine/gdb-server.ts";
import { isListening } from "../../src/engine/listening.ts";
import { systemClock } from "../../src/engine/system-clock.ts";

let folder = "";
let servers: GdbServers;
let logged: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "deltaflash-servers-"));
  logged = [];
  servers = new GdbServers({ clock: systemClock, log: (line) => void logged.push(line) });
});
afterEach(async () => {
  await servers.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Of a launch.json with this configuration of Cortex-Debug. */
async function launchOf(fields: Readonly<Record<string, unknown>>): Promise<GdbServerLaunch> {
  mkdirSync(join(folder, ".vscode"), { recursive: true });
  const configuration = { name: "Debug", type: "cortex-debug", request: "launch", ...fields };
  writeFileSync(join(folder, ".vscode/launch.json"), JSON.stringify({ configurations: [configuration] }));
  const launch = (await readLaunchFile(folder, process.env))?.servers[0]?.server;
  if (launch === undefined) throw new Error("there is no server in launch.json");
  return launch;
}

/** OpenOCD with an adapter that answers nothing, and a core that it takes for halted all the same. */
function openOcd(target = "target create sim.core arm7tdmi -chain-position sim.cpu"): Promise<GdbServerLaunch> {
  const tap = "jtag newtap sim cpu -irlen 4 -expected-id 0x4ba00477";
  writeFileSync(join(folder, "board.cfg"), `adapter driver dummy\nadapter speed 1000\n${tap}\n${target}\n`);
  return launchOf({ servertype: "openocd", configFiles: ["board.cfg"] });
}

const packet = (body: string) => {
  const sum = Buffer.from(body).reduce((total, byte) => total + byte, 0) % 256;
  return `+$${body}#${sum.toString(16).padStart(2, "0")}`;
};

/** What comes back, until it holds `wanted` or the connection ends. */
function answer(socket: Socket, body: string, wanted: RegExp): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    socket.setEncoding("latin1").on("data", (part: string) => {
      text += part;
      if (wanted.test(text)) resolve(text);
    });
    socket.once("close", () => resolve(text));
    socket.write(packet(body));
  });
}

async function client(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1").on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

test("OpenOCD of launch.json is started, answers, and is the same one for the next flash", async () => {
  const launch = await openOcd();
  const startMs = performance.now();
  const { port, origin } = await servers.at(launch);
  expect(origin).toBe("started");
  expect(performance.now() - startMs).toBeLessThan(5_000);
  const socket = await client(port);
  expect(await answer(socket, "qSupported", /PacketSize/)).toMatch(/PacketSize=4000/);
  socket.destroy();
  expect(await servers.at(await openOcd())).toEqual({ host: "127.0.0.1", port, origin: "kept" });
  await servers.close();
  expect(await isListening(port)).toBe(false);
});

test("OpenOCD that somebody else has started is attached to and survives us; its second client is turned away", async () => {
  const { port } = await servers.at(await openOcd());
  const ours = new GdbServers({ clock: systemClock, log: () => undefined });
  const external = await launchOf({ name: "Attach", servertype: "external", gdbTarget: `localhost:${port}` });
  expect(await ours.at(external)).toMatchObject({ port, origin: "foreign" });
  const debuggers = await client(port);
  await answer(debuggers, "qSupported", /PacketSize/);
  const second = await client(port);
  expect(await answer(second, "qSupported", /PacketSize/)).not.toContain("PacketSize");
  const broken = new FlashError("disconnected", "the other end closed the connection");
  const name = "gdb:launch/Attach";
  expect(await ours.explain({ port: name, launch: external, answered: false }, broken)).toMatchObject({
    code: "port-busy",
  });
  const told = await servers.explain({ port: "gdb:launch/Debug", launch: await openOcd(), answered: false }, broken);
  expect(told.message).toMatch(/takes no second client: .*rejected 'gdb' connection, no more connections allowed/);
  debuggers.destroy();
  await ours.close();
  expect(await isListening(port)).toBe(true);
});

test("OpenOCD that runs but does not reach the chip refuses every client, and no debugger is blamed for it", async () => {
  const launch = await openOcd("target create sim.core dsp563xx -chain-position sim.cpu");
  const { port } = await servers.at(launch);
  const socket = await client(port);
  await answer(socket, "qSupported", /PacketSize/);
  const broken = new FlashError("disconnected", "the other end closed the connection");
  expect(await servers.explain({ port: "gdb:launch/Debug", launch, answered: false }, broken)).toMatchObject({
    code: "disconnected",
    message: expect.stringMatching(/does not reach the chip: .*not examined yet, refuse gdb connection/) as string,
  });
});

test("OpenOCD that finds no chip: its own words are in the failure", async () => {
  const dap = "dap create sim.dap -chain-position sim.cpu";
  const launch = await openOcd(`${dap}\ntarget create sim.core cortex_m -dap sim.dap -ap-num 0`);
  const failure = await servers.at(launch).catch((error: unknown) => error as FlashError);
  expect(failure).toMatchObject({ code: "disconnected" });
  const message = failure instanceof FlashError ? failure.message : "";
  expect(message).toMatch(/^the GDB server of “Debug” \(openocd\) ended with exit code 1: .*JTAG-DP STICKY ERROR/);
});

test("OpenOCD with a configuration that is not there", async () => {
  const launch = await launchOf({ servertype: "openocd", configFiles: ["interface/no-such-probe.cfg"] });
  await expect(servers.at(launch)).rejects.toMatchObject({
    code: "disconnected",
    message: expect.stringContaining("Can't find interface/no-such-probe.cfg") as string,
  });
});

test("QEMU of launch.json, which says nothing when it listens, is found by its listening and takes one client after the other", async () => {
  const launch = await launchOf({ servertype: "qemu", machine: "microbit", cpu: "cortex-m0" });
  const { port, origin } = await servers.at(launch);
  expect(origin).toBe("started");
  for (let clients = 1; clients <= 2; clients++) {
    const socket = await client(port);
    expect(await answer(socket, "qSupported", /PacketSize/)).toMatch(/PacketSize=1000/);
    socket.destroy();
    expect(await servers.at(launch)).toMatchObject({ port, origin: "kept" });
  }
  await servers.close();
  expect(await isListening(port)).toBe(false);
});
