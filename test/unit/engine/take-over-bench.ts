/** Two flashes of one simulated board of which the second comes while the first one is at work. */
import type { JobOptions } from "../../../src/engine/job-options.ts";
import type { FlashRequest } from "../../../src/engine/jobs.ts";
import type { Report } from "../../../src/engine/report.ts";
import type { BoardState } from "../../../src/engine/views.ts";
import { bytesAt } from "../../sim/rig.ts";
import { port, type JobBench } from "./job-bench.ts";

const address = 0x100000;

export interface TwoFlashes {
  readonly first: Report;
  readonly second: Report;
  /** Of the board's time, from the request for the second flash to its end. */
  readonly tookMs: number;
}

export const requestWith =
  (options: JobOptions) =>
  (data: Uint8Array): FlashRequest => ({
    artifact: () => Promise.resolve(bytesAt(address, data)),
    options,
  });

/** Asks for a second flash as soon as the first one gets into a state. */
export async function secondWhen(
  one: JobBench,
  isThere: (state: BoardState) => boolean,
  requests: { readonly first: FlashRequest; readonly second: FlashRequest },
): Promise<TwoFlashes> {
  let askedMs = 0;
  let second: Promise<Report> | undefined;
  one.onState = (state) => {
    if (second !== undefined || !isThere(state)) return;
    askedMs = one.sim.clock.nowMs();
    second = one.jobs.flash(port, requests.second);
  };
  const first = await one.jobs.flash(port, requests.first);
  if (second === undefined) throw new Error("the first flash never got there");
  const report = await second;
  return { first, second: report, tookMs: Math.round(one.sim.clock.nowMs() - askedMs) };
}

export const working = (phase: string) => (state: BoardState) => state.kind === "working" && state.phase === phase;

export const isPast = (percent: number) => (state: BoardState) =>
  state.kind === "working" && (state.percent ?? 0) >= percent;

export function holds({ sim }: JobBench, data: Uint8Array): boolean {
  return Buffer.from(sim.flash.subarray(address, address + data.length)).equals(data);
}

export function connectSpans({ spans }: Report): Report["spans"] {
  return spans.filter(({ phase, durationMs }) => phase === "connect" && durationMs > 0);
}

/** With one byte flipped. */
export function edited(data: Uint8Array, at: number): Uint8Array {
  const copy = data.slice();
  copy[at] = (copy[at] ?? 0) ^ 0xff;
  return copy;
}

/** With bytes put in; what stands behind them moves. */
export function shifted(data: Uint8Array, at: number, count: number): Uint8Array {
  const copy = new Uint8Array(data.length);
  copy.set(data.subarray(0, at));
  copy.fill(0x5a, at, at + count);
  copy.set(data.subarray(at, data.length - count), at + count);
  return copy;
}
