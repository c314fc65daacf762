import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FlashError } from "../../../src/core/errors.ts";
import type { FlashMap } from "../../../src/core/flash-map.ts";
import { makeImage, type Image } from "../../../src/core/image.ts";
import { noProgress, type FlashOptions, type FlashProgress } from "../../../src/engine/flash-job.ts";
import { flashMemory } from "../../../src/engine/flash.ts";
import { MemoryBoard, MemoryRecord, testContext } from "./memory-board.ts";

const normal: FlashOptions = { full: false, dryRun: false, reset: true };

async function flash(
  board: MemoryBoard,
  image: Image,
  record = new MemoryRecord(),
  options: Partial<FlashOptions> = {},
): Promise<{ outcome: string; progress: FlashProgress }> {
  const progress = noProgress();
  const outcome = await flashMemory({
    session: board,
    image,
    record,
    options: { ...normal, ...options },
    context: testContext(),
    progress,
  });
  return { outcome, progress };
}

const maps: readonly FlashMap[] = [
  [{ name: "nor", start: 0, size: 0x40000, sectorSize: 0x1000, blockSize: 0x10000, erasedByte: 0xff }],
  [{ name: "no blocks", start: 0x2000, size: 0x8000, sectorSize: 0x400, erasedByte: 0xff }],
  [
    { name: "small", start: 0, size: 0x10000, sectorSize: 0x4000, erasedByte: 0xff },
    { name: "large", start: 0x10000, size: 0x30000, sectorSize: 0x10000, erasedByte: 0xff },
  ],
];

/** A few segments anywhere in the map, not overlapping; contents repeat, so that old and new often agree. */
const segmentsIn = (map: FlashMap) => {
  const first = map[0]?.start ?? 0;
  const last = map.at(-1);
  const end = (last?.start ?? 0) + (last?.size ?? 0);
  return fc
    .array(
      fc.record({
        address: fc.integer({ min: first, max: end - 1 }),
        length: fc.oneof(fc.integer({ min: 1, max: 0x900 }), fc.constantFrom(0x400, 0x1000, 0x4000, 0x10000)),
        seed: fc.integer({ min: 0, max: 3 }),
        aligned: fc.boolean(),
      }),
      { minLength: 1, maxLength: 5 },
    )
    .map((wanted) => {
      let free = first;
      const segments = wanted
        .map((one) => ({ ...one, address: one.aligned ? one.address & ~0xfff : one.address }))
        .sort((a, b) => a.address - b.address)
        .flatMap(({ address, length, seed }, index) => {
          const from = Math.max(free, address, first);
          const size = Math.min(length, end - from);
          if (size <= 0) return [];
          free = from + size;
          return [{ address: from, data: contents(from, size, seed), name: `s${index}` }];
        });
      return makeImage(segments);
    });
};

/** Depends on the address and the seed only. */
function contents(address: number, size: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => (((address + index) >> 5) * (seed + 1) * 37) & 0xff);
}

function expected(before: Uint8Array, image: Image): Uint8Array {
  const after = before.slice();
  for (const segment of image.segments) after.set(segment.data, segment.address);
  return after;
}

const mostErases = (board: MemoryBoard) => board.erased.reduce((most, times) => Math.max(most, times), 0);

function expectBytes(found: Uint8Array, wanted: Uint8Array): void {
  if (Buffer.compare(found, wanted) === 0) return;
  const at = found.findIndex((byte, index) => byte !== wanted[index]);
  expect({ length: found.length, firstDifferenceAt: at }).toEqual({ length: wanted.length, firstDifferenceAt: -1 });
}

const filledMemory = (seed: number) => contents(0, 0x40000, seed);

describe("whatever stood there before, whatever the image", () => {
  const scenario = fc.constantFrom(...maps).chain((map) =>
    fc.record({
      map: fc.constant(map),
      first: segmentsIn(map),
      second: segmentsIn(map),
      seed: fc.integer({ min: 0, max: 3 }),
      full: fc.boolean(),
      meddle: fc.option(fc.integer({ min: 0x2000, max: 0x9fff })),
      pullAt: fc.integer({ min: 1, max: 12 }),
    }),
  );

  test("the flash holds the image afterwards and every other byte is as it was, and nothing is erased twice", async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ map, first, second, seed, full, meddle }) => {
        const record = new MemoryRecord();
        const one = new MemoryBoard(map, filledMemory(seed));
        await flash(one, first, record);
        expectBytes(one.memory, expected(filledMemory(seed), first));
        if (meddle !== null) one.memory[meddle] = (one.memory[meddle] ?? 0) ^ 0x5a;

        const before = one.memory.slice();
        const two = new MemoryBoard(map, one.memory);
        await flash(two, second, record, { full });
        expectBytes(two.memory, expected(before, second));
        expect(mostErases(two)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 100 },
    );
  });

  test("a flash that is cut short is repaired by the next one", async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ map, first, second, seed, pullAt }) => {
        const record = new MemoryRecord();
        const board = new MemoryBoard(map, filledMemory(seed));
        await flash(board, first, record);
        const cut = new MemoryBoard(map, board.memory);
        cut.pullAtStep = pullAt;
        await flash(cut, second, record).catch((error: unknown) => {
          expect(error).toBeInstanceOf(FlashError);
        });
        const repaired = new MemoryBoard(map, cut.memory);
        await flash(repaired, second, record);
        for (const { address, data } of second.segments)
          expectBytes(repaired.memory.subarray(address, address + data.length), data);
      }),
      { numRuns: 60 },
    );
  });

  test("flashing the same image again writes nothing and says so", async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ map, first, seed }) => {
        const record = new MemoryRecord();
        const board = new MemoryBoard(map, filledMemory(seed));
        await flash(board, first, record);
        const again = new MemoryBoard(map, board.memory);
        const { outcome, progress } = await flash(again, first, record);
        expect(outcome).toBe("unchanged");
        expect(progress.written).toEqual({ bytes: 0, sectors: 0, erasedBytes: 0 });
        expect(mostErases(again)).toBe(0);
        expect(again.resets).toBe(1);
      }),
      { numRuns: 50 },
    );
  });
});

