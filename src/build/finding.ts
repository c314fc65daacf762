/** What discovery says of one build, and how it judges whether the build's files are there and newer than what describes them. */
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { asFlashError } from "../core/errors.ts";

/** One thing that a build of a workspace folder makes. */
export interface DiscoveredProject {
  /** Stays the same between discoveries: `esp-idf:/ws/build`. */
  readonly id: string;
  readonly system: ProjectSystem;
  readonly title: string;
  /** What `loadArtifact` takes. */
  readonly artifact: readonly string[];
  /** Full paths of files whose change means that a build has ended; they may not exist yet. */
  readonly watch: readonly string[];
  readonly chip?: string;
  readonly port?: string;
  /** Rate for writing. */
  readonly baud?: number;
  /** Rate of the program's own output. */
  readonly monitorBaud?: number;
  /** Sentences: what was read where, what it said, and what is wrong with it. */
  readonly reasons: readonly string[];
}

export type ProjectSystem = "esp-idf" | "platformio" | "zephyr" | "arduino" | "cmake" | "plain";

/** A project with what ranking needs to know. */
export interface Finding extends DiscoveredProject {
  readonly state: ArtifactState;
  /** When the main file was written, milliseconds since 1970; 0 when it is not there. */
  readonly builtMs: number;
  /** False when the project's own settings prefer another one. */
  readonly isPreferred: boolean;
  /** The build's folder: nothing below it is another project's. */
  readonly folder: string;
}

/** From good to bad. */
export type ArtifactState = "fresh" | "stale" | "missing" | "broken";

export interface Judgement {
  readonly state: ArtifactState;
  readonly builtMs: number;
  readonly reasons: readonly string[];
}

/** File systems keep times as coarse as 2 s (FAT). */
const TIME_STEP_MS = 2_000;

/** The first of `files` is the main one: it is stale when it is older than one of the `metadata` files that describe it. */
export async function judge(files: readonly string[], metadata: readonly string[]): Promise<Judgement> {
  const times = await Promise.all(files.map(timeOf));
  const builtMs = times[0] ?? 0;
  const missing = files.filter((_, index) => times[index] === undefined);
  if (missing.length > 0) {
    return { state: "missing", builtMs, reasons: missing.map((path) => `${path} does not exist: build first.`) };
  }
  const described = await Promise.all(metadata.map(timeOf));
  const newer = metadata.filter((_, index) => (described[index] ?? 0) > builtMs + TIME_STEP_MS);
  const main = basename(files[0] ?? "");
  if (newer.length === 0) return { state: "fresh", builtMs, reasons: [] };
  return {
    state: "stale",
    builtMs,
    reasons: newer.map(
      (path) => `${main} is older than ${path}: it may be of a build before that change; build again.`,
    ),
  };
}

/** What is left to say when the build's own files cannot be read. */
export function brokenFinding(project: Omit<Finding, "state" | "builtMs" | "isPreferred">, thrown: unknown): Finding {
  const { message, remedy } = asFlashError(thrown);
  return {
    ...project,
    reasons: [...project.reasons, `${message}. ${remedy}`],
    state: "broken",
    builtMs: 0,
    isPreferred: true,
  };
}

/** Milliseconds since 1970; undefined when there is no such file. */
export async function timeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch {
    return undefined;
  }
}
