/** Sections and symbols of the program that was flashed last on each board: small enough to keep, enough to say what a build changed. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { md5 } from "../core/digest.ts";
import type { Elf } from "../core/elf.ts";
import { contentsOf, readSymbols } from "../core/symbols.ts";
import { replaceFile } from "./state-folder.ts";
import type { ChangedItem } from "./views.ts";

/** Name, address, size in bytes, and a digest of the contents ("" where the file holds none). */
export type TableRow = readonly [name: string, address: number, size: number, digest: string];

export interface ProgramTable {
  readonly version: 1;
  readonly sections: readonly TableRow[];
  readonly symbols: readonly TableRow[];
}

/** Hex digits: enough to tell two contents apart, half of what would be kept. */
const digestDigits = 16;
/** What a list for people holds at most; the largest changes come first. */
const mostItems = 1_000;
const inMemory = 2; // SHF_ALLOC

/** @throws FlashError `bad-image` for a damaged symbol table */
export function programTable(elf: Elf): ProgramTable {
  const sections = elf.sections.filter((section) => (section.flags & inMemory) !== 0 && section.size > 0);
  return {
    version: 1,
    sections: sections.map(({ name, address, size, data }) => [name, address, size, digestOf(data)]),
    symbols: readSymbols(elf).map((symbol) => {
      const data = contentsOf(elf, symbol);
      return [symbol.name, symbol.address, symbol.size, data === undefined ? "" : digestOf(data)];
    }),
  };
}

/** Sections first, then symbols; within each the largest change of size first. Empty when nothing is known of the old program. */
export function changesBetween(old: ProgramTable | undefined, next: ProgramTable): readonly ChangedItem[] {
  if (old === undefined) return [];
  const sections = changedRows("section", old.sections, next.sections);
  return [...sections, ...changedRows("symbol", old.symbols, next.symbols)].slice(0, mostItems);
}

export class ProgramStore {
  readonly #folder: string;

  constructor(stateFolder: string) {
    this.#folder = join(stateFolder, "programs");
  }

  /** undefined for a board that was never flashed with a program that is known. */
  async read(identity: string): Promise<ProgramTable | undefined> {
    try {
      const table = JSON.parse(await readFile(this.#fileOf(identity), "utf8")) as ProgramTable;
      return (table as { version: number }).version === 1 ? table : undefined;
    } catch {
      return undefined; // missing or spoilt: nothing can be compared
    }
  }

  async keep(identity: string, table: ProgramTable): Promise<void> {
    await replaceFile(this.#fileOf(identity), JSON.stringify(table));
  }

  #fileOf(identity: string): string {
    return join(this.#folder, `${identity.replaceAll(/[^0-9A-Za-z]+/g, "-")}.json`);
  }
}

function digestOf(data: Uint8Array): string {
  return data.length === 0 ? "" : md5(data).slice(0, digestDigits);
}

function changedRows(
  kind: ChangedItem["kind"],
  old: readonly TableRow[],
  next: readonly TableRow[],
): readonly ChangedItem[] {
  const before = byName(old);
  const after = byName(next);
  const items: { readonly item: ChangedItem; readonly weight: number }[] = [];
  for (const key of new Set([...after.keys(), ...before.keys()])) {
    const [was, is] = [before.get(key), after.get(key)];
    if (was !== undefined && is !== undefined && [1, 2, 3].every((field) => was[field] === is[field])) continue;
    const item = {
      kind,
      name: (is ?? was)?.[0] ?? "",
      ...(was === undefined ? {} : { oldAddress: was[1], oldSize: was[2] }),
      ...(is === undefined ? {} : { newAddress: is[1], newSize: is[2] }),
    };
    items.push({ item, weight: weightOf(was, is) });
  }
  return items.sort((a, b) => b.weight - a.weight).map(({ item }) => item);
}

/** New, gone and resized first by bytes, then other contents, then what has only moved. */
function weightOf(was: TableRow | undefined, is: TableRow | undefined): number {
  const resized = Math.abs((is?.[2] ?? 0) - (was?.[2] ?? 0));
  return resized > 0 ? resized + 1 : was?.[3] === is?.[3] ? 0 : 1;
}

/** Static names may occur more than once: the second of a name is compared with the second. */
function byName(rows: readonly TableRow[]): ReadonlyMap<string, TableRow> {
  const counts = new Map<string, number>();
  const found = new Map<string, TableRow>();
  for (const row of rows) {
    const [name] = row;
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    found.set(`${name}\0${count}`, row);
  }
  return found;
}
