import { describe, expect, test } from "vitest";
import { filled } from "../../../src/core/bytes.ts";
import { md5 } from "../../../src/core/digest.ts";
import type { FlashMap } from "../../../src/core/flash-map.ts";
import { makeImage } from "../../../src/core/image.ts";
import { blankNeighbours, estimateMs, planWrites, type FlashCosts } from "../../../src/core/plan.ts";
import { sectorsOf, uncovered, type Sector } from "../../../src/core/sectors.ts";
import { compareWithRecord, questionsPerRun, questionsPerSector, sampleOf } from "../../../src/core/survey.ts";

const map: FlashMap = [
  { name: "nor", start: 0, size: 0x100000, sectorSize: 0x1000, blockSize: 0x10000, erasedByte: 0xff },
];
const costs: FlashCosts = {
  sectorEraseMs: 45,
  blockEraseMs: 150,
  programMsPerByte: 8 / 0x1000,
  wireMsPerByte: 10 / 0x1000,
  wireRatio: 0.5,
  roundTripMs: 2,
  digestMsPerByte: 1 / 0x1000,
  overlaps: true,
};
const image = (...parts: [address: number, size: number][]) =>
  makeImage(parts.map(([address, size]) => ({ address, data: filled(size, address >> 12), name: "part" })));
const byAddress = (sectors: readonly Sector[]) => new Map(sectors.map((sector) => [sector.address, sector]));

describe("sectors of an image", () => {
  test("hold its bytes, and the erased value beside them", () => {
    const sectors = sectorsOf(image([0x1800, 0x1000], [0x2900, 0x10]), map);
    expect(sectors.map(({ address, covered }) => ({ address, covered }))).toEqual([
      { address: 0x1000, covered: [{ address: 0x1800, size: 0x800 }] },
      {
        address: 0x2000,
        covered: [
          { address: 0x2000, size: 0x800 },
          { address: 0x2900, size: 0x10 },
        ],
      },
    ]);
    expect(sectors.map(uncovered)).toEqual([
      [{ address: 0x1000, size: 0x800 }],
      [
        { address: 0x2800, size: 0x100 },
        { address: 0x2910, size: 0x6f0 },
      ],
    ]);
    expect([sectors[0]?.data[0x7ff], sectors[0]?.data[0x800], sectors[1]?.data[0x8ff]]).toEqual([0xff, 1, 0xff]);
  });

  test("are views of the image where it fills them: nothing is copied", () => {
    const whole = image([0x10000, 0x40000]);
    const [first] = sectorsOf(whole, map);
    expect(first?.data.buffer).toBe(whole.segments[0]?.data.buffer);
  });
});

describe("questions", () => {
  const sectors = sectorsOf(image([0x1000, 0x2000], [0x3000, 0x800], [0x8000, 0x1000]), map);

  test("to confirm a record: one per run of covered bytes", () => {
    expect(
      questionsPerRun(sectors, md5).map(({ range, sectors: of }) => [range.address, range.size, of.length]),
    ).toEqual([
      [0x1000, 0x2800, 3],
      [0x8000, 0x1000, 1],
    ]);
    expect(questionsPerRun(sectors, md5)[1]?.expected).toBe(md5(filled(0x1000, 8)));
  });

  test("to survey: one per sector", () => {
    expect(questionsPerSector(sectors, md5).map(({ range }) => range.address)).toEqual([
      0x1000, 0x2000, 0x3000, 0x8000,
    ]);
  });

  test("a sample is spread over many sectors, and is all of few", () => {
    const many = sectorsOf(image([0, 0x40000]), map);
    expect(sampleOf(many).map((sector) => sector.address >> 12)).toEqual([4, 12, 20, 28, 36, 44, 52, 60]);
    expect(sampleOf(sectors)).toBe(sectors);
  });

  test("a record sorts sectors into the same, the different and the unknown", () => {
    const old: Record<number, Uint8Array> = {
      0x1000: filled(0x1000, 1),
      0x2000: filled(0x1000, 9),
      0x3000: filled(0x1000, 3),
    };
    const { same, different, unknown } = compareWithRecord(sectors, ({ address }) => old[address]);
    expect([same, different, unknown].map((list) => list.map(({ address }) => address))).toEqual([
      [0x1000, 0x3000],
      [0x2000],
      [0x8000],
    ]);
  });
});

