import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { phases, type Span, type Trace } from "../../../src/core/trace.ts";
import { layoutTimeline, type Timeline } from "../../../src/webview/timeline.ts";

type Step = readonly [phase: Span["phase"], label: string, durationMs: number, bytes: number];

/** Spans one after the other, as a trace has them. */
function traceOf(steps: readonly Step[]): Trace {
  let startMs = 0;
  const spans = steps.map(([phase, label, durationMs, bytes]) => {
    const span = { phase, label, startMs, durationMs, bytes };
    startMs += durationMs;
    return span;
  });
  return { totalMs: startMs, spans };
}

const flash = traceOf([
  ["connect", "reset + sync", 60, 0],
  ["connect", "chip", 2, 0],
  ["connect", "identity", 1, 0],
  ["connect", "stub upload", 77, 6_084],
  ["plan", "image", 1, 128],
  ["survey", "confirm 37 sectors", 159, 151_552],
  ["plan", "steps", 0.5, 0],
  ["write", "0x10000", 60, 4_096],
  ["write", "0x21000", 60, 4_096],
  ["verify", "digest", 77.5, 8_192],
  ["reset", "start", 2, 0],
]);

/** One line per bar: where it is, what it stands for. */
function text({ rows, ticks }: Timeline): string {
  const lines = rows.flatMap(({ phase, durationMs, bytes, bars }) => [
    `${phase}: ${durationMs} ms, ${bytes} B`,
    ...bars.map(
      (bar) =>
        `  ${bar.x.toFixed(1)} +${bar.width.toFixed(1)}${bar.widened ? " widened" : ""}: ${bar.durationMs} ms of spans ${bar.spans.join(", ")}`,
    ),
  ]);
  return [...lines, ticks.map((tick) => `${tick.label} at ${tick.x}`).join(" | ")].join("\n");
}

describe("the waterfall", () => {
  test("has a row per phase, and thin spans share a bar or are widened", () => {
    expect(text(layoutTimeline(flash, { width: 500, minimumBarWidth: 4 }))).toMatchInlineSnapshot(`
      "connect: 140 ms, 6084 B
        0.0 +60.0: 60 ms of spans 0
        60.0 +80.0: 80 ms of spans 1, 2, 3
      survey: 159 ms, 151552 B
        141.0 +159.0: 159 ms of spans 5
      plan: 1.5 ms, 128 B
        140.0 +4.0 widened: 1 ms of spans 4
        300.0 +4.0 widened: 0.5 ms of spans 6
      write: 120 ms, 8192 B
        300.5 +60.0: 60 ms of spans 7
        360.5 +60.0: 60 ms of spans 8
      verify: 77.5 ms, 8192 B
        420.5 +77.5: 77.5 ms of spans 9
      reset: 2 ms, 0 B
        496.0 +4.0 widened: 2 ms of spans 10
      0 at 0 | 100 ms at 100 | 200 ms at 200 | 300 ms at 300 | 400 ms at 400 | 500 ms at 500"
    `);
  });

  test("has a track of any width, and a scale of its own if wished", () => {
    const small = layoutTimeline(flash, { width: 100, minimumBarWidth: 2, scaleMs: 1000 });
    expect(text(small)).toMatchInlineSnapshot(`
      "connect: 140 ms, 6084 B
        0.0 +6.0: 60 ms of spans 0
        6.0 +8.0: 80 ms of spans 1, 2, 3
      survey: 159 ms, 151552 B
        14.1 +15.9: 159 ms of spans 5
      plan: 1.5 ms, 128 B
        14.0 +2.0 widened: 1 ms of spans 4
        30.0 +2.0 widened: 0.5 ms of spans 6
      write: 120 ms, 8192 B
        30.0 +6.0: 60 ms of spans 7
        36.0 +6.0: 60 ms of spans 8
      verify: 77.5 ms, 8192 B
        42.0 +7.8: 77.5 ms of spans 9
      reset: 2 ms, 0 B
        49.8 +2.0 widened: 2 ms of spans 10
      0 at 0 | 1 s at 100"
    `);
    expect(small.scaleMs).toBe(1000);
  });

  test("a thin bar at the right end is drawn inside the track", () => {
    const trace = traceOf([
      ["write", "run", 999, 1],
      ["reset", "start", 1, 0],
    ]);
    const [, reset] = layoutTimeline(trace, { width: 100, minimumBarWidth: 3 }).rows;
    expect(reset?.bars).toEqual([{ x: 97, width: 3, widened: true, durationMs: 1, bytes: 0, spans: [1] }]);
  });

  test("nothing yet is an empty waterfall", () => {
    expect(layoutTimeline({ totalMs: 0, spans: [] }, { width: 100, minimumBarWidth: 3 }).rows).toEqual([]);
  });

  test("ticks are round and have room", () => {
    const labels = (totalMs: number, width: number) =>
      layoutTimeline({ totalMs, spans: [] }, { width, minimumBarWidth: 3 }).ticks.map((tick) => tick.label);
    expect(labels(569, 400)).toEqual(["0", "200 ms", "400 ms"]);
    expect(labels(6_300, 400)).toEqual(["0", "2 s", "4 s", "6 s"]);
    expect(labels(43_500, 800)).toEqual(["0", "5 s", "10 s", "15 s", "20 s", "25 s", "30 s", "35 s", "40 s"]);
    expect(labels(0.4, 200)).toEqual(["0", "0.2 ms", "0.4 ms"]);
  });
});

