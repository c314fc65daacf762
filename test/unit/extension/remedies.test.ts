import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FlashError, type FlashErrorCode } from "../../../src/core/errors.ts";
import { holdsProbe, remedyFor, wordsForEditor } from "../../../src/extension/remedies.ts";

const codes: readonly FlashErrorCode[] = [
  "cancelled",
  "board-not-found",
  "port-busy",
  "disconnected",
  "timeout",
  "protocol",
  "refused",
  "wrong-chip",
  "bad-image",
  "does-not-fit",
  "verify-failed",
];

test("every failure but a cancelled flash has a button", () => {
  expect(codes.filter((code) => remedyFor(code, "COM3") === undefined)).toEqual(["cancelled"]);
});

test("behind a debug probe no bit rate is offered", () => {
  expect(["timeout", "protocol"].map((code) => remedyFor(code as FlashErrorCode, "COM3"))).toEqual([
    "flash-slower",
    "flash-slower",
  ]);
  const server = "gdb:launch/Debug";
  expect(["timeout", "protocol"].map((code) => remedyFor(code as FlashErrorCode, server))).toEqual([
    "flash-again",
    "flash-again",
  ]);
});

test("debuggers for controllers hold a probe, others do not", () => {
  const types = ["cortex-debug", "probe-rs-debug", "gdbtarget", "stlinkgdbtarget", "jlinkgdbtarget", "stgdbtarget"];
  expect(types.filter((type) => !holdsProbe(type))).toEqual([]);
  expect(["node", "cppdbg", "debugpy", "gdb"].filter(holdsProbe)).toEqual([]);
});

test("no message speaks of the command line's options", () => {
  const said = codes.map((code) => wordsForEditor(new FlashError(code, "x").remedy));
  expect(said.filter((text) => /--|`deltaflash/.test(text))).toEqual([]);
});

test("no remedy in the sources speaks of options, but those of simulated boards", () => {
  const root = join(import.meta.dirname, "../../../src");
  const rooms = ["core", "build", "engine", "targets", "transport", "server"];
  const files = rooms.flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: "utf8" }).map((name) => join(root, room, name)),
  );
  const remedies = files
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => [...readFileSync(file, "utf8").matchAll(/remedy(?::| =)\s*(["`])(.*?)\1/g)])
    .map(([, , text = ""]) => text);
  expect(remedies.length).toBeGreaterThan(30);
  expect(remedies.map(wordsForEditor).filter((text) => text.includes("--"))).toEqual([]);
});
