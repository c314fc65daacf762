import { crc32, deflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { u32, v } from "./frames.ts";
import { add, blk, commit, copy, erase, fill, hash, ins, noise, packed, read, save, saved } from "./operations.ts";
import { StubBoard } from "./stub-board.ts";

const old = noise(0x20000, 7);

function boardWith(contents: Uint8Array): StubBoard {
  const board = new StubBoard();
  board.flash.set(contents);
  board.hello();
  return board;
}

describe("HASH", () => {
  test.each([
    [0, 48, 0x1000],
    [3, 70, 61],
    [0x1ffff, 40, 1],
    [0, 1, 0x10000],
    [0x3fff1, 3, 5],
  ])("address %i, %i units of %i bytes", (address, n, unit) => {
    const board = boardWith(old);
    board.stream(hash(address, n, unit));
    const found = new Map<number, number>();
    for (const { type, payload } of board.settle()) {
      if (type !== 0x83) continue;
      const view = new DataView(payload.buffer);
      const count = payload[8] ?? 0;
      for (let at = 0; at < count; at++) found.set(view.getUint32(4, true) + at, view.getUint32(9 + 4 * at, true));
      expect(payload).toHaveLength(9 + 4 * count);
    }
    const expected = Array.from({ length: n }, (_, index) => {
      const part = board.flash.subarray(address + index * unit, address + (index + 1) * unit);
      return [index, crc32(part)];
    });
    expect([...found]).toEqual(expected);
  });
});

test("READ brings every byte of any range", () => {
  const board = boardWith(old);
  board.stream(read(0x1235, 3001));
  const bytes = new Uint8Array(3001);
  for (const { type, payload } of board.settle()) {
    if (type === 0x83) bytes.set(payload.subarray(8), new DataView(payload.buffer).getUint32(4, true));
  }
  expect(Buffer.compare(bytes, old.slice(0x1235, 0x1235 + 3001))).toBe(0);
});

describe("arguments beyond what there is", () => {
  const block = old.slice(0, 0x1000);
  test.each<[string, string, number[][]]>([
    ["HASH beyond the flash", "op 11 status 03", [hash(0x3f000, 17, 0x100)]],
    ["HASH of 2^32 bytes", "op 11 status 03", [hash(0, 0x10000, 0x10000)]],
    ["HASH of 2^32 units", "op 11 status 03", [hash(0, 0xffffffff, 1)]],
    ["HASH of no unit", "op 11 status 02", [hash(0, 1, 0)]],
    ["HASH of too long a unit", "op 11 status 02", [hash(0, 1, 0x10001)]],
    ["READ beyond the flash", "op 12 status 03", [read(0x3ffff, 2)]],
    ["READ whose end wraps", "op 12 status 03", [read(0x1000, 0xfffffff0)]],
    ["BLK beyond the flash", "op 20 status 03", [[0x20, ...v(0x3f), ...v(2), ...v(0)]]],
    ["BLK whose address wraps", "op 20 status 03", [[0x20, ...v(0x100000), ...v(1), ...v(0)]]],
    ["BLK of nothing", "op 20 status 02", [[0x20, ...v(0), ...v(0), ...v(0)]]],
    ["BLK of 17 sectors", "op 20 status 02", [[0x20, ...v(0), ...v(17), ...v(0)]]],
    ["COPY without BLK", "op 21 status 02", [copy(1, 0)]],
    ["COPY longer than the block", "op 21 status 02", [blk(0, block), copy(0x1001, 0)]],
    ["COPY from before the flash", "op 21 status 03", [blk(0, block), copy(4, -1)]],
    ["COPY from beyond the flash", "op 21 status 03", [blk(0, block), copy(4, 0x3fffd)]],
    ["a run beyond what ADD copies", "op 22 status 02", [blk(0, block), add(100, 0, [[98, [1, 2, 3]]])]],
    ["a run that skips 2^32", "op 22 status 02", [blk(0, block), [0x22, 100, 0, 1, 0x1f, ...v(0xffffffff), 1]]],
    ["a run of 2^32", "op 22 status 02", [blk(0, block), [0x22, 100, 0, 1, 0xe0, ...v(0xfffffff9), 1]]],
    ["INS longer than the block", "op 23 status 02", [blk(0, block), fill(0xfff, 1), [0x23, 2, 0, 0]]],
    ["FILL longer than the block", "op 24 status 02", [blk(0, block), fill(0xffffffff, 1)]],
    ["SAVED beyond the save area", "op 25 status 02", [blk(0, block), saved(0x7fff, 2)]],
    ["SAVE beyond the save area", "op 29 status 02", [save(0x8000, 1, 0)]],
    ["SAVE from beyond the flash", "op 29 status 03", [save(0, 1, 0x40000)]],
    ["ERASE beyond the flash", "op 30 status 03", [erase(0x3f, 2)]],
    ["ERASE whose end wraps", "op 30 status 03", [erase(1, 0xffffffff)]],
    ["RAM where none may write", "op 40 status 02", [[0x40, ...v(0xfff), 2, 1, 2]]],
    ["PACKED in PACKED", "op 33 status 02", [packed(deflateRawSync(Uint8Array.of(0x33, 1, 0)))]],
  ])("%s", (_what, text, operations) => {
    const board = boardWith(old);
    expect(board.perform(...operations)).toContain(text);
    expect(board.log).toEqual([]);
    expect(Buffer.compare(board.flash.subarray(0, old.length), old)).toBe(0);
  });
});

test("RAM, REG, CALL and RUN reach the chip", () => {
  const board = boardWith(old);
  const bytes = noise(1500, 2);
  expect(
    board.perform(
      [0x40, ...v(3), ...v(bytes.length), ...bytes],
      [0x42, ...v(0), ...v(0xff), ...v(0x0f)],
      [0x41, ...[100, 1, 2, 3, 4].flatMap(v)],
      [0x7f, ...v(0x40380000)],
      ins([]),
    ),
  ).toMatchInlineSnapshot(`
    "reply 1 op 42 status 00 (4 bytes)
    reply 2 op 41 status 00 (4 bytes)
    reply 3 op 7f status 00 (0 bytes)
    ack next 2 status 00 ops 5 received 1523 drained 1523"
  `);
  expect(Buffer.compare(board.ram.subarray(3, 1503), bytes)).toBe(0);
  expect(board.log).toEqual(["run 40380000"]);
});

test("a commit inside of what HASH saw before is seen by HASH again", () => {
  const board = boardWith(old);
  const fresh = noise(0x1000, 4);
  const crcs = [hash(0, 1, 64), blk(0, fresh), ins(fresh), commit(), hash(0, 1, 64)];
  board.stream(crcs.flat());
  const digests = board
    .settle()
    .flatMap(({ type, payload }) => (type === 0x83 && payload[2] === 0x11 ? [payload.slice(9, 13)] : []));
  expect(digests).toEqual([
    Uint8Array.from(u32(crc32(old.subarray(0, 64)))),
    Uint8Array.from(u32(crc32(fresh.subarray(0, 64)))),
  ]);
});
