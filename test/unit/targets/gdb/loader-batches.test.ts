import { describe, expect, test } from "vitest";
import { concat } from "../../../../src/core/bytes.ts";
import { sizeOfTarget, type LoaderRecord } from "../../../../src/targets/gdb/loader-abi.ts";
import { recordsOf } from "../../../../src/targets/gdb/loader-batches.ts";
import { streamPortions } from "../../../../src/targets/gdb/loader-stream.ts";

const address = 0x08000000;
const blank = (size: number) => new Uint8Array(size).fill(0xff);
const full = (size: number) => new Uint8Array(size).fill(0x5a);
const erasesOf = (size: number, count: number) =>
  Array.from({ length: count }, (_, at) => ({ address: address + at * size, size, unit: "sector" }) as const);

/** `erase 0+1000`, `write 400+800`: offsets and bytes in hex. */
const named = (records: readonly LoaderRecord[]) =>
  records.map(
    (record) => `${record.kind} ${(record.address - address).toString(16)}+${sizeOfTarget(record).toString(16)}`,
  );

describe("what a unit is made of", () => {
  test("each unit is erased, then written", () => {
    expect(named(recordsOf({ address, data: full(0x2000), erases: erasesOf(0x1000, 2) }))).toEqual([
      ...["erase 0+1000", "write 0+1000"],
      ...["erase 1000+1000", "write 1000+1000"],
    ]);
  });

  test("what stays erased is not sent: in front, in between, behind, and where all of it does", () => {
    const data = concat([blank(0x400), full(0x600), blank(0x200), blank(0x800), full(0x401), blank(0x1bff)]);
    expect(named(recordsOf({ address, data, erases: erasesOf(0x1800, 2) }))).toEqual([
      ...["erase 0+1800", "write 400+800", "write 1400+400"],
      ...["erase 1800+1800", "write 1800+400"],
    ]);
    expect(named(recordsOf({ address, data: blank(0x1000), erases: erasesOf(0x1000, 1) }))).toEqual(["erase 0+1000"]);
  });
});

describe("what a stream's slots take", () => {
  const room = { bufferBytes: 0x1e000, programUnit: 4 };
  const cut = (size: number, count: number, isHidden: boolean) => {
    const records = recordsOf({ address, data: full(size * count), erases: erasesOf(size, count) });
    const { portions, slotBytes } = streamPortions(records, room, () => isHidden);
    return { portions: portions.map(named), slotBytes };
  };

  test("the first erase goes alone, small units together", () => {
    const { portions, slotBytes } = cut(0x400, 20, true);
    expect(slotBytes).toBe(0x4000);
    expect(portions[0]).toEqual(["erase 0+400"]);
    expect(portions[1]?.slice(0, 3)).toEqual(["write 0+400", "erase 400+400", "write 400+400"]);
    expect(portions).toHaveLength(3);
  });

  test("large units whose data travel during their erase get slots for all of them, and their erases go alone", () => {
    expect(cut(0x8000, 2, true)).toEqual({
      portions: [["erase 0+8000"], ["write 0+8000"], ["erase 8000+8000"], ["write 8000+8000"]],
      slotBytes: 0x8018,
    });
  });

  test("where the link is slower than that, slots are small and go on as they come", () => {
    const { portions, slotBytes } = cut(0x8000, 2, false);
    expect(slotBytes).toBe(0x4000);
    expect(portions.map((records) => records.length)).toEqual([1, 1, 1, 3, 1, 1]);
  });

  test("units larger than half of the buffer are cut", () => {
    const { portions, slotBytes } = cut(0x20000, 1, true);
    expect(slotBytes).toBe(0xf000);
    expect(portions.map((records) => records.length)).toEqual([1, 1, 1, 1]);
    expect(portions.flat().filter((name) => name.startsWith("write"))).toHaveLength(3);
  });
});
