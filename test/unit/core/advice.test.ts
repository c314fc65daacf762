import { describe, expect, test } from "vitest";
import { estimateFullWrite } from "../../../src/core/advice-estimate.ts";
import { bitRate, knownBitRate, median, roundTripMs } from "../../../src/core/advice-facts.ts";
import type { FlashFacts } from "../../../src/core/advice-rule.ts";
import { advise } from "../../../src/core/advice.ts";
import type { Span } from "../../../src/core/trace.ts";

type Step = readonly [phase: Span["phase"], label: string, durationMs: number, bytes?: number];

/** The connection of an ESP32-C3 at 921600 baud, milliseconds as measured on the simulated board. */
const connection: readonly Step[] = [
  ["connect", "reset + sync", 67],
  ["connect", "chip", 11],
  ["connect", "bit rate", 8],
  ["connect", "identity", 4.9],
  ["connect", "stub upload", 79, 6_084],
  ["connect", "stub start", 12],
];
const changes: readonly Step[] = [
  ["survey", "confirm 37 sectors", 164, 151_552],
  ["write", "0x10000 erase + write 12 KiB", 150, 12_288],
  ["verify", "digest of what was written", 20, 12_288],
  ["reset", "start the program", 10],
];

function flash(steps: readonly Step[], facts: Partial<FlashFacts> = {}): FlashFacts {
  let startMs = 0;
  const spans = steps.map(([phase, label, durationMs, bytes = 0]) => {
    const span = { phase, label, startMs, durationMs, bytes };
    startMs += durationMs;
    return span;
  });
  return {
    result: "flashed",
    chip: "esp32c3",
    identity: "60:55:f9:00:00:01",
    port: "/dev/ttyUSB0",
    totalMs: startMs,
    spans,
    image: { bytes: 160_000, sectors: 40 },
    written: { bytes: 12_288, sectors: 3 },
    wire: { sentBytes: 13_700, receivedBytes: 800, roundTrips: 32 },
    notes: [],
    ...facts,
  };
}

const text = (one: FlashFacts, earlier: readonly FlashFacts[] = []) =>
  advise(one, earlier)
    .map(({ id, severity, title, explanation, savesMs, action }) =>
      [
        `${id} (${severity}${savesMs === undefined ? "" : `, ${Math.round(savesMs)} ms`}): ${title}`,
        explanation,
        ...(action === undefined ? [] : [`[${action.label}]`]),
      ].join("\n"),
    )
    .join("\n\n");

const good = flash([...connection, ...changes]);
const vain: readonly Step[] = [...connection.slice(0, 2), ["connect", "bit rate", 300]];
const lowered = flash([...vain, ...connection, ...changes]);

