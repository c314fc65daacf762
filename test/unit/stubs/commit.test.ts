import { describe, expect, test } from "vitest";
import type { Frame } from "./frames.ts";
import { add, blk, commit, copy, erase, fill, hash, ins, noise, save, saved } from "./operations.ts";
import { StubBoard } from "./stub-board.ts";

const old = noise(0x20000, 7);

function boardWith(contents: Uint8Array): StubBoard {
  const board = new StubBoard();
  board.flash.set(contents);
  board.hello();
  return board;
}

/** Erases and how many programs, in order. */
function work(board: StubBoard): string {
  const programs = board.log.filter((line) => line.startsWith("program")).length;
  return [...board.log.filter((line) => !line.startsWith("program")), `${programs} pieces`].join(", ");
}

function commitReply(frames: readonly Frame[]): { counts: number[]; us: number[] } {
  const reply = frames.find(({ type, payload }) => type === 0x83 && payload[2] === 0x28);
  if (reply === undefined) throw new Error("no reply to COMMIT");
  const view = new DataView(reply.payload.buffer);
  return {
    counts: [...reply.payload.subarray(4, 8)],
    us: [0, 1, 2, 3, 4, 5].map((at) => view.getUint32(8 + 4 * at, true)),
  };
}

describe("what COMMIT does to the flash", () => {
  test("contents that are there already are left alone", () => {
    const board = boardWith(old);
    board.stream([...blk(0, old.slice(0, 0x2000)), ...copy(0x2000, 0), ...commit()]);
    expect(commitReply(board.settle()).counts).toEqual([2, 0, 0, 0]);
    expect(work(board)).toBe("0 pieces");
  });

  test("where bits only fall nothing is erased, and only the pieces that differ are programmed", () => {
    const board = boardWith(old);
    const fresh = old.slice(0, 0x3000);
    fresh[0x1005] = 0;
    fresh[0x1fff] = 0;
    board.stream([
      ...blk(0, fresh),
      ...add(0x3000, 0, [
        [0x1005, [0]],
        [0xff9, [0]],
      ]),
      ...commit(1),
    ]);
    expect(commitReply(board.settle()).counts).toEqual([2, 1, 0, 0]);
    expect(board.log).toEqual(["program 1000", "program 1fc0"]);
    expect(Buffer.compare(board.flash.subarray(0, 0x3000), fresh)).toBe(0);
  });

  test("a sector in which a bit must rise is erased, its neighbours are not, and blank pieces are not programmed", () => {
    const board = boardWith(old);
    const fresh = old.slice(0x1000, 0x4000);
    fresh.fill(0xff, 0x1000, 0x1f80);
    board.stream([...blk(1, fresh), ...copy(0x1000, 0), ...fill(0xf80, 0xff), ...copy(0x1080, 0xf80), ...commit(4)]);
    expect(commitReply(board.settle()).counts).toEqual([2, 0, 1, 0]);
    expect(board.log).toEqual(["erase sector 2000", "program 2f80", "program 2fc0"]);
    expect(Buffer.compare(board.flash.subarray(0x1000, 0x4000), fresh)).toBe(0);
  });

  test("a blank flash is programmed without an erase", () => {
    const board = boardWith(new Uint8Array(0));
    board.stream([...blk(3, old.slice(0, 0x1000)), ...ins(old.slice(0, 0x1000)), ...commit(1)]);
    expect(commitReply(board.settle()).counts).toEqual([0, 1, 0, 0]);
    expect(work(board)).toBe("64 pieces");
  });

  const shifted = Uint8Array.from([...noise(5), ...old.subarray(0x10000, 0x1fffb)]);
  const shift = [...blk(16, shifted), ...ins(shifted.subarray(0, 5)), ...copy(0xfffb, 0)];

  test("from so many sectors on a whole block is erased at once", () => {
    const board = boardWith(old);
    board.stream([...shift, ...commit(16)]);
    expect(commitReply(board.settle()).counts).toEqual([0, 0, 0, 16]);
    expect(work(board)).toBe("erase block 10000, 1024 pieces");
    expect(Buffer.compare(board.flash.subarray(0, 0x10000), old.subarray(0, 0x10000))).toBe(0);
    expect(Buffer.compare(board.flash.subarray(0x10000, 0x20000), shifted)).toBe(0);
  });

  test("never, if it is 0", () => {
    const board = boardWith(old);
    board.stream([...shift, ...commit(0)]);
    expect(commitReply(board.settle()).counts).toEqual([0, 0, 16, 0]);
    expect(Buffer.compare(board.flash.subarray(0x10000, 0x20000), shifted)).toBe(0);
  });

  test("a block that does not begin at a multiple of 64 KiB is erased by sectors", () => {
    const board = boardWith(old);
    const fresh = noise(0x10000, 3);
    board.stream([...blk(1, fresh), ...ins(fresh.slice(0, 20000)), ...ins(fresh.slice(20000)).slice(0, 10000)]);
    board.stream(ins(fresh.slice(20000)).slice(10000));
    board.settle();
    board.stream(commit(1));
    expect(commitReply(board.settle()).counts).toEqual([0, 0, 16, 0]);
    expect(Buffer.compare(board.flash.subarray(0x1000, 0x11000), fresh)).toBe(0);
  });

  test("the times add up to all that passed since BLK, and waiting for the wire is told apart", () => {
    const board = boardWith(old);
    board.stream(shift);
    const beginUs = board.us;
    board.settle();
    board.runFor(100);
    board.stream(commit(1));
    const { us } = commitReply(board.settle());
    const [compose = 0, compare = 0, eraseUs = 0, program = 0, verify = 0, starved = 0] = us;
    expect(Math.abs(us.reduce((sum, one) => sum + one, 0) - (board.us - beginUs - 5_000))).toBeLessThan(5_000);
    expect(starved).toBeGreaterThan(100_000);
    expect(compose).toBeLessThan(60_000);
    expect(compare).toBeLessThan(1_000);
    expect(eraseUs).toBeGreaterThanOrEqual(150_000);
    expect(program).toBeGreaterThanOrEqual(128_000);
    expect(verify).toBeGreaterThan(13_000);
  });
});

