/** Whether an artifact's files belong to one build. Looks at times alone; what the sources are is the build system's to know. */
import { basename } from "node:path";
import type { Artifact } from "./artifact.ts";
import { timeOf } from "./finding.ts";

/** File systems keep times as coarse as 2 s (FAT); a linked program and its image are made one right after the other. */
const timeStepMs = 2_000;

/** Sentences for the user; empty when nothing is wrong, or when nobody can tell. */
export async function stalenessOf(artifact: Artifact): Promise<readonly string[]> {
  if (artifact.kind === "elf" || artifact.elfPath === undefined || artifact.app === undefined) return [];
  const { app, elfPath } = artifact;
  const [appMs, elfMs] = await Promise.all([timeOf(app.path), timeOf(elfPath)]);
  if (appMs === undefined || elfMs === undefined || elfMs <= appMs + timeStepMs) return [];
  const seconds = Math.round((elfMs - appMs) / 1_000);
  return [
    `${app.path} is ${seconds} s older than ${basename(elfPath)}, so it is of an earlier build; build again, then flash again.`,
  ];
}
