/** The end of an image in its last block: the rest of the block may be erased with it if, and only if, it is blank. */
import { expect, test } from "vitest";
import { bytesAt, pseudoFirmware, Rig } from "./rig.ts";

const end = 0x4a000;
const data = pseudoFirmware(end - 0x10000, 7);
/** Its last block has ten of sixteen sectors, none of which is what it was. */
const next = data.map((byte, at) => (at < 0x30000 ? byte : byte ^ 0x5a));
const others = Uint8Array.of(1, 2, 3, 4);

async function edited(beside?: number) {
  const rig = new Rig({ board: "esp32c3" });
  await rig.flash(bytesAt(0x10000, data));
  if (beside !== undefined) rig.board.flash.set(others, beside);
  rig.again();
  const report = await rig.flash(bytesAt(0x10000, next));
  expect(report).toMatchObject({ result: "flashed", written: { sectors: 10, bytes: 0xa000 } });
  expect(rig.differsAt(0x10000, next)).toBe(-1);
  return { rig, report };
}

test("a block whose other sectors are blank is erased at once", async () => {
  const { report, rig } = await edited();
  expect(report.written.erasedBytes).toBe(0x10000);
  expect(rig.board.flash.subarray(end, 0x50000).every((byte) => byte === 0xff)).toBe(true);
});

test("where something else stands in it, its sectors are erased one by one, and that stays", async () => {
  const place = 0x4f123;
  const { report, rig } = await edited(place);
  expect(report.written.erasedBytes).toBe(0xa000);
  expect(rig.board.flash.subarray(place, place + 4)).toEqual(others);
});

test("the next flash knows these sectors as blank, and still asks the board", async () => {
  const { rig } = await edited();
  rig.board.flash.set(others, 0x4b000);
  rig.again();
  expect(await rig.flash(bytesAt(0x10000, data))).toMatchObject({
    result: "flashed",
    written: { erasedBytes: 0xa000 },
  });
  expect(rig.board.flash.subarray(0x4b000, 0x4b004)).toEqual(others);
});

test("is faster than sector by sector", async () => {
  const [atOnce, oneByOne] = [await edited(), await edited(0x4f123)];
  expect(atOnce.report.totalMs).toBeLessThan(oneByOne.report.totalMs - 100);
});
