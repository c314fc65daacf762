/** Watches folders flat, whether or not they are there yet: one that is deleted and made again is watched again. */
import { watch, type FSWatcher } from "node:fs";
import { stat } from "node:fs/promises";
import type { Clock } from "../core/clock.ts";

export interface FolderWatchParts {
  readonly clock: Clock;
  /** @param file name in the folder; undefined where the system does not say, or when the folder itself has changed */
  onChange(folder: string, file: string | undefined): void;
  log(line: string): void;
}

/** How soon a folder that was made again is noticed. */
const roundMs = 1_000;
const mostFolders = 256;

interface Armed {
  readonly inode: number;
  /** undefined where the system has no watch left: then every round counts as a change. */
  readonly watcher: FSWatcher | undefined;
}

export class FolderWatch {
  readonly #parts: FolderWatchParts;
  readonly #folders = new Map<string, Armed | undefined>();
  readonly #stop = new AbortController();

  constructor(parts: FolderWatchParts) {
    this.#parts = parts;
    void this.#rounds();
  }

  /** From now on these and no others; more than 256 are not watched. Resolves when those that are there are watched. */
  async set(folders: readonly string[]): Promise<void> {
    const wanted = new Set(folders.slice(0, mostFolders));
    for (const [folder, armed] of this.#folders) {
      if (wanted.has(folder)) continue;
      armed?.watcher?.close();
      this.#folders.delete(folder);
    }
    const fresh = [...wanted].filter((folder) => !this.#folders.has(folder));
    for (const folder of fresh) this.#folders.set(folder, undefined);
    await Promise.all(fresh.map((folder) => this.#check(folder, () => undefined)));
  }

  close(): void {
    this.#stop.abort();
    for (const armed of this.#folders.values()) armed?.watcher?.close();
    this.#folders.clear();
  }

  async #rounds(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#parts.clock.sleep(roundMs, this.#stop.signal).catch(() => undefined);
      const changed = (folder: string) => this.#parts.onChange(folder, undefined);
      await Promise.all([...this.#folders.keys()].map((folder) => this.#check(folder, changed)));
    }
  }

  /** Is it still the folder that is watched? */
  async #check(folder: string, changed: (folder: string) => void): Promise<void> {
    const inode = await stat(folder).then(
      (found) => (found.isDirectory() ? found.ino : undefined),
      () => undefined,
    );
    if (!this.#folders.has(folder)) return;
    const armed = this.#folders.get(folder);
    if (inode !== undefined && armed?.inode === inode) {
      if (armed.watcher === undefined) changed(folder);
      return;
    }
    armed?.watcher?.close();
    this.#folders.set(folder, inode === undefined ? undefined : { inode, watcher: this.#arm(folder) });
    if (inode !== undefined) changed(folder);
  }

  #arm(folder: string): FSWatcher | undefined {
    try {
      const watcher = watch(folder, { persistent: false }, (_, file) => {
        this.#parts.onChange(folder, file ?? undefined);
      });
      watcher.on("error", (error) => {
        this.#parts.log(`${folder} is no longer watched: ${String(error)}`);
        watcher.close();
        if (this.#folders.get(folder)?.watcher === watcher) this.#folders.set(folder, undefined);
      });
      return watcher;
    } catch (error) {
      this.#parts.log(`${folder} is looked at every second, because it cannot be watched: ${String(error)}`);
      return undefined;
    }
  }
}
