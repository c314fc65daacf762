import { crc32 as zlibCrc32 } from "node:zlib";
import { expect, test } from "vitest";
import { crc32 } from "../../../src/core/crc32.ts";

test("the CRC is zlib's, whatever the length and wherever it is cut", () => {
  const bytes = Uint8Array.from({ length: 300 }, (_, index) => (index * 73) ^ (index >> 3));
  for (let length = 0; length <= bytes.length; length++) {
    const part = bytes.subarray(0, length);
    expect(crc32(part)).toBe(zlibCrc32(part));
    expect(crc32(part.subarray(length >> 1), crc32(part.subarray(0, length >> 1)))).toBe(zlibCrc32(part));
  }
});
