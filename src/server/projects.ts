/** Projects of the workspace for front ends: what discovery finds, with the chips that can be flashed told from those that cannot. */
import { discoverProjects, type DiscoveredProject } from "../build/discover.ts";
import { FlashError } from "../core/errors.ts";
import { chipMeant } from "../targets/esp/chips.ts";
import type { ProjectCandidate } from "./protocol.ts";

export interface WhereToLook {
  readonly folders: readonly string[];
  /** Build folders outside the workspace. */
  readonly buildFolders?: readonly string[] | undefined;
}

export class Projects {
  /** By artifact: the chip of a project that cannot be flashed yet. */
  #foreignChips: ReadonlyMap<string, string> = new Map();

  /** @throws FlashError `refused` for settings that are no lists of paths */
  async discover({ folders, buildFolders = [] }: WhereToLook): Promise<readonly ProjectCandidate[]> {
    if (!isTexts(folders)) throw notPaths("folders");
    if (!isTexts(buildFolders)) throw notPaths("buildFolders");
    const candidates = (await discoverProjects(folders, { buildFolders })).map(candidateOf);
    this.#foreignChips = new Map(
      candidates.flatMap(({ artifact, unsupportedChip: chip }) =>
        chip === undefined ? [] : [[keyOf(artifact), chip]],
      ),
    );
    return candidates;
  }

  /** The chip of the project that makes this artifact, where it is one that cannot be flashed yet. */
  foreignChipOf(artifact: readonly string[]): string | undefined {
    return this.#foreignChips.get(keyOf(artifact));
  }
}

/** What build systems call the chip becomes the name that a flash takes, or no name at all. */
export function candidateOf({ chip, ...project }: DiscoveredProject): ProjectCandidate {
  if (chip === undefined) return project;
  const known = chipMeant(chip);
  if (known !== undefined) return { ...project, chip: known.name };
  const reason = `It is built for ${chip}, which Deltaflash cannot flash yet: flash it with its build system's own command.`;
  return { ...project, unsupportedChip: chip, reasons: [...project.reasons, reason] };
}

function keyOf(artifact: readonly string[]): string {
  return artifact.join("\n");
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

function notPaths(name: string): FlashError {
  return new FlashError("refused", `'${name}' has a value of the wrong kind`, {
    remedy: "It must be a list of paths; correct it in the settings.",
  });
}
