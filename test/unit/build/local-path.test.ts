import { describe, expect, test } from "vitest";
import { isInside, localPath } from "../../../src/build/local-path.ts";
import { buildFolder } from "../../fixtures/build-folder.ts";

describe.skipIf(process.platform === "win32")("paths that a build wrote down elsewhere", () => {
  test.each([
    ["app.bin", "app.bin"],
    ["sub\\app.bin", "sub/app.bin"],
    ["C:\\ws\\build\\sub\\app.bin", "sub/app.bin"],
    ["C:/ws/build/sub/app.bin", "sub/app.bin"],
    ["\\\\server\\share\\build\\sub\\app.bin", "sub/app.bin"],
    ["/workspaces/other/build/sub/app.bin", "sub/app.bin"],
    ["C:\\ws\\build\\gone.bin", "gone.bin"],
  ])("%s", async (written, expected) => {
    using folder = buildFolder();
    folder.put("sub/app.bin", "x");
    expect(await localPath(folder.path, written)).toBe(folder.at(expected));
  });

  test("what is there, and what is nowhere, stays as written", async () => {
    using folder = buildFolder();
    using other = buildFolder();
    const there = other.put("a.bin", "x");
    folder.put("a.bin", "y");
    expect(await localPath(folder.path, there)).toBe(there);
    expect(await localPath(folder.path, "/nowhere/b.bin")).toBe("/nowhere/b.bin");
  });
});

test("inside a folder", () => {
  expect(["/a", "/a/b", "/a/..b", "/ab", "/", "/c"].map((path) => isInside("/a", path))).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
});
