/** How long the user waits for us: from the key to the server, and from the end of the build to the flash. */
import { equal, ok } from "node:assert/strict";
import { ChildProcess } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "mocha";
import { commands, tasks } from "vscode";
import { writeElf } from "../../fixtures/elf-writer.ts";
import type { DeltaflashApi } from "../../../src/extension/api.ts";
import { deltaflash, edit, errorsDuring, fastPort, next, set, workspaceFolder } from "./helpers.ts";

const RISCV = 243;

describe("speed", () => {
  let api: DeltaflashApi;

  before(async () => {
    api = await deltaflash();
    await set("port", fastPort);
    edit("NONE");
    await api.flash({ build: true });
  });

  it("asks the server to connect within 30 ms of the key, and to flash within 100 ms of the build's end", async () => {
    edit("CONST");
    const sent = messagesSent();
    let builtAt = 0;
    const listener = tasks.onDidEndTaskProcess(() => (builtAt = performance.now()));
    const pressedAt = performance.now();
    const done = next(api.onDidFlash);
    await commands.executeCommand("deltaflash.flash");
    equal((await done).report.error, null);
    listener.dispose();
    const messages = sent.stop();
    const prepareMs = (messages.get("deltaflash/prepare") ?? Infinity) - pressedAt;
    const flashMs = (messages.get("deltaflash/flash") ?? Infinity) - builtAt;
    console.log(`      key to server ${prepareMs.toFixed(1)} ms, build end to flash request ${flashMs.toFixed(1)} ms`);
    ok(prepareMs < 30, `${prepareMs} ms`);
    ok(flashMs < 100, `${flashMs} ms`);
  });
});

describe("Load to RAM and Run", () => {
  it("runs a program that is linked for RAM", async () => {
    const api = await deltaflash();
    const file = join(workspaceFolder(), "ram.elf");
    const code = { name: ".iram0.text", address: 0x40380000, data: new Uint8Array(512).fill(0x13) };
    writeFileSync(file, writeElf({ machine: RISCV, entry: code.address, sections: [code] }));
    const report = await api.flash({ artifact: [file], mode: "ram" });
    equal(report.result, "loaded", report.error?.message ?? "");
  });

  it("says that firmware for the flash is none, without words of the command line", async () => {
    const errors = await errorsDuring(async () => commands.executeCommand("deltaflash.loadRam"));
    equal(errors.length, 1);
    ok(/is no RAM program/.test(errors[0] ?? "") && !errors[0]?.includes("--"), errors[0] ?? "");
  });
});

/** When each message was first sent to the server, by `performance.now()`. The test sends nothing: it looks at what passes. */
function messagesSent(): { stop(): ReadonlyMap<string, number> } {
  const times = new Map<string, number>();
  const handles = (process as unknown as { _getActiveHandles(): readonly unknown[] })._getActiveHandles();
  const children = handles.filter(
    (handle) => handle instanceof ChildProcess && handle.spawnargs.join().includes("server.cjs"),
  );
  const [server] = children as ChildProcess[];
  if (server === undefined) throw new Error("the server is not among the handles of this process");
  const send = server.send.bind(server) as (...args: unknown[]) => boolean;
  server.send = (...args: unknown[]) => {
    const { method } = args[0] as { method?: string };
    if (method !== undefined && !times.has(method)) times.set(method, performance.now());
    return send(...args);
  };
  return {
    stop: () => {
      server.send = send;
      return times;
    },
  };
}
