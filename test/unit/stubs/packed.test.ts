import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { blk, commit, ins, noise, packed, read } from "./operations.ts";
import { StubBoard } from "./stub-board.ts";

/** Text-like and noise-like, with matches near and far. */
const contents = Uint8Array.from([
  ...new TextEncoder().encode("erase, program, read back; ".repeat(40)),
  ...noise(0x1000 - 1080 - 500, 3),
  ...noise(500, 3),
]);
const operations = Uint8Array.from([...blk(2, contents), ...ins(contents), ...commit()]);
const strategies = {
  usual: constants.Z_DEFAULT_STRATEGY,
  filtered: constants.Z_FILTERED,
  huffman: constants.Z_HUFFMAN_ONLY,
  rle: constants.Z_RLE,
  fixed: constants.Z_FIXED,
};

const board = new StubBoard();

function result(stream: readonly number[], frameBytes = 1024): string {
  board.flash.fill(0xff);
  board.hello();
  board.stream(stream, frameBytes);
  const replies = board.settle().filter(({ type }) => type === 0x83);
  return replies.map(({ payload }) => `${payload[0]}: ${payload[2]?.toString(16)} ${payload[3]}`).join(", ");
}

describe("PACKED", () => {
  test.each(Object.entries(strategies))("every level of zlib's %s strategy", (_name, strategy) => {
    for (let level = 0; level <= 9; level++) {
      expect(result(packed(deflateRawSync(operations, { level, strategy })))).toBe("3: 28 0");
      expect(Buffer.compare(board.flash.subarray(0x2000, 0x3000), contents)).toBe(0);
    }
  });

  test("cut at every byte", () => {
    const small = Uint8Array.from([...read(0, 1), ...blk(2, contents), ...ins(contents), ...commit()]);
    for (const strategy of [strategies.usual, strategies.fixed]) {
      const stream = packed(deflateRawSync(small.subarray(0, 700), { strategy }));
      for (let cut = 1; cut < stream.length; cut++) {
        board.hello();
        board.stream(stream.slice(0, cut));
        board.runFor(0.3);
        board.stream(stream.slice(cut));
        board.runFor(3);
        const replies = board.frames().filter(({ type }) => type === 0x83);
        const seen = replies.map(({ payload }) => `${payload[2]?.toString(16)} ${payload[3]}`).join(", ");
        expect(seen).toBe("12 0, 23 10"); // half an INS at the end
      }
    }
  });

  test("byte by byte", () => {
    expect(result(packed(deflateRawSync(operations)), 60)).toBe("3: 28 0");
    expect(result(packed(deflateRawSync(operations.subarray(0, 0))).concat(read(0, 1)), 1)).toBe("1: 12 0");
  });

  test("distances up to 32 KiB, and more than the window in all", () => {
    const far = Uint8Array.from([...noise(0x7f00, 8), ...noise(0x7f00, 8), ...noise(0x200, 1)]);
    const stream = Uint8Array.from([...blk(0, far), ...ins(far), ...commit()]);
    expect(result(packed(deflateRawSync(stream, { level: 9 })))).toBe("3: 28 0");
    expect(Buffer.compare(board.flash.subarray(0, far.length), far)).toBe(0);
  });

  test("operations before, in several and behind count on", () => {
    const part = (bytes: readonly number[]): number[] => packed(deflateRawSync(Uint8Array.from(bytes)));
    expect(result([...read(0, 1), ...part([...read(0, 1), ...read(0, 1)]), ...part(read(0, 1)), ...read(0, 1)])).toBe(
      "0: 12 0, 2: 12 0, 3: 12 0, 5: 12 0, 6: 12 0",
    );
  });

  test("without the inflate part", () => {
    board.loaded = 2;
    expect(result(packed(deflateRawSync(operations)))).toBe("0: 33 9");
    board.loaded = 3;
  });
});

describe("a stream that is none", () => {
  test("cut short, or longer than it is, or with half an operation at its end", () => {
    const deflated = deflateRawSync(Uint8Array.from(read(0, 1)));
    expect(result([0x33, deflated.length - 1, ...deflated.subarray(0, -1)])).toMatch(/ 10$/);
    expect(result(packed(Uint8Array.from([...deflated, 0])))).toBe("1: 12 0, 2: 12 10");
    expect(result(packed(deflateRawSync(Uint8Array.of(0x12, 0))))).toBe("1: 12 10");
  });

  test("whatever zlib refuses is refused, whatever it takes comes out the same", () => {
    const base = [...deflateRawSync(operations.subarray(0, 1500))];
    const raw = noise(4000, 11);
    let refused = 0;
    for (let run = 0; run < 150; run++) {
      const bytes = base.slice();
      for (let edit = 0; edit <= run % 3; edit++)
        bytes[((raw[run * 5 + edit] ?? 0) * 7) % (run % 2 ? 60 : bytes.length)] = raw[run * 3 + edit] ?? 0;
      const good = accepts(Uint8Array.from(bytes));
      const seen = result(packed(Uint8Array.from(bytes)));
      if (!good) refused++;
      // What comes out is no whole operation in most cases; a refused stream must never end well.
      if (!good) expect(seen).toMatch(/ (10|[1-4])$/);
    }
    expect(refused).toBeGreaterThan(40);
  });
});

function accepts(bytes: Uint8Array): boolean {
  try {
    inflateRawSync(bytes);
    return true;
  } catch {
    return false;
  }
}
