import { describe, expect, test } from "vitest";
import { perfettoTrace } from "../../../src/core/trace-perfetto.ts";
import { formatPhases, formatTrace } from "../../../src/core/trace-text.ts";
import { phaseTotals, TraceRecorder, waitTotals } from "../../../src/core/trace.ts";
import { VirtualClock } from "../../../src/sim/virtual-clock.ts";

function recorded() {
  const clock = new VirtualClock();
  clock.advanceTo(1000);
  const trace = new TraceRecorder(clock, { phase: "connect", label: "reset + sync" });
  const at = (ms: number) => clock.advanceTo(1000 + ms);
  at(60);
  trace.enter("connect", "stub upload");
  trace.addBytes(6144);
  at(200);
  trace.enter("survey", "confirm 38 sectors");
  at(350);
  trace.enter("write", "0x10000 4 KiB");
  trace.addBytes(4096);
  at(350); // no time at all, but bytes
  trace.enter("verify", "digest");
  at(400);
  return trace.finish();
}

describe("a trace", () => {
  test("has spans that touch each other and add up to the total", () => {
    const trace = recorded();
    let endMs = 0;
    for (const span of trace.spans) {
      expect(span.startMs).toBe(endMs);
      endMs += span.durationMs;
    }
    expect(endMs).toBe(trace.totalMs);
  });

  test("goes on in the open span when phase and label stay the same", () => {
    const clock = new VirtualClock();
    const told: string[] = [];
    const trace = new TraceRecorder(clock, { phase: "wait", label: "port" }, (phase, label) =>
      told.push(`${phase} ${label}`),
    );
    clock.advanceTo(5);
    trace.enter("wait", "port");
    clock.advanceTo(9);
    trace.enter("connect", "sync");
    expect(trace.finish().spans).toEqual([{ phase: "wait", label: "port", startMs: 0, durationMs: 9, bytes: 0 }]);
    expect(told).toEqual(["connect sync"]);
  });

  test("says how often each span waited for an answer, where that is counted", () => {
    const clock = new VirtualClock();
    let total = 7;
    const trace = new TraceRecorder(clock, { phase: "connect", label: "server" });
    trace.countRoundTrips(() => total);
    clock.advanceTo(4);
    total += 4;
    trace.enter("survey", "digests");
    clock.advanceTo(5);
    total += 1;
    const done = trace.finish();
    expect(done.spans.map(({ phase, roundTrips }) => [phase, roundTrips])).toEqual([
      ["connect", 4],
      ["survey", 1],
    ]);
    expect(formatTrace(done)).toContain("\nround trips: connect 4 · survey 1");
  });

  test("is a readable table with bars", () => {
    expect(formatTrace(recorded())).toMatchInlineSnapshot(`
      "connect  reset + sync            60.0 ms  ######
      connect  stub upload            140.0 ms        ##############                        6.0 KiB   42.9 KiB/s
      survey   confirm 38 sectors     150.0 ms                      ###############
      write    0x10000 4 KiB            0.0 ms                                     #        4.0 KiB
      verify   digest                  50.0 ms                                     #####
      total                           400.0 ms"
    `);
    expect(formatPhases(recorded())).toBe("connect 200 ms · survey 150 ms · write 0 ms · verify 50 ms");
  });

  test("closes its table with what writing waited for, where the board told", () => {
    const share = { phase: "write", startMs: 0, bytes: 0 } as const;
    const spans = [
      { ...share, label: "wire", durationMs: 12.4, waitsFor: "wire" as const },
      { ...share, label: "0x10000", durationMs: 310, waitsFor: "flash" as const },
      { ...share, label: "rest", durationMs: 5 },
    ];
    expect(formatTrace({ totalMs: 327.4, spans }).split("\n").at(-1)).toBe("wire 12 ms · flash 310 ms");
  });

  test("sums up by phase", () => {
    expect(phaseTotals(recorded()).map(({ phase, durationMs }) => `${phase} ${durationMs}`)).toEqual([
      "connect 200",
      "survey 150",
      "write 0",
      "verify 50",
    ]);
  });

  test("opens in Perfetto: complete events in microseconds, a track per phase", () => {
    const { traceEvents } = perfettoTrace(recorded(), "esp32c3");
    const spans = traceEvents.filter((event) => event.ph === "X");
    expect(spans[1]).toEqual({
      name: "stub upload",
      cat: "connect",
      ph: "X",
      pid: 1,
      tid: 2,
      ts: 60_000,
      dur: 140_000,
      args: { bytes: 6144 },
    });
    expect(traceEvents.filter((event) => event.name === "thread_name")).toHaveLength(9);
  });
});

describe("a span that is divided afterwards", () => {
  const erase = { phase: "erase", label: "erase", durationMs: 40, bytes: 0, waitsFor: "flash" } as const;
  const program = { phase: "write", label: "program", durationMs: 10, bytes: 4096, waitsFor: "flash" } as const;
  const wire = { phase: "write", label: "wire", bytes: 0, waitsFor: "wire" } as const;

  function divided(elapsedMs: number) {
    const clock = new VirtualClock();
    const recorder = new TraceRecorder(clock, { phase: "write", label: "block" });
    clock.advanceTo(elapsedMs);
    recorder.divide([erase, program], wire);
    clock.advanceTo(elapsedMs + 5);
    return recorder.finish();
  }

  test("what the board does not account for was the wire's", () => {
    const { totalMs, spans } = divided(80);
    expect(spans.map(({ label, startMs, durationMs }) => [label, startMs, durationMs])).toEqual([
      ["wire", 0, 30],
      ["erase", 30, 40],
      ["program", 70, 10],
      ["block", 80, 5],
    ]);
    expect(waitTotals(spans)).toEqual({ wireMs: 30, flashMs: 50 });
    expect(totalMs).toBe(85);
  });

  test("when the board's clock runs fast the spans still add up", () => {
    const { spans } = divided(25);
    expect(spans.map(({ label, durationMs }) => [label, durationMs])).toEqual([
      ["erase", 20],
      ["program", 5],
      ["block", 5],
    ]);
  });
});
