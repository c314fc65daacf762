import { describe, expect, test } from "vitest";
import { concat, equalBytes, filled, formatBytes, hex, isFilledWith, toHex } from "../../../src/core/bytes.ts";
import { raw, struct, u16, u32, u8, viewOf } from "../../../src/core/struct.ts";

const header = struct({ kind: u8, flags: u8, size: u16, value: u32, tail: raw(3) });

describe("a wire structure", () => {
  const bytes = Uint8Array.of(1, 2, 0x34, 0x12, 0xef, 0xbe, 0xad, 0xde, 7, 8, 9);

  test("reads and writes the same little-endian bytes", () => {
    const values = { kind: 1, flags: 2, size: 0x1234, value: 0xdeadbeef, tail: Uint8Array.of(7, 8, 9) };
    expect(header.size).toBe(11);
    expect(header.read(bytes)).toEqual(values);
    expect(header.write(values)).toEqual(bytes);
  });

  test("reads a sub-view without looking at what lies around it", () => {
    const around = concat([filled(5, 0xaa), bytes, filled(5, 0xbb)]);
    expect(header.read(around.subarray(5, 16))).toEqual(header.read(bytes));
    expect(header.read(around, 5)).toEqual(header.read(bytes));
    expect(viewOf(around.subarray(5, 7)).byteLength).toBe(2);
  });

  test("says how many bytes are missing", () => {
    expect(() => header.read(bytes, 1)).toThrow("11 bytes expected at offset 1, only 10 are there");
    expect(() => header.read(bytes, -1)).toThrow("11 bytes expected at offset -1");
  });
});

describe("bytes", () => {
  test("are shown in hex, negative words as unsigned", () => {
    expect([hex(0x10000), hex(5, 4), hex(-1)]).toEqual(["0x10000", "0x0005", "0xffffffff"]);
    expect(toHex(Uint8Array.of(0, 255).subarray(1))).toBe("ff");
  });

  test("are compared and recognised as blank", () => {
    expect(equalBytes(filled(3, 1), Uint8Array.of(1, 1, 1))).toBe(true);
    expect(equalBytes(filled(3, 1), filled(2, 1))).toBe(false);
    expect([
      isFilledWith(filled(9, 0xff), 0xff),
      isFilledWith(Uint8Array.of(255, 0), 0xff),
      isFilledWith(filled(0, 0), 1),
    ]).toEqual([true, false, true]);
  });

  test("are counted for people", () => {
    expect([formatBytes(812), formatBytes(8192), formatBytes(1_572_864)]).toEqual(["812 B", "8.0 KiB", "1.50 MiB"]);
  });
});
