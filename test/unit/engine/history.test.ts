import { mkdtemp, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { filled } from "../../../src/core/bytes.ts";
import { History } from "../../../src/engine/history.ts";
import { stateFolder } from "../../../src/engine/state-folder.ts";

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "deltaflash-history-"))));
afterEach(() => rm(folder, { recursive: true }));

const mac = "60:55:f9:00:00:01";
const sector = (address: number, value: number) => ({ address, data: filled(4096, value) });
const range = (address: number) => ({ address, size: 4096 });
const facts = { port: "/dev/ttyUSB0", flashId: 0x1640ef };
const open = () => new History(folder).board(mac, "esp32c3");

test("what a board holds is found again by its identity", async () => {
  await (await open()).enter([sector(0x10000, 1), sector(0x11000, 2)], facts);
  const again = await open();
  expect(again.known(range(0x11000))).toEqual(Buffer.alloc(4096, 2));
  expect(again.known(range(0x12000))).toBeUndefined();
  expect(again.known({ address: 0x11000, size: 100 })).toBeUndefined();
  expect(again.flashId).toBe(0x1640ef);
  expect((await new History(folder).board("60:55:f9:00:00:02", "esp32c3")).known(range(0x11000))).toBeUndefined();
});

test("sectors that a flash began to write stay unknown until they were verified", async () => {
  await (await open()).enter([sector(0, 1), sector(0x1000, 2), sector(0x2000, 3)], facts);
  await (await open()).strikeOut([range(0x1000)], facts.port);
  const cut = await open();
  expect(cut.known(range(0x1000))).toBeUndefined();
  expect(cut.known(range(0x2000))).toEqual(Buffer.alloc(4096, 3));
  expect(cut.interrupted).toEqual([range(0x1000)]);
  await cut.strikeOut([range(0x2000)], facts.port);
  expect((await open()).interrupted).toEqual([range(0x1000), range(0x2000)]);

  await (await open()).enter([sector(0x1000, 9), sector(0x2000, 8)], facts);
  const repaired = await open();
  expect(repaired.interrupted).toEqual([]);
  expect(repaired.known(range(0))).toEqual(Buffer.alloc(4096, 1));
  expect(repaired.known(range(0x1000))).toEqual(Buffer.alloc(4096, 9));
});

test("only one contents file is kept", async () => {
  for (let round = 1; round <= 3; round++) await (await open()).enter([sector(0, round)], facts);
  expect(
    (await readdir(join(folder, "boards", "60-55-f9-00-00-01"))).filter((name) => name.endsWith(".bin")),
  ).toHaveLength(1);
});

test("a record that was cut or spoilt counts as unknown instead of failing", async () => {
  await (await open()).enter([sector(0, 1), sector(0x1000, 2)], facts);
  const home = join(folder, "boards", "60-55-f9-00-00-01");
  const [contents = ""] = (await readdir(home)).filter((name) => name.endsWith(".bin"));
  await truncate(join(home, contents), 5000);
  expect((await open()).known(range(0))).toBeDefined();
  expect((await open()).known(range(0x1000))).toBeUndefined();
  await writeFile(join(home, "board.json"), "{ not json");
  expect((await open()).known(range(0))).toBeUndefined();
});

test("boards are listed, the last one first", async () => {
  await (await open()).enter([sector(0, 1)], facts);
  const other = await new History(folder).board("24:0a:c4:00:00:02", "esp32");
  await new Promise((resolve) => setTimeout(resolve, 3));
  await other.strikeOut([range(0)], "COM3");
  expect(await new History(folder).boards()).toMatchObject([
    { identity: "24:0a:c4:00:00:02", chip: "esp32", port: "COM3", knownBytes: 0, interruptedSectors: 1 },
    { identity: mac, chip: "esp32c3", port: "/dev/ttyUSB0", knownBytes: 4096, interruptedSectors: 0 },
  ]);
});

test("a port is remembered with what worked on it", async () => {
  await new History(folder).rememberPort("/dev/ttyUSB0", { identity: mac, baud: 460_800, resetWay: "classic" });
  expect(await new History(folder).portHints("/dev/ttyUSB0")).toEqual({
    identity: mac,
    baud: 460_800,
    resetWay: "classic",
  });
  expect(await new History(folder).portHints("COM9")).toEqual({});
});

test("the state folder is the one of the environment, else the platform's", () => {
  expect(stateFolder({ DELTAFLASH_STATE: "/tmp/x" })).toBe("/tmp/x");
  if (process.platform === "linux") expect(stateFolder({ XDG_STATE_HOME: "/s" })).toBe("/s/deltaflash");
});
