import { expect, test } from "vitest";
import { formatReport } from "../../../src/cli/show-report.ts";
import type { Report } from "../../../src/engine/report.ts";

const flashed: Report = {
  version: 1,
  board: "esp32c3",
  chip: "esp32c3",
  identity: "60:55:f9:00:00:01",
  port: "/dev/ttyUSB0",
  result: "flashed",
  error: null,
  totalMs: 500,
  spans: [
    { phase: "connect", label: "reset + sync", startMs: 0, durationMs: 100, bytes: 0 },
    { phase: "write", label: "0x10000 erase + write 8 KiB", startMs: 100, durationMs: 400, bytes: 8192 },
  ],
  image: { bytes: 160_000, sectors: 40 },
  written: { bytes: 8192, sectors: 2, erasedBytes: 8192 },
  wire: { sentBytes: 9000, receivedBytes: 800, roundTrips: 21 },
  notes: [],
};
const real = { simulated: false };

/** The line that says what happened. */
function headline(changes: Partial<Report>): string {
  return formatReport({ ...flashed, ...changes }, real).split("\n", 1)[0] ?? "";
}

test("a flash is told in one line, then comes where the time went", () => {
  expect(formatReport(flashed, real)).toMatchInlineSnapshot(`
    "flashed 2 of 40 sectors (8.0 KiB) in 500 ms: esp32c3 60:55:f9:00:00:01 on /dev/ttyUSB0

    connect  reset + sync                    100.0 ms  ########
    write    0x10000 erase + write 8 KiB     400.0 ms          ################################    8.0 KiB   20.0 KiB/s
    total                                    500.0 ms
    wire: 8.8 KiB sent, 800 B received, 21 round trips
    "
  `);
});

test("every result has its sentence", () => {
  const written = { bytes: 0, sectors: 0, erasedBytes: 0 };
  expect([
    headline({ result: "unchanged", written }),
    headline({ result: "loaded", written, totalMs: 12_345 }),
    headline({ result: "planned", estimateMs: 321 }),
  ]).toEqual([
    "unchanged: all 40 sectors were right already, 500 ms: esp32c3 60:55:f9:00:00:01 on /dev/ttyUSB0",
    "loaded 156.3 KiB into RAM in 12.3 s: esp32c3 60:55:f9:00:00:01 on /dev/ttyUSB0",
    "would write 2 of 40 sectors (8.0 KiB), about 321 ms: esp32c3 60:55:f9:00:00:01 on /dev/ttyUSB0",
  ]);
});

test("a failure says what and where, what to do, and shows the trace up to there", () => {
  const error = { code: "timeout", message: "no ESP loader answers on /dev/ttyUSB0", remedy: "Press reset." } as const;
  const text = formatReport({ ...flashed, result: "failed", error, spans: flashed.spans.slice(0, 1) }, real);
  expect(text.split("\n").slice(0, 5).join("\n")).toMatchInlineSnapshot(`
    "failed after 500 ms: esp32c3 60:55:f9:00:00:01 on /dev/ttyUSB0
    deltaflash: no ESP loader answers on /dev/ttyUSB0
    Press reset.

    connect  reset + sync     100.0 ms  ########"
  `);
});

test("a cancelled flash is not called failed", () => {
  const error = { code: "cancelled", message: "the flash was cancelled", remedy: "Flash again." } as const;
  expect(headline({ result: "failed", error })).toBe(
    "cancelled after 500 ms: esp32c3 60:55:f9:00:00:01 on /dev/ttyUSB0",
  );
});

test("a failure before the port was opened is its two sentences and nothing else", () => {
  const error = { code: "bad-image", message: "/tmp/a.elf does not exist", remedy: "Build first." } as const;
  const wire = { sentBytes: 0, receivedBytes: 0, roundTrips: 0 };
  expect(formatReport({ ...flashed, result: "failed", error, spans: [], wire }, real)).toBe(
    "deltaflash: /tmp/a.elf does not exist\nBuild first.\n",
  );
});

test("notes, the board's own words and its being simulated are said", () => {
  const text = formatReport({ ...flashed, notes: ["Watch this board."] }, { simulated: true, says: "hello" });
  expect(text).toContain("\nnote: Watch this board.\n");
  expect(text).toMatch(
    /\nthe board says: hello\nThis was a simulated board: its times are a model's, not a real board's\.\n$/,
  );
});
