import { describe, expect, test } from "vitest";
import type { Span } from "../../../src/core/trace.ts";
import type { StoredReport } from "../../../src/server/protocol.ts";
import { layoutHistory, regressionOf, regressionText } from "../../../src/webview/history.ts";

interface Flash {
  readonly at: number;
  readonly connectMs?: number;
  readonly writeMs?: number;
  readonly sectors?: number;
  readonly artifact?: string;
  readonly port?: string;
}

function stored({
  at,
  connectMs = 200,
  writeMs = 300,
  sectors = 4,
  artifact = "a.elf",
  port = "P",
}: Flash): StoredReport {
  const spans: readonly Span[] = [
    { phase: "connect", label: "reset + sync", startMs: 0, durationMs: connectMs, bytes: 0 },
    { phase: "write", label: "0x0", startMs: connectMs, durationMs: writeMs, bytes: sectors * 4096 },
  ];
  return {
    at,
    trigger: "key",
    artifact: [artifact],
    report: {
      version: 1,
      board: "esp32c3",
      chip: "esp32c3",
      identity: "60:55:f9:00:00:01",
      port,
      result: "flashed",
      error: null,
      totalMs: connectMs + writeMs,
      spans,
      image: { bytes: 160_000, sectors: 40 },
      written: { bytes: sectors * 4096, sectors, erasedBytes: sectors * 4096 },
      wire: { sentBytes: 1, receivedBytes: 1, roundTrips: 1 },
      notes: [],
    },
  };
}

const usual = [1, 2, 3].map((at) => stored({ at }));

describe("a regression", () => {
  test("is a flash well above the median of comparable ones, with the phase that grew most", () => {
    const slow = stored({ at: 4, connectMs: 700, writeMs: 320 });
    const regression = regressionOf(slow, [slow, ...usual]);
    expect(regression).toEqual({ usualMs: 500, among: 3, phase: "connect", phaseGrewMs: 500, label: "+104 %" });
    expect(regression && regressionText(slow, regression)).toMatchInlineSnapshot(
      `"Took 1020 ms where 3 comparable flashes took 500 ms; connect grew most, by 500 ms."`,
    );
  });

  test.each([
    ["it is not a quarter slower", { at: 4, writeMs: 420 }, usual],
    ["there are fewer than three to compare with", { at: 4, writeMs: 900 }, usual.slice(1)],
    ["it wrote more than twice as much", { at: 4, writeMs: 900, sectors: 9 }, usual],
    ["it was another artifact", { at: 4, writeMs: 900, artifact: "b.elf" }, usual],
    ["it was another port", { at: 4, writeMs: 900, port: "Q" }, usual],
    [
      "a tenth of a second is not exceeded",
      { at: 4, connectMs: 10, writeMs: 100 },
      [1, 2, 3].map((at) => stored({ at, connectMs: 10, writeMs: 10 })),
    ],
  ] as const)("is not seen when %s", (_, flash, others) => {
    const one = stored(flash);
    expect(regressionOf(one, [one, ...others])).toBeUndefined();
  });
});

test("small pictures share one scale and one list of phases", () => {
  const slow = stored({ at: 4, connectMs: 700 });
  const layout = layoutHistory([slow, ...usual], { width: 100, minimumBarWidth: 2 });
  expect(layout).toMatchObject({ phases: ["connect", "write"], scaleMs: 1000 });
  expect(layout.smalls.map((small) => small.rows.map((row) => row.bars.map((bar) => bar.width)))).toEqual([
    [[70], [30]],
    [[20], [30]],
    [[20], [30]],
    [[20], [30]],
  ]);
  expect(layout.smalls.map((small) => small.regression?.label)).toEqual(["+100 %", undefined, undefined, undefined]);
  expect(layoutHistory([], { width: 100, minimumBarWidth: 2 })).toEqual({ smalls: [], phases: [], scaleMs: 0 });
});
