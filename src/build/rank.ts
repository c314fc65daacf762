/** Puts the projects that were found in order, the most likely one first, and says why it is first. Pure. */
import { optional } from "./flash-files.ts";
import type { ArtifactState, DiscoveredProject, Finding } from "./finding.ts";

const states: readonly ArtifactState[] = ["fresh", "stale", "missing", "broken"];

interface Criterion {
  /** The better one has the smaller number. */
  readonly of: (finding: Finding) => number;
  /** Why the first of two stands before the second. */
  readonly words: (first: Finding, second: Finding) => string;
}

const criteria: readonly Criterion[] = [
  { of: (finding) => states.indexOf(finding.state), words: stateWords },
  {
    of: (finding) => (finding.isPreferred ? 0 : 1),
    words: (_, second) => `the project's own settings name it, and not ${second.title}`,
  },
  { of: (finding) => -finding.builtMs, words: (_, second) => `it was built later than ${second.title}` },
];

/** Equal ones keep the order in which they were found. */
export function rank(findings: readonly Finding[]): readonly DiscoveredProject[] {
  const sorted = [...findings].sort((a, b) => criterionBetween(a, b)?.difference ?? 0);
  return sorted.map((finding, index) => asProject(finding, index === 0 ? firstReasons(sorted) : []));
}

function criterionBetween(a: Finding, b: Finding): { readonly by: Criterion; readonly difference: number } | undefined {
  for (const by of criteria) {
    const difference = by.of(a) - by.of(b);
    if (difference !== 0) return { by, difference };
  }
  return undefined;
}

function firstReasons([first, second, ...rest]: readonly Finding[]): readonly string[] {
  if (first === undefined) return [];
  if (second === undefined) return ["It is the only one that was found."];
  const by = criterionBetween(first, second)?.by;
  const why = by === undefined ? "it was found first" : by.words(first, second);
  return [`It stands first of ${rest.length + 2}: ${why}.`];
}

function stateWords({ state: firstState }: Finding, { state, title }: Finding): string {
  switch (state) {
    case "fresh":
    case "stale":
      return `its files are newer than what describes them, those of ${title} are not`;
    case "missing":
      return `its files are all there, those of ${title} are not`;
    case "broken":
      return `${title} cannot be read${firstState === "missing" ? ", this one is only not built yet" : ""}`;
  }
}

function asProject(finding: Finding, added: readonly string[]): DiscoveredProject {
  const { id, system, title, artifact, watch, chip, port, baud, monitorBaud, reasons } = finding;
  return {
    id,
    system,
    title,
    artifact,
    watch,
    ...optional("chip", chip),
    ...optional("port", port),
    ...optional("baud", baud),
    ...optional("monitorBaud", monitorBaud),
    reasons: [...added, ...reasons],
  };
}