describe("a plan", () => {
  const sectors = sectorsOf(image([0x10000, 0x20000]), map);
  const writing = (...indices: number[]) => byAddress(sectors.filter((_, index) => indices.includes(index)));

  test("writes runs, then verifies each of them", () => {
    const plan = planWrites(sectors, writing(1, 2, 20), map, costs);
    expect(
      plan.steps.map((step) =>
        step.kind === "write" ? [step.kind, step.address, step.data.length] : [step.kind, step.range],
      ),
    ).toEqual([
      ["write", 0x11000, 0x2000],
      ["write", 0x24000, 0x1000],
      ["verify", { address: 0x11000, size: 0x2000 }],
      ["verify", { address: 0x24000, size: 0x1000 }],
    ]);
    expect(plan).toMatchObject({ sectors: 32, sectorsToWrite: 3, bytesToWrite: 0x3000, erasedBytes: 0x3000 });
  });

  test("takes a whole block from the number of sectors on at which that is faster", () => {
    const erases = (count: number) =>
      planWrites(sectors, writing(...Array.from({ length: count }, (_, index) => index)), map, costs).steps.flatMap(
        (step) => (step.kind === "write" ? step.erases.map((erase) => erase.unit) : []),
      );
    // n x (45 + 8) against 150 + 16 x 8 = 278: from the sixth sector on.
    expect(erases(5)).toEqual(Array.from({ length: 5 }, () => "sector"));
    expect(erases(6)).toEqual(["block"]);
  });

  test("never takes a block of which a sector that stays is only partly the image's", () => {
    const partly = sectorsOf(image([0x10000, 0xf800]), map);
    const most = byAddress(partly.filter((sector) => sector.address < 0x1c000));
    const plan = planWrites(partly, most, map, costs);
    expect(
      plan.steps.flatMap((step) => (step.kind === "write" ? step.erases.map((erase) => erase.unit) : [])),
    ).not.toContain("block");
  });

  test("erases a block whole with its blank neighbours, which do not count as written", () => {
    const ten = sectorsOf(image([0x10000, 0xa000]), map);
    const [neighbours = []] = blankNeighbours(ten, byAddress(ten), map, costs);
    expect(neighbours.map(({ address }) => address)).toEqual([0x1a000, 0x1b000, 0x1c000, 0x1d000, 0x1e000, 0x1f000]);
    const plan = planWrites([...ten, ...neighbours], byAddress(ten), map, costs);
    expect(plan).toMatchObject({ sectors: 10, sectorsToWrite: 10, bytesToWrite: 0xa000, erasedBytes: 0x10000 });
    expect(plan.steps[0]).toMatchObject({ erases: [{ address: 0x10000, size: 0x10000, unit: "block" }] });
  });

  test("leaves blank neighbours alone where asking for them does not pay, or the block reaches out of its region", () => {
    const three = sectorsOf(image([0x10000, 0x3000]), map);
    expect(blankNeighbours(three, byAddress(three), map, costs)).toEqual([]);
    const short = map.map((region) => ({ ...region, size: 0x1c000 }));
    const ten = sectorsOf(image([0x10000, 0xa000]), short);
    expect(blankNeighbours(ten, byAddress(ten), short, costs)).toEqual([]);
  });

  test("for nothing to write has no steps", () => {
    expect(planWrites(sectors, new Map(), map, costs).steps).toEqual([]);
  });

  test("is estimated: the longer of wire and flash, round trips, and the digest", () => {
    const plan = planWrites(sectors, writing(3), map, costs);
    expect(estimateMs(plan, costs)).toBeCloseTo(45 + 8 + 3 * 2 + 2 + 1);
    expect(estimateMs(plan, { ...costs, overlaps: false })).toBeCloseTo(45 + 8 + 5 + 3 * 2 + 2 + 1);
  });
});
