import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

test("random streams under sanitizers, noise and damage included, leave the flash as a second reading of the protocol says", () => {
  const { status, stdout, stderr } = spawnSync("node", ["stubs/host/run.mjs", "10"], { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  expect(Number(/^(\d+) runs/.exec(stdout)?.[1])).toBeGreaterThan(50);
});

test("random batches for the Cortex-M loader under sanitizers write what they say, and damaged ones touch nothing beside", () => {
  const { status, stdout, stderr } = spawnSync("node", ["stubs/host/run.mjs", "--cortex-m", "5"], { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  expect(Number(/^(\d+) runs/.exec(stdout)?.[1])).toBeGreaterThan(500);
});
