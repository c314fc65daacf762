/**
 * Where things stand in the waterfall. Pure: a trace and a width go in, rectangles come out. A bar that would be too thin to
 * be seen or pointed at is drawn wider than its time and says so (`widened`); durations are always the true ones, so they add
 * up to the total whatever is drawn.
 */
import { phases, type Phase, type Span, type Trace } from "../core/trace.ts";

export interface Bar {
  /** Pixels from the left end of the track. */
  readonly x: number;
  readonly width: number;
  /** Drawn wider than its time. */
  readonly widened: boolean;
  /** Milliseconds of its spans; gaps between them not counted. */
  readonly durationMs: number;
  readonly bytes: number;
  /** Places in `trace.spans`, in order; several where one alone would be too thin. */
  readonly spans: readonly number[];
}

export interface Row {
  readonly phase: Phase;
  readonly durationMs: number;
  /** Share of the whole, 0 … 1. */
  readonly share: number;
  readonly bytes: number;
  readonly bars: readonly Bar[];
}

export interface Tick {
  readonly x: number;
  readonly atMs: number;
  readonly label: string;
}

export interface Timeline {
  readonly width: number;
  /** What `width` stands for, milliseconds. */
  readonly scaleMs: number;
  readonly rows: readonly Row[];
  readonly ticks: readonly Tick[];
}

export interface TimelineOptions {
  /** Pixels, more than 0. */
  readonly width: number;
  /** Pixels; no bar is thinner unless the track is. */
  readonly minimumBarWidth: number;
  /** What the width stands for, at least the trace's total; by default exactly that. */
  readonly scaleMs?: number;
}

/** One row per phase that has time or bytes, in the order of `phases`. */
export function layoutTimeline(trace: Trace, options: TimelineOptions): Timeline {
  const { width } = options;
  const scaleMs = Math.max(options.scaleMs ?? 0, trace.totalMs, Number.MIN_VALUE);
  const pixels = (ms: number) => Math.min(width, Math.max(0, (ms / scaleMs) * width));
  const rows = phases.flatMap((phase): Row[] => {
    const own = trace.spans.flatMap((span, index) => (span.phase === phase ? [{ span, index }] : []));
    if (own.length === 0) return [];
    const durationMs = own.reduce((sum, { span }) => sum + span.durationMs, 0);
    return [
      {
        phase,
        durationMs,
        share: trace.totalMs > 0 ? Math.min(1, durationMs / trace.totalMs) : 0,
        bytes: own.reduce((sum, { span }) => sum + span.bytes, 0),
        bars: layoutBars(own, pixels, { width, minimum: Math.min(options.minimumBarWidth, width) }),
      },
    ];
  });
  return { width, scaleMs, rows, ticks: layoutTicks(scaleMs, width) };
}

interface Numbered {
  readonly span: Span;
  readonly index: number;
}

/** Spans drawn as one bar; `from` and `to` in pixels, true to their time. */
interface Group {
  readonly from: number;
  readonly to: number;
  readonly members: readonly Numbered[];
}

interface Track {
  readonly width: number;
  /** Of a bar's width. */
  readonly minimum: number;
}

function layoutBars(own: readonly Numbered[], pixels: (ms: number) => number, track: Track): readonly Bar[] {
  const groups: Group[] = [];
  for (const member of own) {
    const from = pixels(member.span.startMs);
    const to = Math.max(from, pixels(member.span.startMs + member.span.durationMs));
    const last = groups.at(-1);
    // A thin bar takes its neighbour in when the two would collide.
    if (last !== undefined && last.to - last.from < track.minimum && from < last.from + track.minimum) {
      groups[groups.length - 1] = { from: last.from, to, members: [...last.members, member] };
    } else groups.push({ from, to, members: [member] });
  }
  return pulledIn(groups, track).map((group) => asBar(group, track));
}

/** A thin bar at the right end is drawn to the left, and is taken in by what it would cover. */
function pulledIn(groups: readonly Group[], { width, minimum }: Track): readonly Group[] {
  const kept = [...groups];
  while (kept.length > 1) {
    const last = kept.at(-1);
    const before = kept.at(-2);
    if (last === undefined || before === undefined) break;
    const x = Math.min(last.from, width - minimum);
    if (last.to - last.from >= minimum || Math.max(before.to, before.from + minimum) <= x) break;
    kept.splice(-2, 2, { from: before.from, to: last.to, members: [...before.members, ...last.members] });
  }
  return kept;
}

function asBar({ from, to, members }: Group, { width, minimum }: Track): Bar {
  const widened = to - from < minimum;
  return {
    x: widened ? Math.max(0, Math.min(from, width - minimum)) : from,
    width: widened ? minimum : to - from,
    widened,
    durationMs: members.reduce((sum, { span }) => sum + span.durationMs, 0),
    bytes: members.reduce((sum, { span }) => sum + span.bytes, 0),
    spans: members.map(({ index }) => index),
  };
}

/** Room that one label needs, pixels. */
const tickRoom = 72;

/** Round times from 0 on, as many as have room for their labels. */
function layoutTicks(scaleMs: number, width: number): readonly Tick[] {
  const stepMs = roundStep((scaleMs * tickRoom) / width);
  const ticks: Tick[] = [];
  for (let number = 0; number * stepMs <= scaleMs && number * tickRoom <= width; number++) {
    const atMs = number * stepMs;
    ticks.push({ x: Math.min(width, (atMs / scaleMs) * width), atMs, label: tickLabel(atMs, stepMs) });
  }
  return ticks;
}

/** The next 1, 2 or 5 times a power of ten that is not smaller. */
function roundStep(ms: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(ms, 1e-6)));
  return ([1, 2, 5].find((factor) => factor * power >= ms * (1 - 1e-9)) ?? 10) * power;
}

function tickLabel(atMs: number, stepMs: number): string {
  if (atMs === 0) return "0";
  if (atMs < 1000 && stepMs < 1000) return `${Number(atMs.toPrecision(3))} ms`;
  return `${Number((atMs / 1000).toPrecision(3))} s`;
}