const anyTrace = fc
  .array(
    fc.tuple(
      fc.constantFrom(...phases),
      fc.string({ maxLength: 8 }),
      fc.oneof(fc.double({ min: 0, max: 0.01, noNaN: true }), fc.double({ min: 0, max: 5_000, noNaN: true })),
      fc.nat(100_000),
    ),
    { maxLength: 60 },
  )
  .map(traceOf);
const anyTrack = fc.record({
  width: fc.integer({ min: 1, max: 2_000 }),
  minimumBarWidth: fc.integer({ min: 1, max: 12 }),
});

describe("whatever the trace and the width", () => {
  test("bars stand inside the track, in order, and never cover each other", () => {
    fc.assert(
      fc.property(anyTrace, anyTrack, (trace, track) => {
        for (const { bars } of layoutTimeline(trace, track).rows) {
          let end = 0;
          for (const bar of bars) {
            expect(bar.x).toBeGreaterThanOrEqual(end - 1e-6);
            expect(bar.width).toBeGreaterThanOrEqual(Math.min(track.minimumBarWidth, track.width));
            end = bar.x + bar.width;
            expect(end).toBeLessThanOrEqual(track.width + 1e-6);
          }
        }
      }),
    );
  });

  test("every span is in one bar of its phase, in order, and the durations add up to the total", () => {
    fc.assert(
      fc.property(anyTrace, anyTrack, (trace, track) => {
        const { rows } = layoutTimeline(trace, track);
        expect(rows.map((row) => row.phase)).toEqual(phases.filter((one) => rows.some((row) => row.phase === one)));
        for (const row of rows) {
          const own = [...trace.spans.keys()].filter((at) => trace.spans[at]?.phase === row.phase);
          expect(row.bars.flatMap((bar) => bar.spans)).toEqual(own);
          expect(row.bars.reduce((sum, bar) => sum + bar.durationMs, 0)).toBeCloseTo(row.durationMs, 6);
          expect(row.bars.reduce((sum, bar) => sum + bar.bytes, 0)).toBe(row.bytes);
        }
        expect(rows.reduce((sum, row) => sum + row.durationMs, 0)).toBeCloseTo(trace.totalMs, 6);
      }),
    );
  });

  test("a bar that is not widened is as long as its time", () => {
    fc.assert(
      fc.property(anyTrace, anyTrack, (trace, track) => {
        const { rows, scaleMs } = layoutTimeline(trace, track);
        for (const bar of rows.flatMap((row) => row.bars).filter((one) => !one.widened && one.spans.length === 1)) {
          expect(bar.width).toBeCloseTo((bar.durationMs / scaleMs) * track.width, 4);
        }
      }),
    );
  });

  test("ticks stand inside the track and rise", () => {
    fc.assert(
      fc.property(anyTrace, anyTrack, (trace, track) => {
        const { ticks } = layoutTimeline(trace, track);
        expect(ticks[0]).toMatchObject({ x: 0, label: "0" });
        for (const [at, tick] of ticks.entries()) {
          expect(tick.x).toBeLessThanOrEqual(track.width);
          expect(tick.x).toBeGreaterThan(ticks[at - 1]?.x ?? -1);
        }
      }),
    );
  });
});
