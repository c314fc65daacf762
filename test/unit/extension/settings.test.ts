import { expect, test } from "vitest";
import { readSettings } from "../../../src/extension/settings.ts";

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
