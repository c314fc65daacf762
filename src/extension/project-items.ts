/** The list of what the workspace builds, the most likely one first, with the reason. Knows no editor. */
import * as l10n from "@vscode/l10n";
import type { ProjectCandidate } from "../server/protocol.ts";

export interface ProjectItem {
  readonly label: string;
  readonly description: string;
  /** Why it is the first, then what is flashed. */
  readonly detail: string;
  readonly project: ProjectCandidate;
}

/** @param ranked the best first: the list begins with it, so that it is the one that Enter takes */
export function projectItems(
  ranked: readonly ProjectCandidate[],
  current: ProjectCandidate | undefined,
): readonly ProjectItem[] {
  return ranked.map((project, index) => ({
    label: project.title,
    description: project === current ? `${project.system} ${l10n.t("(current)")}` : project.system,
    detail: [index === 0 ? project.reasons[0] : undefined, project.artifact.join(" ")]
      .filter((part) => part !== undefined)
      .join(" "),
    project,
  }));
}