describe("advice", () => {
  test("is not given where nothing is to be gained", () => {
    expect(advise(good, [good, good])).toEqual([]);
    expect(advise(flash([], { result: "unchanged" }), [])).toEqual([]);
  });

  test("is not given for failures and plans", () => {
    for (const result of ["failed", "planned"] as const) {
      expect(advise({ ...lowered, result }, [lowered])).toEqual([]);
    }
  });

  test("on a bit rate that had to be lowered: once it is remembered, again it is a setting", () => {
    expect(text(lowered)).toMatchInlineSnapshot(`
      "rate-lowered (warning): The bit rate had to be lowered
      The board did not answer at the rate that was asked for and was connected anew with 921600 baud; the vain attempts took 378 ms. Deltaflash remembers the rate that held for this port. A shorter cable or a port without a hub may hold the high one."
    `);
    expect(text(lowered, [lowered])).toMatchInlineSnapshot(`
      "rate-lowered (warning, 378 ms): The bit rate had to be lowered
      The board did not answer at the rate that was asked for and was connected anew with 921600 baud; the vain attempts took 378 ms. It has happened before on this port, so a setting asks for the high rate each time.
      [Use 921600 baud from the start]"
    `);
  });

  test("no higher rate is proposed where one has failed before", () => {
    const long = flash([...connection, ["write", "run", 6_000, 600_000]], {
      written: { bytes: 600_000, sectors: 147 },
      image: { bytes: 600_000, sectors: 147 },
      wire: { sentBytes: 500_000, receivedBytes: 1, roundTrips: 60 },
    });
    expect(advise(long, []).map((advice) => advice.id)).toContain("bit-rate");
    expect(advise(long, [lowered]).map((advice) => advice.id)).not.toContain("bit-rate");
    expect(advise({ ...long, port: "tcp://board:3333" }, []).map((advice) => advice.id)).not.toContain("bit-rate");
  });

  test("says where a higher rate would not help", () => {
    const slowChip = flash(
      [...connection, ["survey", "confirm 1 sectors", 4, 4_096], ["write", "run", 9_000, 400_000]],
      {
        written: { bytes: 400_000, sectors: 98 },
        image: { bytes: 600_000, sectors: 147 },
        wire: { sentBytes: 20_000, receivedBytes: 1, roundTrips: 60 },
      },
    );
    expect(text(slowChip)).toMatchInlineSnapshot(`
      "flash-chip (info): The flash chip set the pace
      Of 9000 ms of writing the wire needed 151 ms; the rest went into erasing and programming 98 sectors, 92 ms each. A higher bit rate would not help; fewer changed sectors do."
    `);
  });

  test("on verification that is slower than it was before", () => {
    const romVerify = flash([...connection, ["write", "run", 400, 40_960], ["verify", "digest", 900, 40_960]], {
      written: { bytes: 40_960, sectors: 10 },
    });
    expect(text(romVerify, [good])).toContain("slow-verify (info");
    expect(text(romVerify, [])).not.toContain("slow-verify");
  });

  test("on what was asked sector by sector, with the reason", () => {
    const looked = [...connection, ["survey", "look at 40 sectors", 300, 163_840], ...changes] as const;
    expect(text(flash(looked))).toMatchInlineSnapshot(`
      "unknown-board (info): Part of this board was not known yet
      Looking at sectors one by one took 300 ms, and 3 of 40 had to be written. They are remembered now, and the next flash need only confirm them."
    `);
    expect(text(flash(looked, { notes: ["An earlier flash was cut short; 3 sectors were left in doubt."] }))).toContain(
      "cut-short (info)",
    );
    const other = flash(looked, { notes: ["Something else has written to this board since the last flash; what…"] });
    expect(text(other)).toContain("other-writer (warning, 123 ms)");
  });

  test("comes with the greatest saving first, and only from flashes of the same board", () => {
    const slowly = connection.map((step) => (step[1] === "identity" ? (["connect", "identity", 40] as const) : step));
    const held = flash([...vain, ...slowly, ...changes]);
    const elsewhere = { ...held, identity: "another" };
    expect(advise(held, [held]).map((advice) => advice.id)).toEqual(["bridge-latency", "rate-lowered"]);
    expect(advise(held, [elsewhere]).find((advice) => advice.id === "rate-lowered")?.savesMs).toBeUndefined();
  });
});

describe("facts of a trace", () => {
  test("the median is the middle value", () => {
    expect([median([]), median([5]), median([9, 1, 3]), median([4, 1, 3, 2])]).toEqual([undefined, 5, 3, 2.5]);
  });

  test("round trip and rate come from the connection that held", () => {
    expect([roundTripMs(lowered), bitRate(lowered)]).toEqual([2.45, 921_600]);
    expect([roundTripMs(flash(changes)), bitRate(flash(changes))]).toEqual([undefined, undefined]);
  });

  test("a connection that stood already has the rate of the flash before, on the same port", () => {
    const warm = flash(changes);
    expect(knownBitRate(warm, [good])).toBe(921_600);
    expect(knownBitRate(warm, [{ ...good, port: "/dev/ttyUSB1" }])).toBeUndefined();
    expect(estimateFullWrite(warm, [])).toBeUndefined();
    expect(estimateFullWrite(warm, [good])?.savedMs).toBeCloseTo(estimateFullWrite(good, [])?.savedMs ?? NaN, 6);
  });
});
