/** Packing the extension, as `npm run package` does. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { Desk } from "./cli-helper.ts";

test("a package that is too large is refused and leaves nothing behind", async () => {
  await using desk = new Desk();
  const temporary = desk.path("tmp");
  mkdirSync(temporary);
  const file = desk.path("large.vsix");
  const { status, stderr } = spawnSync(process.execPath, ["tools/package.mjs", file, "1000"], {
    env: { ...process.env, TMPDIR: temporary },
    encoding: "utf8",
  });
  expect(stderr).toMatch(/^The package has \d+ bytes; 1000 are the most\.\nFind out what came in /m);
  expect(status).toBe(1);
  expect(existsSync(file)).toBe(false);
  expect(readdirSync(temporary).filter((name) => name.startsWith("deltaflash-"))).toEqual([]);
});
