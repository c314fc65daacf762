import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

test("every blob is, byte for byte, what its sources make", () => {
  const { status, stderr } = spawnSync(process.execPath, ["stubs/build.mjs", "--check"], { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
});
