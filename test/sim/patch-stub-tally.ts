/** Counts what became of the runs of the fault campaign, and shows it as a table: what went wrong in rows, what was reported in columns. */
import type { Outcome } from "./patch-stub-run.ts";
import { faultKinds, type FaultKind } from "./patch-stub-scenario.ts";

export interface TallyEntry extends Outcome {
  readonly seed: number;
  readonly kind: FaultKind;
}

export class Tally {
  runs = 0;
  /** A line for each run that was not as it must be. */
  readonly wrong: string[] = [];
  readonly #counts = new Map<FaultKind, Map<string, number>>();

  add({ seed, kind, result, wrong }: TallyEntry): void {
    this.runs++;
    if (wrong.length > 0) this.wrong.push(`seed ${seed}, ${kind}: ${wrong.join("; ")}`);
    const counts = this.#counts.get(kind) ?? new Map<string, number>();
    counts.set(result, (counts.get(result) ?? 0) + 1);
    this.#counts.set(kind, counts);
  }

  get results(): readonly string[] {
    return [...new Set([...this.#counts.values()].flatMap((counts) => [...counts.keys()]))].sort();
  }

  count(kind: FaultKind, result: string): number {
    return this.#counts.get(kind)?.get(result) ?? 0;
  }
}

/** One line per kind of fault, sums last, then every run that was wrong. */
export function formatTally(tally: Tally): string {
  const { results } = tally;
  const widest = Math.max(...faultKinds.map((kind) => kind.length));
  const line = (title: string, cells: readonly (number | string)[]) =>
    [title.padEnd(widest), ...cells.map((cell, at) => String(cell).padStart(results[at]?.length ?? 0))].join("  ");
  const rows = faultKinds.map((kind) =>
    line(
      kind,
      results.map((result) => tally.count(kind, result)),
    ),
  );
  const sums = results.map((result) => faultKinds.reduce((sum, kind) => sum + tally.count(kind, result), 0));
  return [line("", results), ...rows, line("all", sums), ...tally.wrong].join("\n");
}
