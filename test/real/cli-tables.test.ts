import { readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, inject, test } from "vitest";
import type { OfflinePlan } from "../../src/engine/offline-plan.ts";
import { simBoards } from "../../src/sim/boards.ts";
import { Desk, meter } from "./cli-helper.ts";

test("boards says of every board what it was tried on, and that nothing was tried on silicon", async () => {
  await using desk = new Desk();
  const { code, stdout } = await desk.run(["boards"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^board +title +port +tried on\n/);
  expect(stdout).toMatch(/^esp32c3 +ESP32-C3 over a serial port +serial, tcp:\/\/, rfc2217:\/\/ +simulated board$/m);
  expect(stdout).toMatch(/^esp32c3-sim +ESP32-C3 board with a USB bridge, simulated +sim:esp32c3 +simulated board$/m);
  expect(stdout.endsWith("\nNothing has been tried on silicon yet.\n")).toBe(true);

  const json = JSON.parse((await desk.run(["boards", "--json"])).stdout) as { id: string; silicon: boolean }[];
  for (const { id } of simBoards) expect(json.map((board) => board.id)).toContain(`${id}-sim`);
  expect(json.filter((board) => board.silicon)).toEqual([]);
  expect(json.length).toBe(stdout.trimEnd().split("\n").length - 2);
});

test("ports lists the serial ports of this machine, and says so when there are none", async () => {
  await using desk = new Desk();
  const table = await desk.run(["ports"]);
  const json = JSON.parse((await desk.run(["ports", "--json"])).stdout) as { path: string; holder: unknown }[];
  expect(table.code).toBe(0);
  if (json.length === 0) expect(table.stdout).toMatch(/^No serial ports\. .* --port sim:esp32c3\n$/);
  for (const { path } of json) expect(table.stdout).toContain(path);
});

test("history tells what is known of every board that was flashed, the last one first", async () => {
  await using desk = new Desk();
  expect((await desk.run(["history"])).stdout).toBe("No board was flashed from here yet.\n");
  expect((await desk.run(["history", "--json"])).stdout).toBe("[]\n");
  writeFileSync(desk.path("data.bin"), "some bytes");
  await desk.flash([meter.base, "--port", "sim:esp32c3?speed=max"]);
  await desk.flash([`0x300000:${desk.path("data.bin")}`, "--port", "sim:esp32?speed=max"]);
  const { stdout } = await desk.run(["history"]);
  expect(stdout.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, "DATE")).toMatchInlineSnapshot(`
    "identity           chip     port                   known      in doubt  last change
    24:0a:c4:00:00:01  esp32    sim:esp32?speed=max    4.0 KiB              DATE
    60:55:f9:00:00:01  esp32c3  sim:esp32c3?speed=max  196.0 KiB            DATE
    "
  `);
  const boards = JSON.parse((await desk.run(["history", "--json"])).stdout) as unknown[];
  expect(boards).toMatchObject([
    { identity: "24:0a:c4:00:00:01", chip: "esp32", interruptedSectors: 0 },
    { identity: "60:55:f9:00:00:01", chip: "esp32c3", interruptedSectors: 0 },
  ]);
});

test("plan tells what a flash would write, as text and as JSON alone", async () => {
  await using desk = new Desk();
  const words = ["plan", meter.base, meter.const, "--chip", "esp32c3"];
  expect((await desk.run(words)).stdout).toMatchInlineSnapshot(`
    "esp32c3: 3 of 40 sectors (12.0 KiB of 156.3 KiB), about 204 ms to write and verify at 921600 baud; everything would take 1194 ms
      0x010000    4.0 KiB  1 x 4 KiB sector
      0x021000    4.0 KiB  1 x 4 KiB sector
      0x037000    4.0 KiB  1 x 4 KiB sector
    "
  `);
  const ran = await desk.run([...words, "--baud", "115200", "--json", "-"]);
  const plan = JSON.parse(ran.stdout) as OfflinePlan;
  expect(ran.code).toBe(0);
  expect(ran.stderr).toMatch(/^esp32c3: 3 of 40 sectors /);
  expect(plan).toMatchObject({ version: 1, chip: "esp32c3", baud: 115_200, written: { bytes: 12_288, sectors: 3 } });
  expect(plan.runs.map((run) => run.address)).toEqual([0x10000, 0x21000, 0x37000]);
  expect(plan.estimateMs).toBeLessThan(plan.fullEstimateMs);
  await desk.run([...words, "--json", desk.path("plan.json")]);
  expect(JSON.parse(readFileSync(desk.path("plan.json"), "utf8"))).toMatchObject({ version: 1 });
});

test("the plan is what the flash then writes", async () => {
  await using desk = new Desk();
  await desk.flash([meter.base, "--port", "sim:esp32c3?speed=max"]);
  const { report } = await desk.flash([meter.const, "--port", "sim:esp32c3?speed=max"]);
  const ran = await desk.run(["plan", meter.base, meter.const, "--chip", "esp32c3", "--json", "-"]);
  expect((JSON.parse(ran.stdout) as OfflinePlan).written).toEqual(report.written);
});

test("plan says what to do when it cannot know the chip or has nothing to read", async () => {
  await using desk = new Desk();
  const missing = await desk.run(["plan", desk.path("a.elf"), meter.base]);
  expect(missing).toMatchObject({
    code: 1,
    stdout: "",
    stderr: `deltaflash: ${desk.path("a.elf")} does not exist\nCheck the path, or build first.\n`,
  });
  const unwritable = await desk.run(["plan", meter.base, meter.const, "--json", desk.path("no", "plan.json")]);
  expect(unwritable.stderr).toBe(
    `deltaflash: ${desk.path("no", "plan.json")} cannot be written: its folder does not exist\nChoose another file, or create its folder first.\n`,
  );
});

test("help and version are there in every usual spelling", async () => {
  await using desk = new Desk();
  const outputs = async (spellings: readonly (readonly string[])[]) =>
    new Set(await Promise.all(spellings.map(async (words) => JSON.stringify(await plain(desk, words)))));
  expect(await outputs([["--help"], ["-h"], ["help"]])).toHaveProperty("size", 1);
  expect(
    await outputs([
      ["flash", "--help"],
      ["flash", "-h"],
      ["help", "flash"],
    ]),
  ).toHaveProperty("size", 1);
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  expect(await outputs([["--version"], ["version"]])).toEqual(
    new Set([JSON.stringify({ code: 0, stdout: `${version}\n`, stderr: "" })]),
  );
  expect(await plain(desk, [])).toMatchObject({ code: 2, stderr: "" });
});

test("help loads next to nothing, so that it is there at once", () => {
  const folder = dirname(inject("cli"));
  const loaded = new Set([inject("cli")]);
  for (const file of loaded) {
    for (const [, name] of readFileSync(file, "utf8").matchAll(/^(?:import|export|\}) ?.*?"\.\/([^"]+)";$/gm)) {
      loaded.add(join(folder, name ?? ""));
    }
  }
  const bytes = [...loaded].reduce((sum, file) => sum + statSync(file).size, 0);
  expect(loaded.size).toBeGreaterThan(1);
  expect(bytes).toBeLessThan(20_000);
});

async function plain(desk: Desk, words: readonly string[]): Promise<object> {
  const { code, stdout, stderr } = await desk.run(words);
  return { code, stdout, stderr };
}
