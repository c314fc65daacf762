import { describe, expect, test } from "vitest";
import { FlashError } from "../../../src/core/errors.ts";
import { checkFits, type FlashMap } from "../../../src/core/flash-map.ts";
import { endOf, imageBytes, makeImage } from "../../../src/core/image.ts";

const segment = (address: number, size: number, name = `at ${address}`) => ({
  address,
  data: new Uint8Array(size),
  name,
});

describe("an image", () => {
  test("has its segments by address, without the empty ones", () => {
    const image = makeImage([segment(0x2000, 4), segment(0x3000, 0), segment(0x1000, 8)]);
    expect(image.segments.map((one) => one.address)).toEqual([0x1000, 0x2000]);
    expect(imageBytes(image)).toBe(12);
    expect(image.segments.map(endOf)).toEqual([0x1008, 0x2004]);
  });

  test("may have segments that touch, but none that overlap; both are named", () => {
    expect(makeImage([segment(0, 0x10), segment(0x10, 4)]).segments).toHaveLength(2);
    expect(() => makeImage([segment(0x1000, 0x20, ".text"), segment(0x101f, 4, ".data")])).toThrow(
      ".text (0x1000 to 0x1020) overlaps .data, which starts at 0x101f",
    );
  });

  test("ends inside the 32-bit address space", () => {
    expect(makeImage([segment(0xffff_fff0, 0x10)]).segments).toHaveLength(1);
    expect(() => makeImage([segment(0xffff_fff0, 0x11, "x")])).toThrow(
      "x at 0xfffffff0 ends past the 32-bit address space",
    );
  });
});

describe("a flash map", () => {
  const map: FlashMap = [
    { name: "bank 1", start: 0x1000, size: 0x1000, sectorSize: 0x400, erasedByte: 0xff },
    { name: "bank 2", start: 0x2000, size: 0x2000, sectorSize: 0x1000, erasedByte: 0xff },
    { name: "bank 3", start: 0x8000, size: 0x1000, sectorSize: 0x1000, erasedByte: 0xff },
  ];
  const fits = (address: number, size: number) => checkFits(makeImage([segment(address, size, "app")]), map);

  test("takes what lies in one region, or goes on in the next one that touches", () => {
    fits(0x1000, 0x1000);
    fits(0x1800, 0x2800);
  });

  test("refuses the first byte outside, and says what there is", () => {
    expect(() => fits(0x3000, 0x1001)).toThrow(
      "app (0x3000 to 0x4001) lies outside the flash at 0x4000; there is bank 1 0x1000 to 0x2000, bank 2 0x2000 to 0x4000, bank 3 0x8000 to 0x9000",
    );
    expect(() => fits(0, 1)).toThrow(FlashError);
  });
});
