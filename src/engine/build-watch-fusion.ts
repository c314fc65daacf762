/**
 * Decides from hints, looks at the files and digests when a build has ended. Pure: the driver looks, reads and waits, and tells
 * here what it found and when. No hint counts by itself; a failed build is never told, and the same build is told once.
 */

import type { BuildCompleted } from "./views.ts";

/** One watched file. `size` -1: it is not there. */
export interface FileState {
  readonly size: number;
  readonly mtimeMs: number;
}

/** All watched files of a project, in their order. */
export type Snapshot = readonly FileState[];

/** What the driver is to do next. */
export type FusionStep =
  | { readonly kind: "rest" }
  | { readonly kind: "look"; readonly inMs: number }
  /** Read the artifact, then look once more, so that nothing was written meanwhile. */
  | { readonly kind: "digest" }
  | { readonly kind: "completed"; readonly build: BuildCompleted };

/** Equal twice, this far apart, when somebody says that the build has ended. Source: ecosystem study, rule 2. */
const stableMs = 100;
/** When only files have changed: the one who knows the exit code gets the time to say so. */
const stableUnaskedMs = 500;
/** What a failed build still writes after its end is its own. */
const afterFailureMs = 300;
/** Repeats of the same build within this time are dropped. Source: ecosystem study, rule 4. */
const repeatMs = 5_000;
/** Files that change for longer than this are no build. */
const longestUnrestMs = 120_000;
const mostUnreadable = 50;
const mostSources = 16;

const rest = { kind: "rest" } as const;
const lookSoon = { kind: "look", inMs: stableMs } as const;

export class BuildFusion {
  readonly #project: string;
  #state: "resting" | "looking" | "failed" = "resting";
  #sources: string[] = [];
  #exitCode: number | undefined;
  #hintedMs = 0;
  #seen: { readonly snapshot: Snapshot; readonly sinceMs: number; readonly times: number } | undefined;
  #unreadable = 0;
  /** The files as they were when a build was told, or had failed. */
  #settled: Snapshot | undefined;
  #id: string | undefined;
  #told: { readonly id: string; readonly atMs: number; readonly exitCode: number | undefined } | undefined;

  constructor(project: string) {
    this.#project = project;
  }

  /** What stands there before the first hint: the build before. @param id undefined: nothing that could be read */
  begin(snapshot: Snapshot, id: string | undefined): void {
    if (this.#state !== "resting") return;
    this.#settled = snapshot;
    this.#id = id;
  }

  /** Somebody says that something happened. Whoever drives looks at once when it is resting. */
  hint(source: string, exitCode: number | undefined, atMs: number): void {
    if (exitCode !== undefined && exitCode !== 0) {
      this.#forgetHints();
      this.#state = "failed";
      return;
    }
    if (this.#state === "failed" && exitCode === undefined) return;
    if (this.#state !== "looking") this.#hintedMs = atMs;
    this.#state = "looking";
    this.#exitCode ??= exitCode;
    if (!this.#sources.includes(source) && this.#sources.length < mostSources) this.#sources.push(source);
  }

  /** The first step after a hint. */
  start(): FusionStep {
    switch (this.#state) {
      case "resting":
        return rest;
      case "looking":
        return { kind: "look", inMs: 0 };
      case "failed":
        return { kind: "look", inMs: afterFailureMs };
    }
  }

  seen(snapshot: Snapshot, atMs: number): FusionStep {
    if (this.#state === "failed") {
      this.#settled = snapshot;
      return this.#rest();
    }
    if (this.#state === "resting" || snapshot.every((file) => file.size < 0)) return this.#rest();
    if (atMs - this.#hintedMs > longestUnrestMs) return this.#rest();
    if (this.#exitCode === undefined && this.#onlyFiles && same(snapshot, this.#settled)) return this.#rest();
    const before = same(snapshot, this.#seen?.snapshot) ? this.#seen : undefined;
    this.#seen = { snapshot, sinceMs: before?.sinceMs ?? atMs, times: (before?.times ?? 0) + 1 };
    const quietMs = this.#onlyFiles ? stableUnaskedMs : stableMs;
    return this.#seen.times >= 2 && atMs - this.#seen.sinceMs >= quietMs ? { kind: "digest" } : lookSoon;
  }

  /** @param id undefined: the artifact is not complete. @param after the files after it was read */
  digested(id: string | undefined, after: Snapshot, atMs: number): FusionStep {
    if (this.#state === "failed") return this.start();
    if (id === undefined || !same(after, this.#seen?.snapshot)) {
      this.#seen = undefined;
      this.#unreadable += id === undefined ? 1 : 0;
      return this.#unreadable > mostUnreadable ? this.#rest() : lookSoon;
    }
    const build = this.#complete(id, atMs);
    this.#settled = after;
    this.#rest();
    return build === undefined ? rest : { kind: "completed", build };
  }

  /** undefined for a repeat. One that is the first to know the exit code is none: it says that the build went well. */
  #complete(id: string, atMs: number): BuildCompleted | undefined {
    const exitCode = this.#exitCode;
    const told = this.#told;
    const repeats = told?.id === id && atMs - told.atMs < repeatMs;
    if (repeats && (exitCode === undefined || told.exitCode !== undefined)) return undefined;
    const changed = repeats || id !== this.#id;
    this.#id = id;
    this.#told = { id, atMs, exitCode };
    const sources = [...this.#sources];
    return { project: this.#project, id, sources, changed, ...(exitCode === undefined ? {} : { exitCode }) };
  }

  get #onlyFiles(): boolean {
    return this.#sources.every((source) => source === "watcher");
  }

  #rest(): FusionStep {
    this.#forgetHints();
    this.#state = "resting";
    return rest;
  }

  #forgetHints(): void {
    this.#sources = [];
    this.#exitCode = undefined;
    this.#seen = undefined;
    this.#unreadable = 0;
  }
}

function same(a: Snapshot, b: Snapshot | undefined): boolean {
  return (
    a.length === b?.length &&
    a.every((file, index) => file.size === b[index]?.size && file.mtimeMs === b[index].mtimeMs)
  );
}
