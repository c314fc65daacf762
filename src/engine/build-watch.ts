/** Notices that a build has ended, from changed files and from what front ends saw; tells each build once. Flashes nothing. */
import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Artifact } from "../build/artifact.ts";
import type { Clock } from "../core/clock.ts";
import { md5, type Digest } from "../core/digest.ts";
import { loadSegments } from "../core/elf.ts";
import { FolderWatch } from "./build-watch-folders.ts";
import { BuildFusion, type FusionStep, type Snapshot } from "./build-watch-fusion.ts";
import type { BuildCompleted, BuildHint } from "./views.ts";

export interface WatchedProject {
  readonly id: string;
  readonly artifact: readonly string[];
  /** Files whose change means that a build has ended. */
  readonly watch: readonly string[];
}

export interface BuildWatchParts {
  /** Real time. */
  readonly clock: Clock;
  /** @throws when the artifact is missing or not complete */
  loadArtifact(paths: readonly string[]): Promise<Artifact>;
  onCompleted(build: BuildCompleted): void;
  log(line: string): void;
}

interface Watched {
  readonly project: WatchedProject;
  readonly fusion: BuildFusion;
  isBusy: boolean;
}

const mostProjects = 64;

export class BuildWatch {
  readonly #parts: BuildWatchParts;
  readonly #folders: FolderWatch;
  readonly #stop = new AbortController();
  #watched = new Map<string, Watched>();

  constructor(parts: BuildWatchParts) {
    this.#parts = parts;
    this.#folders = new FolderWatch({
      clock: parts.clock,
      log: (line) => parts.log(line),
      onChange: (folder, file) => this.#fileChanged(folder, file),
    });
  }

  /** From now on these and no others, 64 at most. What is already built is not told. Resolves when all are watched. */
  async watch(projects: readonly WatchedProject[]): Promise<void> {
    const before = this.#watched;
    const wanted = projects.slice(0, mostProjects);
    this.#watched = new Map(wanted.map((project) => [project.id, this.#keep(before.get(project.id), project)]));
    const fresh = [...this.#watched.values()].filter((one) => before.get(one.project.id) !== one);
    await this.#folders.set([...new Set(wanted.flatMap((project) => project.watch.map((path) => dirname(path))))]);
    await Promise.all(fresh.map((one) => this.#begin(one)));
  }

  hint({ project, source, exitCode }: BuildHint): void {
    const watched = this.#watched.get(project);
    if (watched !== undefined) this.#hint(watched, source, exitCode);
  }

  close(): void {
    this.#stop.abort();
    this.#folders.close();
    this.#watched.clear();
  }

  #keep(known: Watched | undefined, project: WatchedProject): Watched {
    const isSame = known !== undefined && JSON.stringify(known.project) === JSON.stringify(project);
    return isSame ? known : { project, fusion: new BuildFusion(project.id), isBusy: false };
  }

  async #begin({ project, fusion }: Watched): Promise<void> {
    const before = await snapshotOf(project);
    const id = await this.#digest(project);
    fusion.begin(before, id);
  }

  #fileChanged(folder: string, file: string | undefined): void {
    for (const watched of this.#watched.values()) {
      const concerns = watched.project.watch.some(
        (path) => dirname(path) === folder && (file === undefined || basename(path) === file),
      );
      if (concerns) this.#hint(watched, "watcher", undefined);
    }
  }

  #hint(watched: Watched, source: string, exitCode: number | undefined): void {
    watched.fusion.hint(source, exitCode, this.#parts.clock.nowMs());
    if (!watched.isBusy) void this.#follow(watched);
  }

  /** Until the fusion rests. Never rejects. */
  async #follow(watched: Watched): Promise<void> {
    watched.isBusy = true;
    try {
      let step = watched.fusion.start();
      while (step.kind !== "rest" && this.#watched.get(watched.project.id) === watched) {
        step = await this.#take(watched, step);
        if (step.kind === "rest") step = watched.fusion.start(); // a hint may have come meanwhile
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#parts.log(`${watched.project.id}: ${String(error)}`);
    } finally {
      watched.isBusy = false;
    }
  }

  async #take({ project, fusion }: Watched, step: Exclude<FusionStep, { kind: "rest" }>): Promise<FusionStep> {
    const { clock } = this.#parts;
    switch (step.kind) {
      case "look":
        if (step.inMs > 0) await clock.sleep(step.inMs, this.#stop.signal);
        return fusion.seen(await snapshotOf(project), clock.nowMs());
      case "digest": {
        const id = await this.#digest(project);
        return fusion.digested(id, await snapshotOf(project), clock.nowMs());
      }
      case "completed":
        this.#parts.onCompleted(step.build);
        return { kind: "rest" };
    }
  }

  /** undefined while the artifact is missing or half written. */
  async #digest({ artifact }: WatchedProject): Promise<Digest | undefined> {
    try {
      return loadableDigest(await this.#parts.loadArtifact(artifact));
    } catch {
      return undefined;
    }
  }
}

/** Of the bytes that reach the board and their places: debug information and times do not count. */
export function loadableDigest(artifact: Artifact): Digest {
  const segments = artifact.kind === "elf" ? loadSegments(artifact.elf) : artifact.image.segments;
  return md5(...segments.flatMap(({ address, data }) => [Buffer.from(`${address}:${data.length};`), data]));
}

async function snapshotOf({ watch }: WatchedProject): Promise<Snapshot> {
  return Promise.all(
    watch.map((path) =>
      stat(path).then(
        ({ size, mtimeMs }) => ({ size, mtimeMs }),
        () => ({ size: -1, mtimeMs: 0 }),
      ),
    ),
  );
}