test("a shifted block costs little more than to erase and program it", () => {
  for (const [step, bytes] of [
    [5, noise(5)],
    [8, noise(8)],
  ] as const) {
    const board = boardWith(old);
    const shifted = Uint8Array.from([...bytes, ...old.subarray(0x10000, 0x20000 - step)]);
    board.stream([...blk(16, shifted), ...ins(bytes), ...copy(0x10000 - step, 0), ...commit(16)]);
    const [compose = 0, compare = 0, eraseUs = 0, program = 0, verify = 0] = commitReply(board.settle()).us;
    expect(Buffer.compare(board.flash.subarray(0x10000, 0x20000), shifted)).toBe(0);
    const beyond = { compose, compare, erase: eraseUs - 150_000, program: program - 128_000, verify };
    const budget = { compose: 18_500, compare: 3_000, erase: 1_000, program: 7_000, verify: 16_000 };
    for (const [phase, most] of Object.entries(budget))
      expect([phase, beyond[phase as keyof typeof beyond] <= most]).toEqual([phase, true]);
    expect(compose + compare + eraseUs + program + verify).toBeLessThan(1.15 * 278_000);
  }
});

test.each([
  ["as one line does, it is used", old, false, 7],
  ["something else, it is not", old, true, 3],
  ["only blanks, it is not", new Uint8Array(0), false, 3],
])("where a second data line says %s", (_, contents, broken, features) => {
  const board = new StubBoard();
  board.flash.set(contents);
  board.brokenDual = broken;
  expect(board.hello().payload[26]).toBe(features);
});

describe("sources", () => {
  test("bytes at any alignment come together, edits of any length and distance included", () => {
    const board = boardWith(old);
    const fresh = new Uint8Array(0x2000);
    fresh.set(old.subarray(0x10007, 0x10007 + 100), 0);
    fresh.set(old.subarray(0x10107, 0x10107 + 4000), 100);
    const long = [...noise(300, 5)];
    fresh.set(long, 100 + 1031);
    fresh.set([1, 2, 3, 4, 5, 6, 7, 8], 100 + 1331);
    fresh[100 + 1339 + 30] = 9;
    fresh.fill(0x5a, 4100);
    board.stream([
      ...blk(0, fresh),
      ...copy(100, 0x10007),
      ...add(4000, 0x9c, [
        [1031, long],
        [0, [1, 2, 3, 4, 5, 6, 7, 8]],
        [30, [9]],
      ]),
      ...fill(4092, 0x5a),
      ...commit(),
    ]);
    expect(commitReply(board.settle()).counts).toEqual([0, 0, 2, 0]);
    expect(Buffer.compare(board.flash.subarray(0, 0x2000), fresh)).toBe(0);
  });

  test("what was saved before its source is overwritten can be used later: two blocks change places", () => {
    const board = boardWith(old);
    const [a, b] = [old.slice(0, 0x1000), old.slice(0x1000, 0x2000)];
    board.stream([
      ...save(100, 0x1000, 0),
      ...[...blk(0, b), ...copy(0x1000, 0x1000), ...commit()],
      ...[...blk(1, a), ...saved(100, 0x1000), ...commit()],
    ]);
    board.settle();
    expect(Buffer.compare(board.flash.subarray(0, 0x1000), b)).toBe(0);
    expect(Buffer.compare(board.flash.subarray(0x1000, 0x2000), a)).toBe(0);
  });
});

