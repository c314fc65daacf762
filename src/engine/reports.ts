/** The last reports of each board, in the state folder: what the timing panel's history is drawn from. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "./state-folder.ts";
import type { StoredReport } from "./views.ts";

/** Per board. */
const mostReports = 50;
/** Of jobs that failed before the board said who it is. */
const unknownBoard = "unknown";

export class ReportStore {
  readonly #folder: string;
  /** One write after the other, so that none loses what the one before has added. */
  #last: Promise<void> = Promise.resolve();

  constructor(stateFolder: string) {
    this.#folder = join(stateFolder, "reports");
  }

  /** Rejects when the state folder cannot be written. */
  add(stored: StoredReport): Promise<void> {
    const name = fileNameOf(stored.report.identity);
    const adding = this.#last.then(async () => {
      const all = [...(await this.#read(name)), stored].slice(-mostReports);
      await replaceFile(join(this.#folder, name), JSON.stringify(all));
    });
    this.#last = adding.catch(() => undefined);
    return adding;
  }

  /** The newest first. @param identity undefined: of all boards */
  async newest(identity: string | undefined, limit: number): Promise<readonly StoredReport[]> {
    await this.#last;
    const names = identity === undefined ? await readdir(this.#folder).catch(() => []) : [fileNameOf(identity)];
    const lists = await Promise.all(names.filter((name) => name.endsWith(".json")).map((name) => this.#read(name)));
    return lists
      .flat()
      .sort((a, b) => b.at - a.at)
      .slice(0, Math.max(0, limit));
  }

  async #read(name: string): Promise<readonly StoredReport[]> {
    try {
      const list: unknown = JSON.parse(await readFile(join(this.#folder, name), "utf8"));
      return Array.isArray(list) ? list.filter(isStored) : [];
    } catch {
      return []; // missing or spoilt: history begins anew
    }
  }
}

function fileNameOf(identity: string): string {
  const name = identity.replaceAll(/[^0-9A-Za-z]+/g, "-");
  return `${name === "" ? unknownBoard : name}.json`;
}

function isStored(value: unknown): value is StoredReport {
  const { at, report } = (value ?? {}) as { at?: unknown; report?: { version?: unknown; spans?: unknown } | null };
  return typeof at === "number" && report?.version === 1 && Array.isArray(report.spans);
}
