/** Where the time of one flash went. A trace is data; tables, panels and exports are views of it. */
import type { Clock } from "./clock.ts";

export const phases = ["wait", "connect", "survey", "plan", "erase", "write", "verify", "load", "reset"] as const;
export type Phase = (typeof phases)[number];

export interface Span {
  readonly phase: Phase;
  readonly label: string;
  /** Milliseconds since the start of the trace. */
  readonly startMs: number;
  readonly durationMs: number;
  /** Bytes of target memory that the span dealt with; 0 where that means nothing. */
  readonly bytes: number;
  /** What the span waited for, where the board told: data off the wire, or its flash chip. */
  readonly waitsFor?: "wire" | "flash";
  /** How often the span waited for an answer; absent where nobody counts them by spans. */
  readonly roundTrips?: number;
}

/** A share of a span whose time was told afterwards. */
export type Share = Omit<Span, "startMs">;

/** Spans are in order, touch each other, and so add up to `totalMs`. */
export interface Trace {
  readonly totalMs: number;
  readonly spans: readonly Span[];
}

/** Exactly one span is open at any time, from the start to `finish`: nothing can overlap and nothing is unaccounted for. */
export class TraceRecorder {
  readonly #clock: Clock;
  readonly #startMs: number;
  readonly #spans: Span[] = [];
  readonly #onEnter: (phase: Phase, label: string) => void;
  #open: { phase: Phase; label: string; startMs: number; bytes: number };
  #roundTrips: (() => number) | undefined;
  #roundTripsBefore = 0;

  /** @param onEnter told of every span that begins after the first */
  constructor(
    clock: Clock,
    first: { readonly phase: Phase; readonly label: string },
    onEnter: (phase: Phase, label: string) => void = () => undefined,
  ) {
    this.#clock = clock;
    this.#onEnter = onEnter;
    this.#startMs = clock.nowMs();
    this.#open = { ...first, startMs: 0, bytes: 0 };
  }

  /** The phase that is open now. */
  get phase(): Phase {
    return this.#open.phase;
  }

  /** Ends the open span and begins another; the same phase and label goes on in the open one. */
  enter(phase: Phase, label: string): void {
    if (this.#open.phase === phase && this.#open.label === label) return;
    const nowMs = this.#close();
    this.#open = { phase, label, startMs: nowMs, bytes: 0 };
    this.#onEnter(phase, label);
  }

  /**
   * Divides the open span's time, and begins another of its kind: the board has just told what it did meanwhile. What it does not
   * account for comes first and is `rest`; if it tells of more than there was, since its clock is not ours, all is shrunk.
   */
  divide(shares: readonly Share[], rest: Omit<Share, "durationMs">): void {
    const { phase, label, startMs } = this.#open;
    const nowMs = this.#clock.nowMs() - this.#startMs;
    const toldMs = shares.reduce((sum, share) => sum + share.durationMs, 0);
    const restMs = Math.max(0, nowMs - startMs - toldMs);
    const scale = toldMs > 0 ? (nowMs - startMs - restMs) / toldMs : 0;
    let atMs = startMs;
    const scaled = shares.map((share) => ({ ...share, durationMs: share.durationMs * scale }));
    for (const share of [{ ...rest, durationMs: restMs }, ...scaled]) {
      if (share.durationMs > 0 || share.bytes > 0) this.#spans.push({ ...share, startMs: atMs });
      atMs += share.durationMs;
    }
    this.#open = { phase, label, startMs: nowMs, bytes: 0 };
  }

  /** Counts bytes of target memory towards the open span. */
  addBytes(count: number): void {
    this.#open.bytes += count;
  }

  /** @param total how often an answer was waited for so far; spans from now on say how many of these were theirs */
  countRoundTrips(total: () => number): void {
    this.#roundTrips = total;
    this.#roundTripsBefore = total();
  }

  /** The trace so far; the open span ends now and a new one of the same kind begins. */
  finish(): Trace {
    const totalMs = this.#close();
    const { phase, label } = this.#open;
    this.#open = { phase, label, startMs: totalMs, bytes: 0 };
    return { totalMs, spans: [...this.#spans] };
  }

  #close(): number {
    const nowMs = this.#clock.nowMs() - this.#startMs;
    const durationMs = nowMs - this.#open.startMs;
    if (durationMs > 0 || this.#open.bytes > 0)
      this.#spans.push({ ...this.#open, durationMs, ...this.#roundTripsSince() });
    return nowMs;
  }

  #roundTripsSince(): { roundTrips?: number } {
    const total = this.#roundTrips?.();
    if (total === undefined) return {};
    const roundTrips = total - this.#roundTripsBefore;
    this.#roundTripsBefore = total;
    return { roundTrips };
  }
}

export interface PhaseTotal {
  readonly phase: Phase;
  readonly durationMs: number;
  readonly bytes: number;
  /** 0 where nobody counts them by spans. */
  readonly roundTrips: number;
}

/** Milliseconds per phase, in the order of `phases`, phases without time left out. */
export function phaseTotals(trace: Trace): readonly PhaseTotal[] {
  return phases
    .map((phase) => {
      const spans = trace.spans.filter((span) => span.phase === phase);
      return {
        phase,
        durationMs: spans.reduce((sum, span) => sum + span.durationMs, 0),
        bytes: spans.reduce((sum, span) => sum + span.bytes, 0),
        roundTrips: spans.reduce((sum, span) => sum + (span.roundTrips ?? 0), 0),
      };
    })
    .filter((total) => total.durationMs > 0 || total.bytes > 0);
}

/** What the board says it waited for, milliseconds in all; undefined where no board told. */
export function waitTotals(spans: readonly Span[]): { readonly wireMs: number; readonly flashMs: number } | undefined {
  if (spans.every((span) => span.waitsFor === undefined)) return undefined;
  const sumMs = (what: Span["waitsFor"]) =>
    spans.filter((span) => span.waitsFor === what).reduce((sum, span) => sum + span.durationMs, 0);
  return { wireMs: sumMs("wire"), flashMs: sumMs("flash") };
}
