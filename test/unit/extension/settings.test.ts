import { expect, test } from "vitest";
import { portOfServer, readSettings, startsServer } from "../../../src/extension/settings.ts";

const read = (values: Readonly<Record<string, unknown>>) => readSettings((key) => values[key]);

test("nothing set is no problem, and builds are offered", () => {
  const { settings, problems } = read({});
  expect(problems).toEqual([]);
  expect(settings.onBuild).toBe("offer");
  expect(settings.useStub).toBe(true);
  expect(settings.port).toBeUndefined();
});

test("what is set is taken, and spaces around words are not", () => {
  const { settings, problems } = read({ port: " COM3 ", baud: 460_800, onBuild: "flash", "monitor.timestamps": true });
  expect(problems).toEqual([]);
  expect(settings).toMatchObject({ port: "COM3", baud: 460_800, onBuild: "flash", monitorTimestamps: true });
});

test("values of the wrong type are named, and count as not set", () => {
  const { settings, problems } = read({ port: 3, baud: "fast", useStub: "yes", onBuild: "flsh", "monitor.baud": 1.5 });
  expect(problems.map(({ key, expected, found }) => `${key} should be ${expected}, but it is ${found}`)).toEqual([
    'deltaflash.onBuild should be off, offer or flash, but it is "flsh"',
    "deltaflash.port should be a text, but it is 3",
    'deltaflash.baud should be a whole number from 1200 to 12000000, but it is "fast"',
    'deltaflash.useStub should be true or false, but it is "yes"',
    "deltaflash.monitor.baud should be a whole number from 300 to 12000000, but it is 1.5",
  ]);
  expect(settings).toMatchObject({ onBuild: "offer", port: undefined, baud: undefined, useStub: true });
});

test("the GDB server is a configuration of launch.json, one that runs, or a command, and each has a port", () => {
  const wishes = [
    { launch: " Debug (OpenOCD) " },
    { port: 3333 },
    { command: "openocd", args: ["-f", "b.cfg"] },
    { command: "serve", port: 4242 },
  ];
  const settings = wishes.map((gdbServer) => read({ gdbServer }).settings.gdbServer);
  expect(settings).toEqual([
    { kind: "launch", name: "Debug (OpenOCD)" },
    { kind: "running", port: 3333 },
    { kind: "command", server: { command: "openocd", args: ["-f", "b.cfg"] } },
    { kind: "command", server: { command: "serve", args: [], port: 4242 } },
  ]);
  const ports = settings.map((wish) => (wish === undefined ? "" : portOfServer(wish)));
  expect(ports).toEqual(["gdb:launch/Debug (OpenOCD)", "gdb://127.0.0.1:3333", "gdb:settings", "gdb:settings"]);
  expect(ports.map(startsServer)).toEqual([true, false, true, true]);
});

test("a GDB server that is none is named, and counts as not set", () => {
  const wrong = [
    "openocd",
    ["openocd"],
    { command: " " },
    { port: 0 },
    { command: "a", args: "-f" },
    { launch: 3 },
    { x: 1 },
  ];
  for (const gdbServer of [...wrong, { launch: "a", command: "b" }, { command: "a", port: "3333" }]) {
    const { settings, problems } = read({ gdbServer });
    expect(settings.gdbServer).toBeUndefined();
    expect(problems.map(({ key }) => key)).toEqual(["deltaflash.gdbServer"]);
  }
  for (const gdbServer of [undefined, null, {}]) expect(read({ gdbServer }).problems).toEqual([]);
});
