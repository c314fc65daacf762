import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { History } from "../../src/engine/history.ts";
import { Jobs } from "../../src/engine/jobs.ts";
import { systemClock } from "../../src/engine/system-clock.ts";
import { Boards } from "../../src/server/boards.ts";
import { MonitorOutbox } from "../../src/server/monitor-outbox.ts";
import { portChoices } from "../../src/server/port-choices.ts";

function stateFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "deltaflash-server-parts-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("a simulated board is the same one until its flash chip's file is changed by somebody else", async () => {
  const folder = stateFolder();
  const file = join(folder, "sim", "esp32c3.bin");
  const boards = new Boards(folder);
  const port = "sim:esp32c3?speed=max";
  const first = await boards.at(port);
  await first.finish();
  expect((await boards.at(port)).clock).toBe(first.clock);
  const bytes = readFileSync(file);
  bytes.fill(0x5a, 0x10000, 0x11000);
  writeFileSync(file, bytes);
  utimesSync(file, new Date(), new Date(Date.now() + 5_000));
  const second = await boards.at(port);
  expect(second.clock).not.toBe(first.clock);
  await second.finish();
  expect(readFileSync(file)[0x10000]).toBe(0x5a);
});

test("a file of no flash chip's size is an error of the port, not of the server", async () => {
  const folder = stateFolder();
  mkdirSync(join(folder, "sim"));
  writeFileSync(join(folder, "sim", "esp32c3.bin"), "short");
  await expect(new Boards(folder).at("sim:esp32c3")).rejects.toMatchObject({ code: "bad-image" });
});

test("names that are no ports are said at once", async () => {
  const boards = new Boards(stateFolder());
  for (const port of ["", "gdb:x", "ftp://x", "sim:toaster"]) {
    await expect(boards.at(port)).rejects.toMatchObject({ code: "board-not-found" });
  }
  await expect(boards.at("sim:esp32c3?fault=nonsense")).rejects.toMatchObject({ code: "refused" });
});

test("a monitor on a GDB server is refused in a sentence, and nothing is connected to", async () => {
  const boards = new Boards(stateFolder());
  const nothing = () => undefined;
  const jobs = new Jobs({
    clock: systemClock,
    history: new History(stateFolder()),
    boardAtPort: (port) => boards.at(port),
    observer: { state: nothing, monitorText: nothing, monitorState: nothing, log: nothing },
  });
  await expect(jobs.openMonitor("gdb://127.0.0.1:1", { baud: 115_200 })).rejects.toMatchObject({ code: "refused" });
});

test("the picker knows which board was seen at a port last", async () => {
  const history = new History(stateFolder());
  const identity = "60:55:f9:00:00:01";
  await history.rememberPort("sim:esp32c3", { identity });
  const choices = await portChoices(history);
  expect(choices.find((choice) => choice.port === "sim:esp32c3")).toMatchObject({ identity, chip: "esp32c3" });
  expect(choices.filter((choice) => choice.simulated).length).toBeGreaterThan(5);
});

test("monitor text goes one message at a time, and what a slow front end misses is bounded and said", async () => {
  const sent: string[] = [];
  let deliver: () => void = () => undefined;
  const outbox = new MonitorOutbox((port, text) => {
    sent.push(`${port} ${text}`);
    return new Promise((resolve) => (deliver = resolve));
  });
  const turn = async () => {
    deliver();
    await new Promise((resolve) => setImmediate(resolve));
  };
  outbox.add("a", "1");
  outbox.add("a", "2");
  outbox.add("b", "3");
  outbox.add("a", "4");
  expect(sent).toEqual(["a 1"]);
  await turn();
  await turn();
  expect(sent).toEqual(["a 1", "a 24", "b 3"]);
  for (let count = 0; count < 1_000; count++) outbox.add("a", "x".repeat(1_000));
  await turn();
  await turn();
  expect(sent.at(-1)?.length).toBeLessThan(300_000);
  expect(sent.at(-1)).toContain("output was lost");
});
