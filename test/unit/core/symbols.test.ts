import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { readElf } from "../../../src/core/elf.ts";
import { FlashError } from "../../../src/core/errors.ts";
import { contentsOf, readSymbols } from "../../../src/core/symbols.ts";

const bytes = new Uint8Array(gunzipSync(readFileSync("test/fixtures/firmware/meter-esp32c3-base.elf.gz")));
const elf = readElf(bytes, "meter.elf");
const symbols = readSymbols(elf);

/** Where the one symbol table stands, as `readelf -S` shows it. */
const table = { headerAt: 0x26194 + 12 * 40, offset: 0x21174 };

test("functions and objects are read as readelf shows them", () => {
  expect(symbols.find((symbol) => symbol.name === "now")).toEqual({
    name: "now",
    kind: "function",
    address: 0x42006dc6,
    size: 36,
  });
  expect(symbols.find((symbol) => symbol.name === "summer_work")).toEqual({
    name: "summer_work",
    kind: "object",
    address: 0x3c0221b4,
    size: 28,
  });
  expect(symbols.every((symbol) => symbol.size > 0 && symbol.name !== "")).toBe(true);
  const addresses = symbols.map((symbol) => symbol.address);
  expect(addresses).toEqual(addresses.toSorted((a, b) => a - b));
});

test("the contents of a symbol are bytes of its section; zeroed memory has none", () => {
  const text = elf.sections.find((section) => section.name === ".flash.text");
  const now = { address: 0x42006dc6, size: 36 };
  const from = now.address - 0x42000020;
  expect(contentsOf(elf, now)).toEqual(text?.data.subarray(from, from + 36));
  expect(contentsOf(elf, { address: 0x3fc90130, size: 4 })).toBeUndefined();
  expect(contentsOf(elf, { address: 0x42000020, size: 0x100000 })).toBeUndefined();
});

test("a stripped program has no symbols", () => {
  const stripped = bytes.slice();
  stripped[table.headerAt + 4] = 1; // SHT_PROGBITS
  expect(readSymbols(readElf(stripped, "stripped.elf"))).toEqual([]);
});

test("a table whose names are nowhere is an error, and a damaged one never breaks the reader", () => {
  const lost = bytes.slice();
  lost[table.headerAt + 24] = 99; // sh_link
  expect(() => readSymbols(readElf(lost, "lost.elf"))).toThrow(FlashError);
  for (let at = 0; at < 4_000; at += 7) {
    const damaged = bytes.slice();
    damaged.fill((at * 37) & 0xff, table.offset + at, table.offset + at + 8);
    expect(readSymbols(readElf(damaged, "damaged.elf")).length).toBeGreaterThan(0);
  }
});
