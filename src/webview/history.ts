/** The last flashes of one board side by side, and which of them took longer than such flashes do. Pure. */
import * as l10n from "@vscode/l10n";
import { median } from "../core/advice-facts.ts";
import { formatDuration } from "../core/trace-text.ts";
import { phases, phaseTotals, type Phase } from "../core/trace.ts";
import type { StoredReport } from "../server/protocol.ts";
import { phaseWord } from "./phrases.ts";
import { layoutTimeline, type Row } from "./timeline.ts";

export interface Small {
  readonly stored: StoredReport;
  /** All of one scale, see `HistoryLayout`. */
  readonly rows: readonly Row[];
  readonly regression?: Regression;
}

export interface Regression {
  /** Milliseconds that comparable flashes take, their median. */
  readonly usualMs: number;
  /** How many those are. */
  readonly among: number;
  /** The phase that grew most against its own median, and by how much. */
  readonly phase: Phase;
  readonly phaseGrewMs: number;
  /** `+38 %` */
  readonly label: string;
}

export interface HistoryLayout {
  /** Newest first. */
  readonly smalls: readonly Small[];
  /** Phases of any of them, in order: each has the same row in every small picture. */
  readonly phases: readonly Phase[];
  /** What the width stands for in every picture, milliseconds. */
  readonly scaleMs: number;
}

/** @param reports of one board, newest first */
export function layoutHistory(
  reports: readonly StoredReport[],
  { width, minimumBarWidth }: { readonly width: number; readonly minimumBarWidth: number },
): HistoryLayout {
  const scaleMs = Math.max(0, ...reports.map(({ report }) => report.totalMs));
  const smalls = reports.map((stored): Small => {
    const { rows } = layoutTimeline(stored.report, { width, minimumBarWidth, scaleMs });
    const regression = regressionOf(stored, reports);
    return { stored, rows, ...(regression && { regression }) };
  });
  const used = phases.filter((phase) => smalls.some((small) => small.rows.some((row) => row.phase === phase)));
  return { smalls, phases: used, scaleMs };
}

/** A median of fewer says nothing. */
const enough = 3;
/** A quarter more, and more than what USB and scheduling make a flash vary by. */
const slowerFactor = 1.25;
const slowerMs = 100;
/** Flashes that wrote between half and twice as much are of one kind. */
const sizeFactor = 2;

/** undefined when the flash took no longer than comparable ones, or when those are too few to tell. */
export function regressionOf(stored: StoredReport, all: readonly StoredReport[]): Regression | undefined {
  const { report } = stored;
  const others = all.filter((one) => one !== stored && isComparable(stored, one)).map((one) => one.report);
  const usualMs = median(others.map((one) => one.totalMs));
  if (usualMs === undefined || others.length < enough) return undefined;
  if (report.totalMs < usualMs * slowerFactor || report.totalMs < usualMs + slowerMs) return undefined;
  const grown = phaseTotals(report).map(({ phase, durationMs }) => {
    const usual = median(others.map((one) => phaseTotals(one).find((total) => total.phase === phase)?.durationMs ?? 0));
    return { phase, phaseGrewMs: durationMs - (usual ?? 0) };
  });
  const [first, ...rest] = grown;
  if (first === undefined) return undefined;
  const most = rest.reduce((best, one) => (one.phaseGrewMs > best.phaseGrewMs ? one : best), first);
  const label = `+${Math.round((report.totalMs / usualMs - 1) * 100)} %`;
  return { usualMs, among: others.length, ...most, label };
}

/** The same artifact on the same board and port, with the same outcome, and about as much written. */
function isComparable(a: StoredReport, b: StoredReport): boolean {
  const [one, other] = [a.report, b.report];
  if (one.identity !== other.identity || one.port !== other.port || one.result !== other.result) return false;
  if (one.result === "failed" || a.artifact.join("\n") !== b.artifact.join("\n")) return false;
  const [less = 0, more = 0] = [one.written.sectors, other.written.sectors].sort((x, y) => x - y);
  return more <= less * sizeFactor;
}

/** One sentence with numbers. */
export function regressionText({ report }: StoredReport, regression: Regression): string {
  const { usualMs, among, phase, phaseGrewMs } = regression;
  return l10n.t(
    "Took {0} where {1} comparable flashes took {2}; {3} grew most, by {4}.",
    formatDuration(report.totalMs),
    among,
    formatDuration(usualMs),
    phaseWord(phase),
    formatDuration(phaseGrewMs),
  );
}
