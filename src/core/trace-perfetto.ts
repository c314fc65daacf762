/** A trace in the Trace Event Format, which ui.perfetto.dev and chrome://tracing open. */
import { phases, type Trace } from "./trace.ts";

interface TraceEvent {
  readonly name: string;
  readonly ph: "X" | "M";
  readonly pid: number;
  readonly tid: number;
  /** Microseconds. */
  readonly ts?: number;
  readonly dur?: number;
  readonly cat?: string;
  readonly args: Readonly<Record<string, string | number>>;
}

/** One track per phase, so that the waterfall can be read from left to right and top to bottom. */
export function perfettoTrace(
  trace: Trace,
  title: string,
): { readonly traceEvents: readonly TraceEvent[]; readonly displayTimeUnit: "ms" } {
  const pid = 1;
  const names: TraceEvent[] = [
    { name: "process_name", ph: "M", pid, tid: 0, args: { name: title } },
    ...phases.map((phase, index) => ({
      name: "thread_name",
      ph: "M" as const,
      pid,
      tid: index + 1,
      args: { name: phase },
    })),
  ];
  const spans: TraceEvent[] = trace.spans.map((span) => ({
    name: span.label,
    cat: span.phase,
    ph: "X",
    pid,
    tid: phases.indexOf(span.phase) + 1,
    ts: Math.round(span.startMs * 1000),
    dur: Math.round(span.durationMs * 1000),
    args: { bytes: span.bytes, ...(span.waitsFor === undefined ? {} : { waitsFor: span.waitsFor }) },
  }));
  return { traceEvents: [...names, ...spans], displayTimeUnit: "ms" };
}
