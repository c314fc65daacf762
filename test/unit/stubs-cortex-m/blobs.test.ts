import { describe, expect, test } from "vitest";
import { drivers, loaderHash } from "../../../stubs/cortex-m/sources.mjs";
import { buildNumber } from "../../../stubs/sources.mjs";
import { chipRows } from "../../../src/targets/gdb/chips/list.ts";
import { loadLoader } from "../../../src/targets/gdb/loader-blobs.ts";
import { readBlob } from "./machine.ts";

/** What a driver may add: the loader itself takes 1.2 KiB, and the smallest RAM is 4 KiB. */
const mostCoreBytes = 2048;
/** With its state. Above it, a chip with 16 KiB of RAM would have no room to compose a page of 4 KiB and save something. */
const mostMachineBytes = 2688;

describe.each(drivers)("cortex-m-%s", (driver) => {
  const blob = readBlob(driver);

  test("is made of the sources that stand here (npm run stubs)", () => {
    expect(blob.sourceHash).toBe(loaderHash(driver));
    expect(blob.build).toBe(buildNumber(blob.sourceHash));
  });

  test("begins with a call and the bkpt that ends it, and is small", () => {
    const code = Buffer.from(blob.code, "base64");
    expect(code.length).toBe(blob.codeBytes);
    expect(code.readUInt16LE(4)).toBe(0xbe00);
    expect([blob.coreBytes % 8, blob.codeBytes % 8, blob.stateBytes % 8]).toEqual([0, 0, 0]);
    expect(blob.coreBytes).toBeLessThanOrEqual(mostCoreBytes);
    expect(blob.codeBytes - blob.coreBytes + blob.stateBytes).toBeLessThanOrEqual(mostMachineBytes);
  });

  test("is in the bundle", async () => {
    expect((await loadLoader(driver))?.code.length).toBe(blob.codeBytes);
  });
});

test("every chip's driver is there, and programs what its row says", async () => {
  for (const { name, drivers: choices, programUnit } of chipRows) {
    for (const choice of choices) {
      const program = await loadLoader(choice.name);
      expect({ name, unit: program?.programUnit }).toEqual({ name, unit: programUnit });
    }
  }
});

test("no two drivers have one number", () => {
  const numbers = drivers.map((driver) => readBlob(driver).driverId);
  expect(new Set(numbers).size).toBe(numbers.length);
});
