/** A trace as text: one line per span with a bar, for terminals, logs and tests. */
import { formatBytes } from "./bytes.ts";
import { phaseTotals, waitTotals, type Span, type Trace } from "./trace.ts";

const barWidth = 40;
const shortestShownMs = 0.05;

/**
 * Spans in order; the bars stand where the time was, on one scale; then the total, what writing waited for, and round trips where they
 * were counted. Times in milliseconds.
 */
export function formatTrace(trace: Trace): string {
  const shown = joinRepeats(trace.spans.filter((span) => span.durationMs >= shortestShownMs || span.bytes > 0));
  const widest = Math.max(...shown.map((span) => span.label.length), 0);
  const lines = shown.map((span) => {
    const bytes = span.bytes > 0 ? formatBytes(span.bytes) : "";
    const rate =
      span.bytes > 0 && span.durationMs > 0
        ? `${formatBytes(Math.round((span.bytes * 1000) / span.durationMs))}/s`
        : "";
    return trimEnd(
      `${span.phase.padEnd(7)}  ${span.label.padEnd(widest)}  ${ms(span.durationMs)}  ${bar(span, trace.totalMs)}  ${bytes.padStart(9)}  ${rate.padStart(11)}`,
    );
  });
  const waits = waitTotals(trace.spans);
  const closing =
    waits === undefined ? [] : [`wire ${formatDuration(waits.wireMs)} · flash ${formatDuration(waits.flashMs)}`];
  const trips = phaseTotals(trace).filter(({ roundTrips }) => roundTrips > 0);
  if (trips.length > 0)
    closing.push(`round trips: ${trips.map((one) => `${one.phase} ${one.roundTrips}`).join(" · ")}`);
  return [...lines, `${"total".padEnd(7)}  ${"".padEnd(widest)}  ${ms(trace.totalMs)}`, ...closing].join("\n");
}

/** One line: `connect 198 ms · survey 12 ms · write 61 ms`. */
export function formatPhases(trace: Trace): string {
  return phaseTotals(trace)
    .map(({ phase, durationMs }) => `${phase} ${Math.round(durationMs)} ms`)
    .join(" · ");
}

/** Milliseconds below ten seconds, seconds above: `412 ms`, `12.3 s`. */
export function formatDuration(durationMs: number): string {
  return durationMs < 10_000 ? `${Math.round(durationMs)} ms` : `${(durationMs / 1000).toFixed(1)} s`;
}

/** Many runs written one after the other are one line. */
function joinRepeats(spans: readonly Span[]): readonly Span[] {
  const most = 24;
  if (spans.length <= most) return spans;
  const joined: Span[] = [];
  for (const span of spans) {
    const last = joined.at(-1);
    if (last?.phase !== span.phase) joined.push(span);
    else {
      joined[joined.length - 1] = {
        ...last,
        label: last.label.includes(" … ")
          ? last.label.replace(/ … .*/, ` … ${span.label}`)
          : `${last.label} … ${span.label}`,
        durationMs: last.durationMs + span.durationMs,
        bytes: last.bytes + span.bytes,
        roundTrips: (last.roundTrips ?? 0) + (span.roundTrips ?? 0),
      };
    }
  }
  return joined;
}

function ms(durationMs: number): string {
  return `${durationMs.toFixed(1).padStart(8)} ms`;
}

function bar(span: Span, totalMs: number): string {
  if (totalMs <= 0) return "".padEnd(barWidth);
  const from = Math.min(barWidth - 1, Math.floor((span.startMs / totalMs) * barWidth));
  const to = Math.max(from + 1, Math.round(((span.startMs + span.durationMs) / totalMs) * barWidth));
  return `${" ".repeat(from)}${"#".repeat(Math.min(barWidth, to) - from)}`.padEnd(barWidth);
}

function trimEnd(line: string): string {
  return line.replace(/\s+$/, "");
}