describe("what COMMIT refuses", () => {
  test("contents that are not what was announced: nothing is erased, and nothing is begun afterwards", () => {
    const board = boardWith(old);
    const text = board.perform(blk(0, old.slice(0, 0x1000), 123), fill(0x1000, 0), commit(), hash(0, 1, 16));
    expect(text).toMatchInlineSnapshot(`
      "reply 2 op 28 status 04 (0 bytes)
      ack next 1 status 04 ops 2 received 14 drained 14"
    `);
    expect(board.log).toEqual([]);
  });

  test("a block that is not full, and none at all", () => {
    const board = boardWith(old);
    expect(board.perform(blk(0, old.slice(0, 0x2000)), copy(0x1fff, 0), commit())).toContain("op 28 status 04");
    board.hello();
    expect(board.perform(commit())).toContain("op 28 status 04");
    expect(board.log).toEqual([]);
  });

  test("a source that another block has changed is noticed", () => {
    const board = boardWith(old);
    const wanted = blk(1, old.slice(0, 0x1000));
    const text = board.perform(
      blk(0, noise(0x1000)),
      ins(noise(0x1000)),
      commit(),
      wanted,
      copy(0x1000, -0x1000),
      commit(),
    );
    expect(text).toContain("reply 5 op 28 status 04");
    expect(Buffer.compare(board.flash.subarray(0x1000, 0x2000), old.subarray(0x1000, 0x2000))).toBe(0);
  });
});

describe("a flash chip that fails", () => {
  const rewrite = [...blk(0, noise(0x1000)), ...ins(noise(0x1000)), ...commit()];

  test("a bit that does not fall is found, with its piece", () => {
    const board = boardWith(old);
    const at = noise(0x1000).findIndex((byte, index) => index > 0x800 && (byte & 1) === 0);
    board.weak.add(at);
    board.stream(rewrite);
    const reply = board.settle().find(({ type }) => type === 0x83);
    expect([...(reply?.payload ?? [])]).toEqual([2, 0, 0x28, 5, at & 0xc0, at >> 8, 0, 0]);
  });

  test("one that stays busy is given up after its time limit, and HELLO is still answered", () => {
    const board = boardWith(old);
    board.stream(rewrite);
    while (board.log.length === 0) board.step();
    board.stuckBusy = true;
    board.runFor(2_100);
    expect(board.frames().some(({ type, payload }) => type === 0x83 && payload[3] === 6)).toBe(true);
    board.hello();
    expect(board.perform(hash(0, 1, 16))).toContain("op 11 status 06");
    board.stuckBusy = false;
    board.hello();
    expect(board.perform(hash(0, 1, 16))).toContain("op 11 status 00");
  });

  test("one that is not write enabled is not erased", () => {
    const board = boardWith(old);
    board.refusesWrites = true;
    expect(board.perform(rewrite)).toContain("op 28 status 07");
    expect(board.log).toEqual([]);
  });

  test("protection is lifted once; a bit that is Quad Enable elsewhere does not disturb", () => {
    const board = boardWith(old);
    board.protection = 0x5c;
    expect(board.perform(rewrite)).toContain("op 28 status 00");
    expect(board.log.filter((line) => line === "unprotect")).toHaveLength(1);
  });

  test("ERASE skips blank sectors and says how long the others took", () => {
    const board = boardWith(old.slice(0, 0x2001));
    board.stream(erase(0, 5));
    const reply = board.settle().find(({ type }) => type === 0x83);
    const view = new DataView(reply?.payload.buffer ?? new ArrayBuffer(12));
    expect([view.getUint32(4, true), Math.round(view.getUint32(8, true) / 45_000)]).toEqual([3, 3]);
    expect(work(board)).toBe("erase sector 0, erase sector 1000, erase sector 2000, 0 pieces");
  });
});
