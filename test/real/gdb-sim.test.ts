/**
 * `deltaflash sim` as a GDB server, judged by a GDB that is not ours: it loads, compares, stops at main and goes on. The firmware is
 * compiled here, from test/fixtures/cortex-m-sim.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CortexCounters } from "../../src/sim/cortex-m/cortex-board.ts";
import { Desk, ended } from "./cli-helper.ts";

const sources = "test/fixtures/cortex-m-sim";
const boards = [
  { board: "nrf51", vectors: 0 },
  { board: "stm32f4", vectors: 0x0800_0000 },
  { board: "stm32f767", vectors: 0x0800_0000 },
  { board: "rp2040", vectors: 0x1000_0100 },
];
const compiler = "arm-none-eabi-gcc";
const debuggerName = "gdb-multiarch";
const missing = [compiler, debuggerName].filter((name) => spawnSync(name, ["--version"]).status !== 0);
const title = missing.length === 0 ? "GDB" : `GDB (skipped: there is no ${missing.join(", no ")})`;

const desk = new Desk();

function elfOf(board: string): string {
  return desk.path(`${board}.elf`);
}

function compile({ board, vectors }: { readonly board: string; readonly vectors: number }): void {
  const symbols = { vectors_base: vectors, ram_base: 0x2000_0000, ram_top: 0x2000_4000 };
  execFileSync(compiler, [
    ...["-mcpu=cortex-m0", "-mthumb", "-Os", "-g", "-ffreestanding", "-nostdlib"],
    ...["-fno-tree-loop-distribute-patterns", `-DBOARD_${board}`, "-DPADDING=16384", "-Wl,-n"],
    ...Object.entries(symbols).map(([name, value]) => `-Wl,--defsym=${name}=${value}`),
    ...["-T", `${sources}/flash.ld`, `${sources}/firmware.c`, "-o", elfOf(board)],
  ]);
}

async function gdb(address: string, board: string, commands: readonly string[]): Promise<string> {
  const all = ["set confirm off", `target remote ${address.replace("gdb://", "")}`, ...commands];
  const ran = await ended(
    spawn(debuggerName, ["-nx", "-batch", ...all.flatMap((one) => ["-ex", one]), elfOf(board)], {
      stdio: ["ignore", "pipe", "pipe"],
    }),
  );
  expect(ran.code).toBe(0);
  return ran.stdout + ran.stderr;
}

describe.skipIf(missing.length > 0)(title, () => {
  beforeAll(() => boards.forEach(compile));
  afterAll(() => desk[Symbol.asyncDispose]());

  test.each(boards)("loads $board, compares, stops at main and goes on", async ({ board }) => {
    const sim = await desk.sim([board, "--listen", "gdb://127.0.0.1:0"]);
    expect(sim.address).toMatch(/^gdb:\/\/127\.0\.0\.1:\d+$/);
    const said = await gdb(sim.address, board, [
      ...["load", "compare-sections", "tbreak main", "c", "bt"],
      ...["tbreak count", "c", "p/x proof", "bt"],
    ]);
    expect(said.match(/range .*: matched\./g)).toHaveLength(2);
    expect(said).toContain("Temporary breakpoint 1, main ()");
    expect(said).toContain("Temporary breakpoint 2, count ()");
    expect(said).toContain("$1 = 0xcafef00d");
    expect(said).toMatch(/#1 .* in main \(\)/);
    const counters = JSON.parse((await sim.stop()).stdout.trim().split("\n").at(-1) ?? "") as CortexCounters;
    expect(counters.violations).toEqual({});
    expect(counters.pagesProgrammed).toBeGreaterThan(60);
    expect(counters.commands["vFlashDone"]).toBe(1);
    expect(counters.halts).toBeGreaterThanOrEqual(3);
  });

  test("the flash memory is a file that the next run begins with", async () => {
    const file = desk.path("kept.bin");
    const first = await desk.sim(["rp2040", "--flash", file, "--speed", "max"]);
    await gdb(first.address, "rp2040", ["load"]);
    expect((await first.stop()).code).toBe(0);
    expect(readFileSync(file).length).toBe(2 * 1024 * 1024);
    const second = await desk.sim(["rp2040", "--flash", file]);
    const said = await gdb(second.address, "rp2040", ["compare-sections", "p/x proof", "monitor reset run"]);
    expect(said.match(/range .*: matched\./g)).toHaveLength(2);
    expect(said).toContain("0xcafef00d");
    await second.stop();
  });

  test("behind a server like OpenOCD, which flashes and resets in its own way", async () => {
    const sim = await desk.sim(["stm32f4?server=openocd&latency=0.2"]);
    const said = await gdb(sim.address, "stm32f4", [
      ...["monitor version", "load", "monitor reset halt", "tbreak main", "c", "bt", "compare-sections"],
    ]);
    expect(said).toContain("Open On-Chip Debugger");
    expect(said).toContain("Temporary breakpoint 1, main ()");
    expect(said.match(/range .*: matched\./g)).toHaveLength(2);
    await sim.stop();
  });
});

test("such a board listens as a GDB server and in no other way; its words are checked", async () => {
  await using own = new Desk();
  const asked = [
    await own.run(["sim", "rp2040", "--listen", "tcp://127.0.0.1:0"]),
    await own.run(["sim", "esp32c3", "--listen", "gdb://127.0.0.1:0"]),
    await own.run(["sim", "rp2040?server=none"]),
    await own.run(["sim", "rp2040", "--fault", "lost-write@x"]),
  ];
  expect(asked.map(({ code, stderr }) => `${code}: ${stderr.split("\n")[0] ?? ""}`).join("\n")).toMatchInlineSnapshot(`
    "2: deltaflash: a simulated board behind a GDB server cannot listen on "tcp://127.0.0.1:0"
    2: deltaflash: a simulated board cannot listen on "gdb://127.0.0.1:0"
    2: deltaflash: there is no simulated GDB server "none"
    2: deltaflash: "lost-write@x" is no fault that a simulated board knows"
  `);
});

test("a board that nobody spoke to has nothing to count", async () => {
  await using own = new Desk();
  const sim = await own.sim(["stm32f4"]);
  const { stdout, code } = await sim.stop("SIGINT");
  expect(code).toBe(0);
  expect(JSON.parse(stdout.trim().split("\n").at(-1) ?? "")).toMatchObject({ bytesIn: 0, erases: {}, halts: 0 });
});
