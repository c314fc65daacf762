/** The task type, the server's crash, and what a large flash costs the editor. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { before, describe, it } from "mocha";
import { commands, extensions, tasks } from "vscode";
import type { DeltaflashApi } from "../../../src/extension/api.ts";
import {
  deltaflash,
  edit,
  errorsDuring,
  fastPort,
  next,
  runTask,
  set,
  summary,
  taskNamed,
  until,
  workspaceFolder,
} from "./helpers.ts";

describe("task type deltaflash", () => {
  before(async () => {
    const api = await deltaflash();
    await set("port", fastPort);
    edit("NONE");
    await api.flash({ build: true });
  });

  it("offers flashing as tasks", async () => {
    const names = (await tasks.fetchTasks({ type: "deltaflash" })).map((task) => task.name).sort();
    deepEqual(names, ["build and flash", "flash", "flash everything", "load to RAM"]);
  });

  it("ends with the exit codes of the command line", async () => {
    addTasks([
      { label: "changed", mode: "changed" },
      { label: "planned", mode: "plan" },
      { label: "nowhere", mode: "changed", port: "sim:nothing" },
      { label: "nothing", mode: "changed", artifact: join(workspaceFolder(), "nothing.elf") },
    ]);
    const run = async (label: string) => runTask(await taskNamed(label));
    equal(await run("changed"), 0);
    equal(await run("planned"), 0);
    equal(await run("nowhere"), 1);
    equal(await run("nothing"), 1);
  });
});

describe("the server", () => {
  let api: DeltaflashApi;
  before(async () => (api = await deltaflash()));

  it("is started again after a crash, and flashes", async () => {
    const [first] = serverProcesses();
    ok(first !== undefined);
    process.kill(first, "SIGKILL");
    await until("another server", () => serverProcesses().some((pid) => pid !== first));
    equal((await api.flash()).error, null);
    equal(serverProcesses().length, 1);
  });

  it("says once that it ended in the middle of a flash, and flashes again on the button", async () => {
    await set("port", "sim:esp32c3");
    const pressed = { again: false };
    const errors = await errorsDuring(async () => {
      const flash = commands.executeCommand("deltaflash.flashFull");
      await new Promise((resolve) => setTimeout(resolve, 300));
      const [pid, ...more] = serverProcesses();
      if (pid === undefined || more.length > 0) throw new Error("there is not one server");
      process.kill(pid, "SIGKILL");
      const done = next(api.onDidFlash);
      await flash;
      await done;
      pressed.again = true;
    }, "Flash Again");
    await set("port", fastPort);
    equal(errors.length, 1);
    ok(pressed.again);
    ok(/\[Flash Again\]$/.test(errors[0] ?? ""), errors[0] ?? "");
  });
});

describe("the editor", () => {
  it("stays quick while 3 MiB are flashed", async () => {
    const api = await deltaflash();
    const file = join(workspaceFolder(), "large.bin");
    writeFileSync(file, randomBytes(3 * 1024 * 1024));
    const resolution = 5; // ms, part of every value
    const delay = monitorEventLoopDelay({ resolution });
    delay.enable();
    const report = await api.flash({ artifact: [`0x100000:${file}`], mode: "full", port: fastPort });
    delay.disable();
    equal(summary({ at: 0, trigger: "api", artifact: [], report }).startsWith("api: flashed"), true);
    const p99 = delay.percentile(99) / 1e6 - resolution;
    console.log(`      event loop delay while flashing: p99 ${p99.toFixed(1)} ms`);
    ok(p99 < 20, `p99 ${p99} ms`);
  });

  it("has every command of package.json, and no other of ours", async () => {
    const { contributes } = extensions.getExtension("deltaflash.deltaflash")?.packageJSON as {
      contributes: { commands: { command: string }[] };
    };
    const declared = contributes.commands.map(({ command }) => command).sort();
    const there = (await commands.getCommands(true)).filter((name) => /^deltaflash\.[a-zA-Z]+$/.test(name)).sort();
    deepEqual(there, declared);
  });
});

/** Beside those of the demo. */
function addTasks(more: readonly object[]): void {
  const file = join(workspaceFolder(), ".vscode/tasks.json");
  const settings = JSON.parse(readFileSync(file, "utf8")) as { tasks: object[] };
  settings.tasks.push(...more.map((one) => ({ type: "deltaflash", ...one })));
  writeFileSync(file, JSON.stringify(settings));
}

/** Processes of this extension host that run our server. */
function serverProcesses(): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const parent = Number(/\) \S (\d+) /.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1]);
        return parent === process.pid && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("server.cjs");
      } catch {
        return false; // it ended while we looked
      }
    });
}
