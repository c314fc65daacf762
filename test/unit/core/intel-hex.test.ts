import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { hex } from "../../../src/core/bytes.ts";
import { FlashError } from "../../../src/core/errors.ts";
import { readIntelHex } from "../../../src/core/intel-hex.ts";
import { noise } from "../../fixtures/elf-writer.ts";
import { hexRecord, writeHex } from "../../fixtures/hex-writer.ts";

const END = ":00000001FF";
const line = (type: number, address: number, ...data: number[]) => hexRecord(type, address, Uint8Array.from(data));
const file = (...lines: string[]) => `${lines.join("\n")}\n`;

function outcome(text: string): string {
  try {
    const { segments, start } = readIntelHex(text, "app.hex");
    const rows = segments.map((s) => `${hex(s.address)}: ${Buffer.from(s.data).toString("hex")}`);
    return [...rows, ...(start === undefined ? [] : [`start ${hex(start)}`])].join("; ");
  } catch (error) {
    if (error instanceof FlashError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

describe("records", () => {
  test.each<[string, string, string]>([
    ["data", file(line(0, 0x10, 1, 2), END), "0x10: 0102"],
    ["lines that touch become one segment", file(line(0, 2, 3), line(0, 0, 1, 2), END), "0x0: 010203"],
    [
      "an upper half",
      file(line(4, 0, 0x08, 0x00), line(0, 0x100, 7), line(4, 0, 0, 0), line(0, 0, 9), END),
      "0x0: 09; 0x8000100: 07",
    ],
    [
      "a segment turns round at 64 KiB",
      file(line(2, 0, 0x10, 0x00), line(0, 0xffff, 1, 2), END),
      "0x10000: 02; 0x1ffff: 01",
    ],
    ["an upper half does not turn round", file(line(4, 0, 0, 1), line(0, 0xffff, 1, 2), END), "0x1ffff: 0102"],
    ["a start address", file(line(0, 0, 1), line(5, 0, 0x08, 0, 1, 1), END), "0x0: 01; start 0x8000101"],
    ["a start of segment and offset", file(line(0, 0, 1), line(3, 0, 0x10, 0, 0, 4), END), "0x0: 01; start 0x10004"],
    [
      "lower case, blank lines, CR LF and no last line end",
      `\r\n${line(0, 0, 0xab).toLowerCase()}\r\n\r\n${END}`,
      "0x0: ab",
    ],
  ])("%s", (_, text, expected) => expect(outcome(text)).toBe(expected));
});

describe("what is wrong is said with its line", () => {
  test.each<[string, string, string]>([
    [
      "a wrong checksum",
      file(line(0, 0, 1), ":0100010002FF", END),
      "bad-image: app.hex, line 2: the checksum is 0xff, the bytes give 0xfc",
    ],
    [
      "a line cut off",
      file(line(0, 0, 1, 2).slice(0, -3)),
      "bad-image: app.hex, line 1: the record says 2 bytes, which is 14 digits, and has 11",
    ],
    [
      "a line too long",
      file(`${line(0, 0, 1)}00`),
      "bad-image: app.hex, line 1: the record says 1 bytes, which is 12 digits, and has 14",
    ],
    [
      "no colon",
      file(line(0, 0, 1), "S9030000FC"),
      'bad-image: app.hex, line 2: a record begins with a colon, this line with "S"',
    ],
    ["no hex digits", file(":0g"), "bad-image: app.hex, line 1: there are characters that are no hex digits"],
    ["an unknown type", file(line(6, 0)), "bad-image: app.hex, line 1: record type 0x06 is none of 00 to 05"],
    ["a wrong length", file(line(4, 0, 1)), "bad-image: app.hex, line 1: record type 0x04 has 1 bytes, not 2"],
    ["no end", file(line(0, 0, 1)), "bad-image: app.hex has no end record (:00000001FF) after 1 lines: it is cut off"],
    [
      "more behind the end",
      file(line(0, 0, 1), END, line(0, 1, 1)),
      "bad-image: app.hex, line 3: there is more behind the end record",
    ],
    [
      "data twice",
      file(line(0, 0, 1, 2), line(0, 8, 1), line(0, 1, 3), END),
      "bad-image: app.hex, line 3: the data at 0x1 overlap those at 0x0, which begin on line 1",
    ],
    ["no data", file(END), "bad-image: app.hex holds no data"],
    ["an empty file", "", "bad-image: app.hex has no end record (:00000001FF) after 0 lines: it is cut off"],
    [
      "past the address space",
      file(line(4, 0, 0xff, 0xff), line(0, 0xffff, 1, 2), END),
      "bad-image: app.hex, line 2: the data at 0xffffffff end past the 32-bit address space",
    ],
  ])("%s", (_, text, expected) => expect(outcome(text)).toBe(expected));
});

const segments = fc
  .array(fc.record({ gap: fc.integer({ min: 1, max: 0x1_2000 }), size: fc.integer({ min: 1, max: 700 }) }), {
    minLength: 1,
    maxLength: 6,
  })
  .chain((rows) => fc.record({ base: fc.constantFrom(0, 0xfff0, 0x0800_0000, 0xfff0_0000), rows: fc.constant(rows) }))
  .map(({ base, rows }) => {
    let at = base;
    return rows.map((row, index) => {
      const address = at + row.gap;
      at = address + row.size;
      return { address, data: noise(row.size, index) };
    });
  });

test("any segments come back as they were written", () => {
  const options = fc.record({ width: fc.integer({ min: 1, max: 255 }), newline: fc.constantFrom("\n", "\r\n") });
  fc.assert(
    fc.property(segments, options, fc.nat(), (written, form, start) => {
      const read = readIntelHex(writeHex(written, { ...form, start }), "a.hex");
      expect(read.start).toBe(start);
      expect(read.segments.map((s) => [s.address, Buffer.from(s.data).toString("hex")])).toEqual(
        written.map((s) => [s.address, Buffer.from(s.data).toString("hex")]),
      );
    }),
  );
});

test("a file cut off anywhere is an error, never less contents", () => {
  const whole = writeHex([{ address: 0x0800_0000, data: noise(5_000, 1) }]);
  for (let length = 0; length < whole.length - 1; length += 7) {
    expect(outcome(whole.slice(0, length)), `${length} characters`).toMatch(/^bad-image: /);
  }
});

test("4 MiB are read in less than a second", () => {
  const text = writeHex([{ address: 0, data: new Uint8Array(4 << 20) }], { width: 32, newline: "\n" });
  const start = performance.now();
  readIntelHex(text, "big.hex");
  expect(performance.now() - start).toBeLessThan(1_000);
});