describe("what is asked and written", () => {
  const [map = []] = maps;
  const image = (edit?: number) => {
    const data = contents(0x10000, 0x20000, 1);
    if (edit !== undefined) data[edit] = (data[edit] ?? 0) ^ 1;
    return makeImage([{ address: 0x10000, data, name: "app" }]);
  };

  test("a board that is known is asked once per run of sectors that stay", async () => {
    const record = new MemoryRecord();
    const board = new MemoryBoard(map, filledMemory(0));
    await flash(board, image(), record);
    board.questions = 0;
    const { progress } = await flash(board, image(0x8123), record);
    expect(progress.written).toEqual({ bytes: 0x1000, sectors: 1, erasedBytes: 0x1000 });
    expect(board.questions).toBe(3); // the run before, the run behind, the verification
  });

  test("on a board of which nothing is known a sample decides whether asking on pays", async () => {
    const board = new MemoryBoard(map, filledMemory(3));
    const { progress } = await flash(board, image());
    expect(progress.written.sectors).toBe(32);
    expect(board.questions).toBe(8 + 1);
  });

  test("without a record only the sectors that differ are written when the board holds a similar image", async () => {
    const board = new MemoryBoard(map, filledMemory(0));
    await flash(board, image());
    const { progress } = await flash(board, image(0x5000), new MemoryRecord());
    expect(progress.written.sectors).toBe(1);
  });

  test("a dry run touches nothing and estimates", async () => {
    const board = new MemoryBoard(map, filledMemory(0));
    const { outcome, progress } = await flash(board, image(), new MemoryRecord(), { dryRun: true });
    expect(outcome).toBe("planned");
    expectBytes(board.memory, filledMemory(0));
    expect(board.resets).toBe(0);
    expect(progress.plan?.sectorsToWrite).toBe(32);
    expect(progress.estimateMs).toBeGreaterThan(200);
  });

  test("a whole block is erased at once where that is faster, and its sectors one by one where it is not", async () => {
    const record = new MemoryRecord();
    const board = new MemoryBoard(map, filledMemory(0));
    await flash(board, image(), record);
    const many = contents(0x10000, 0x20000, 1);
    for (let sector = 0; sector < 12; sector++) many[sector * 0x1000] = 0x55;
    many[0x18000] = 0x55;
    const { progress } = await flash(board, makeImage([{ address: 0x10000, data: many, name: "app" }]), record);
    const erases = progress.plan?.steps.flatMap((step) => (step.kind === "write" ? step.erases : []));
    expect(erases).toEqual([
      { address: 0x10000, size: 0x10000, unit: "block" },
      { address: 0x28000, size: 0x1000, unit: "sector" },
    ]);
  });

  test("a run that reads back wrongly is written once more, and then given up", async () => {
    const lyingBoard = (lies: number) => {
      const board = new MemoryBoard(map, filledMemory(0));
      const digests = board.digests.bind(board);
      let left = lies;
      board.digests = async (ranges) => {
        const answers = await digests(ranges);
        return mostErases(board) > 0 && left-- > 0 ? answers.map(() => "0") : answers;
      };
      return board;
    };
    const { outcome, progress } = await flash(lyingBoard(1), image());
    expect(outcome).toBe("flashed");
    expect(progress.notes.join()).toContain("read back wrongly");
    const refused = await flash(lyingBoard(2), image()).catch((error: unknown) => (error as FlashError).code);
    expect(refused).toBe("verify-failed");
  });

  test("an image outside the flash is refused by name before anything happens", async () => {
    const board = new MemoryBoard(map, filledMemory(0));
    const outside = makeImage([{ address: 0x3fff0, data: new Uint8Array(0x20), name: "assets" }]);
    await expect(flash(board, outside)).rejects.toThrow(
      "assets (0x3fff0 to 0x40010) lies outside the flash at 0x40000; there is nor 0x0 to 0x40000",
    );
    expectBytes(board.memory, filledMemory(0));
  });
});
