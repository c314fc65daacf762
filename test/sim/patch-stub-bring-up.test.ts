/** When our own stub runs, when it is loaded again, and when Espressif's takes its place. */
import { expect, test } from "vitest";
import type { Report } from "../../src/engine/report.ts";
import { simBoards } from "../../src/sim/boards.ts";
import { bytesAt, pseudoFirmware, Rig, type RigOptions } from "./rig.ts";

const data = pseudoFirmware(0x6000, 4);
const image = bytesAt(0x10000, data);
const note =
  "Deltaflash's own stub did not run on this board; Espressif's stub was used instead, which takes no patches.";

const uploads = ({ spans }: Report) => spans.filter(({ label }) => label === "stub upload").length;
/** Espressif's stub counts its commands, ours does not. */
const ranOfficial = (rig: Rig) =>
  Object.keys(rig.board.counters().commands).some((name) => name.startsWith("stub:SPI"));
const well = { result: "flashed", error: null };

async function flashed(options: ConstructorParameters<typeof Rig>[0], rigOptions: RigOptions = {}) {
  const rig = new Rig(options, rigOptions);
  const report = await rig.flash(image);
  expect(report).toMatchObject(well);
  expect(rig.differsAt(0x10000, data)).toBe(-1);
  return { rig, report };
}

test("it is the one that runs", async () => {
  const { rig, report } = await flashed({ board: "esp32c3" });
  expect(ranOfficial(rig)).toBe(false);
  expect(uploads(report)).toBe(1);
  expect(report.notes).toEqual([]);
});

test.each(simBoards.map(({ id }) => id))("it runs on %s at every rate", async (board) => {
  for (const baud of [115_200, 921_600, 2_000_000]) {
    const rig = new Rig({ board });
    const report = await rig.flash(image, { baud });
    expect(report).toMatchObject({ ...well, notes: [] });
    expect({ baud, uploads: uploads(report), ranOfficial: ranOfficial(rig) }).toEqual({
      baud,
      uploads: 1,
      ranOfficial: false,
    });
  }
});

test("a stub that does not start is loaded again", async () => {
  const { rig, report } = await flashed({ board: "esp32c3", faults: "stall@PATCH_STUB:1" });
  expect(ranOfficial(rig)).toBe(false);
  expect(uploads(report)).toBe(2);
  expect(report.notes).toEqual([]);
  expect(rig.log.join("\n")).toContain("the stub is loaded again");
});

test("a stub that never starts gives way to Espressif's, which is remembered for this port, and said", async () => {
  const { rig, report } = await flashed({ board: "esp32c3", faults: "stall@PATCH_STUB:1,stall@PATCH_STUB:2" });
  expect(ranOfficial(rig)).toBe(true);
  expect(report.notes).toEqual([note]);
  expect((await rig.history.portHints("sim")).failedStub).toBeGreaterThan(0);
  rig.again();
  const second = await rig.flash(image);
  expect(second).toMatchObject({ result: "unchanged", notes: [note] });
  expect(uploads(second)).toBe(1);
  expect((await rig.history.portHints("sim")).failedStub).toBeGreaterThan(0);
});

test("another build of the stub is tried again", async () => {
  const rig = new Rig({ board: "esp32c3" });
  await rig.history.rememberPort("sim", { failedStub: 1 });
  expect(await rig.flash(image)).toMatchObject({ ...well, notes: [] });
  expect(ranOfficial(rig)).toBe(false);
  expect((await rig.history.portHints("sim")).failedStub).toBeUndefined();
});

test("an upload that arrives damaged says nothing about the stub", async () => {
  const { rig, report } = await flashed({ board: "esp32c3", faults: "flip@in:3000" });
  expect(ranOfficial(rig)).toBe(false);
  expect(report.notes).toEqual([]);
  expect(rig.log.join("\n")).toContain("once more");
  expect((await rig.history.portHints("sim")).failedStub).toBeUndefined();
});

test("a byte of the upload that is lost costs one more reset", async () => {
  const { rig, report } = await flashed({ board: "esp32c3", faults: "drop@in:3000" });
  expect(ranOfficial(rig)).toBe(false);
  expect(uploads(report)).toBe(2);
  expect(report.notes).toEqual([]);
});

test("Espressif's stub is used without a word where ours is not for the board", async () => {
  const large = new Uint8Array(32 * 1024 * 1024).fill(0xff);
  const cases: readonly (readonly [ConstructorParameters<typeof Rig>[0], RigOptions])[] = [
    [{ board: "esp32s3", flash: large }, {}],
    [{ board: "esp32s3", link: "usb" }, { usb: { vendorId: 0x303a, productId: 0x0009 } }],
    [{ board: "esp32c3", startInLoader: true }, { hasModemLines: false }],
    [{ board: "esp32c3" }, { officialStub: true }],
  ];
  for (const [options, rigOptions] of cases) {
    const { rig, report } = await flashed(options, rigOptions);
    expect(ranOfficial(rig), JSON.stringify({ ...options, flash: undefined, rigOptions })).toBe(true);
    expect(report.notes.filter((text) => text === note)).toEqual([]);
    expect((await rig.history.portHints("sim")).failedStub).toBeUndefined();
  }
});

test("a flash of 16 MiB is the largest that it takes", async () => {
  const { rig } = await flashed({ board: "esp32s3", flash: new Uint8Array(16 * 1024 * 1024).fill(0xff) });
  expect(ranOfficial(rig)).toBe(false);
});
