/** The demo workspace is built by Debian's cross compiler, edited, built again, and flashed; and without a compiler it still does something. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { expect, test } from "vitest";
import { Desk, meter } from "./cli-helper.ts";

const port = ["--port", "sim:esp32c3?speed=max"];

function copyDemo(desk: Desk): string {
  const folder = desk.path("meter");
  cpSync("test/vscode/demo", folder, { recursive: true });
  mkdirSync(desk.path("meter", "prebuilt"));
  for (const file of Object.values(meter)) cpSync(file, desk.path("meter", "prebuilt", basename(file)));
  return folder;
}

/** @returns what it printed, and its exit code */
function make(folder: string, ...words: readonly string[]): { readonly text: string; readonly code: number | null } {
  const { stdout, stderr, status } = spawnSync("make", ["-C", folder, ...words], { encoding: "utf8" });
  return { text: `${stdout}${stderr}`, code: status };
}

function change(file: string, from: RegExp, to: string): void {
  const text = readFileSync(file, "utf8");
  const changed = text.replace(from, to);
  expect(changed).not.toBe(text);
  writeFileSync(file, changed);
}

/** Sources that make compiled. */
const compiled = (text: string) =>
  [...text.matchAll(/ -c (?:src|port)\/(\w+)\.c /g)].map(([, name]) => name ?? "").sort();

test("the demo is compiled by the cross compiler, and of an edit only what it changed is compiled and written", async () => {
  await using desk = new Desk();
  const folder = copyDemo(desk);
  const elf = desk.path("meter", "build", "meter.elf");

  const first = make(folder);
  expect(first).toMatchObject({ code: 0 });
  expect(first.text).not.toContain("prebuilt");
  expect(compiled(first.text)).toHaveLength(30);
  expect((await desk.flash([elf, ...port])).report).toMatchObject({
    result: "flashed",
    error: null,
    written: { sectors: 40 },
  });

  change(desk.path("meter", "src", "edit.h"), /^#define EDIT EDIT_NONE$/m, "#define EDIT EDIT_CONST");
  const edited = make(folder);
  expect(edited).toMatchObject({ code: 0 });
  expect(compiled(edited.text)).toEqual(expect.arrayContaining(["dsp", "ring", "selftest"]));
  expect(compiled(edited.text)).not.toContain("crc");
  expect((await desk.flash([elf, ...port])).report).toMatchObject({
    result: "flashed",
    error: null,
    written: { sectors: 3 },
  });

  // Not one of the prepared edits: a text of the shell.
  change(desk.path("meter", "src", "modbus.c"), /slave %ld at/, "SLAVE %ld at");
  const own = make(folder);
  expect(compiled(own.text)).toEqual(["modbus"]);
  const { report } = await desk.flash([elf, ...port]);
  expect(report).toMatchObject({ result: "flashed", error: null });
  expect(report.written.sectors).toBeGreaterThanOrEqual(2); // the text, and the image's digests
  expect(report.written.sectors).toBeLessThanOrEqual(4);
});

test("an edit that the compiler refuses fails the build and leaves the last firmware as it was", async () => {
  await using desk = new Desk();
  const folder = copyDemo(desk);
  make(folder);
  const before = readFileSync(desk.path("meter", "build", "meter.elf"));
  change(desk.path("meter", "src", "edit.h"), /^#define EDIT EDIT_NONE$/m, "#define EDIT EDIT_BROKEN");
  const broken = make(folder);
  expect(broken.code).toBe(2);
  expect(broken.text).toMatch(/src\/edit\.h:\d+:\d+: error: /);
  expect(readFileSync(desk.path("meter", "build", "meter.elf")).equals(before)).toBe(true);
});

test("without the cross compiler a prebuilt variant takes its place, and says so", async () => {
  await using desk = new Desk();
  const folder = copyDemo(desk);
  const none = "CC=no-such-compiler";
  const prebuilt = make(folder, none);
  expect(prebuilt.code).toBe(0);
  expect(prebuilt.text).toContain("took the prebuilt variant 'base'");
  const elf = desk.path("meter", "build", "meter.elf");
  expect((await desk.flash([elf, ...port])).report).toMatchObject({ result: "flashed", written: { sectors: 40 } });
  change(desk.path("meter", "src", "edit.h"), /^#define EDIT EDIT_NONE$/m, "#define EDIT EDIT_STRING");
  const other = make(folder, none);
  expect(other.code).toBe(2);
  expect(other.text).toContain("EDIT_STRING needs the compiler no-such-compiler");
});
