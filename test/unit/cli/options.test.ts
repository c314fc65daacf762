import { expect, test } from "vitest";
import { UsageError } from "../../../src/cli/exit.ts";
import { readAppOffset, readBaud, readChip, readFlashSize, readNumber, readOptions } from "../../../src/cli/options.ts";

/** What the user is told, or what was read. */
function outcome(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (error instanceof UsageError) return `usage: ${error.message}`;
    throw error;
  }
}

test("numbers are decimal or hex, with K and M for KiB and MiB", () => {
  const words = ["0", "921600", "0x10000", "0xFF", "64k", "64KB", "4M", "4mb", "0x10k"];
  expect(words.map((word) => readNumber(word, "--x"))).toEqual([
    0, 921_600, 65_536, 255, 65_536, 65_536, 4_194_304, 4_194_304, 16_384,
  ]);
});

test("what is no whole number is named with its option", () => {
  const words = ["", "abc", "-1", "1.5", "0x", "4G", "1e6", "99999999999999999999"];
  expect(words.map((word) => outcome(() => readNumber(word, "--seed")))).toEqual(
    words.map((word) => `usage: --seed '${word}' is not a number`),
  );
});

test("a bit rate that no port does is refused", () => {
  expect(["0", "300", "1200", "2000000", "99999999"].map((word) => outcome(() => readBaud(word)))).toEqual([
    "usage: --baud 0 is not between 1200 and 12000000",
    "usage: --baud 300 is not between 1200 and 12000000",
    1_200,
    2_000_000,
    "usage: --baud 99999999 is not between 1200 and 12000000",
  ]);
});

test("a flash size that no chip has is refused", () => {
  const sizes = "flash chips are 256KB, 512KB, 1MB, 2MB, 4MB … 128MB";
  expect(["4MB", "256K", "3MB", "1K", "0", "0x400000"].map((word) => outcome(() => readFlashSize(word)))).toEqual([
    0x400000,
    0x40000,
    `usage: --flash-size 3MB: ${sizes}`,
    `usage: --flash-size 1K: ${sizes}`,
    `usage: --flash-size 0: ${sizes}`,
    0x400000,
  ]);
});

test("an application begins at the start of a sector", () => {
  expect(["0x20000", "0x10100"].map((word) => outcome(() => readAppOffset(word)))).toEqual([
    0x20000,
    "usage: --app-offset 0x10100 is not the start of a sector (a multiple of 0x1000)",
  ]);
});

test("a chip may be written as in its data sheet", () => {
  expect(["esp32c3", "ESP32-C3", "ESP8266"].map(readChip)).toEqual(["esp32c3", "esp32c3", "esp8266"]);
  expect(outcome(() => readChip("esp33"))).toMatch(/^usage: --chip esp33 is not one of esp8266, esp32, esp32s2, /);
});

test("words and options may stand in any order, and a lone dash is a value", () => {
  const options = { json: { type: "string" }, full: { type: "boolean" } } as const;
  const { values, positionals } = readOptions(["a.elf", "--json", "-", "b.elf", "--full"], options);
  expect({ values: { ...values }, positionals }).toEqual({
    values: { json: "-", full: true },
    positionals: ["a.elf", "b.elf"],
  });
});

test("an option that is unknown, lacks its value or has one too many is a usage error", () => {
  const options = { json: { type: "string" }, full: { type: "boolean" } } as const;
  const wrong = [["--nope"], ["--json"], ["--full=yes"], ["-x"]];
  expect(wrong.map((args) => outcome(() => readOptions(args, options)))).toEqual([
    "usage: unknown option '--nope'",
    "usage: option '--json <value>' argument missing",
    "usage: option '--full' does not take an argument",
    "usage: unknown option '-x'",
  ]);
});
