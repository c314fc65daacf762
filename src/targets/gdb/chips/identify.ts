/** Finds out which chip is behind a GDB server by reading its memory, and nothing else. Which chips there are is the rows' affair. */
import { hex } from "../../../core/bytes.ts";
import type { Address } from "../../../core/image.ts";
import { chipRows } from "./list.ts";
import type { ChipMemory, ChipRow, CortexCore, Fact, Precondition } from "./row.ts";

/** The 32-bit word at a multiple of 4, 0 … 2^32 - 1; undefined where the chip or the server refuses. */
export type ReadWord = (address: Address) => Promise<number | undefined>;

export interface KnownChip {
  readonly kind: "known";
  readonly row: ChipRow;
  readonly memory: ChipMemory;
  /** What `row.reads` held: with them the memory is known without the chip. */
  readonly words: readonly number[];
  /** As in the blob's name, `cortex-m-<driver>`. */
  readonly driver: string;
  /** The unique number, 16 to 32 hex digits; undefined where there is none. */
  readonly uniqueId: string | undefined;
  /** Sentences for the user why our loader must leave the flash alone; usually none. */
  readonly obstacles: readonly string[];
  /** That one of them which leaves the flash out of everybody's reach. */
  readonly lock: string | undefined;
}

export type Identified =
  | KnownChip
  /** Nothing fits, or what fits says nonsense about itself. */
  | { readonly kind: "unknown"; readonly because: string; readonly wake: readonly NonNullable<ChipRow["wake"]>[] }
  /** More than one fits: nobody may write then. */
  | { readonly kind: "ambiguous"; readonly rows: readonly ChipRow[] };

const CPUID = 0xe000ed00;

/** PARTNO of CPUID: ARM DDI 0419E B3.2.3 and the cores' own manuals. */
const cores = new Map<number, CortexCore>([
  [0xc20, "M0"],
  [0xc60, "M0+"],
  [0xc23, "M3"],
  [0xc24, "M4"],
  [0xc27, "M7"],
]);

/** Every word is read once: a refused read costs a server more than one that is answered. */
function remembering(read: ReadWord): ReadWord {
  const words = new Map<Address, Promise<number | undefined>>();
  return (address) => {
    const known = words.get(address) ?? read(address);
    words.set(address, known);
    return known;
  };
}

function holds({ mask, values }: Fact, word: number | undefined): boolean {
  return word !== undefined && values.some((value) => ((word ^ value) & mask) === 0);
}

async function allHold(facts: readonly Fact[], read: ReadWord): Promise<boolean> {
  for (const fact of facts) if (!holds(fact, await read(fact.address))) return false;
  return true;
}

async function wordsAt(addresses: readonly Address[], read: ReadWord): Promise<readonly number[] | undefined> {
  const words: number[] = [];
  for (const address of addresses) {
    const word = await read(address);
    if (word === undefined) return undefined;
    words.push(word);
  }
  return words;
}

/** Reads a few words of the halted chip. Never throws on its own. @param rows the chips that it may be */
export async function identifyChip(readWord: ReadWord, rows: readonly ChipRow[] = chipRows): Promise<Identified> {
  const read = remembering(readWord);
  const cpuid = await read(CPUID);
  if (cpuid === undefined) {
    return unknown("not even the core's registers can be read; the chip's debug port may be locked");
  }
  const core = cores.get((cpuid >>> 4) & 0xfff);
  if (core === undefined) return unknown(`no core that we know (CPUID ${hex(cpuid)})`);
  const candidates = rows.filter((row) => row.core === core);
  const fitting: ChipRow[] = [];
  for (const row of candidates) if (await allHold(row.identify, read)) fitting.push(row);
  const [row, ...others] = fitting;
  if (others.length > 0) return { kind: "ambiguous", rows: fitting };
  if (row !== undefined) return known(row, read);
  return { ...unknown(`a Cortex-${core} of no chip that we know`), wake: await sleeping(candidates, read) };
}

function unknown(because: string): Extract<Identified, { kind: "unknown" }> {
  return { kind: "unknown", because, wake: [] };
}

/** What could be set so that rows can be told that read 0 now. */
async function sleeping(rows: readonly ChipRow[], read: ReadWord): Promise<readonly NonNullable<ChipRow["wake"]>[]> {
  const found = new Map<Address, NonNullable<ChipRow["wake"]>>();
  for (const { wake, identify } of rows) {
    const first = identify[0];
    if (wake !== undefined && first !== undefined && (await read(first.address)) === 0) found.set(wake.address, wake);
  }
  return [...found.values()];
}

async function known(row: ChipRow, read: ReadWord): Promise<Identified> {
  const words = await wordsAt(row.reads, read);
  const memory = words === undefined ? undefined : row.memory(words);
  if (words === undefined || memory === undefined)
    return unknown(`${row.title}, but it does not say how much flash it has`);
  const driver = await driverOf(row, read);
  if (driver === undefined) return unknown(`${row.title}, but without what its drivers need`);
  const unmet: Precondition[] = [];
  for (const condition of row.preconditions)
    if (!holds(condition, await read(condition.address))) unmet.push(condition);
  const obstacles = unmet.map(({ otherwise }) => otherwise);
  const lock = unmet.find(({ locks }) => locks === true)?.otherwise;
  return { kind: "known", row, memory, words, driver, uniqueId: await uniqueIdOf(row, read), obstacles, lock };
}

async function driverOf(row: ChipRow, read: ReadWord): Promise<string | undefined> {
  for (const { name, where } of row.drivers) if (where === undefined || (await allHold([where], read))) return name;
  return undefined;
}

async function uniqueIdOf(row: ChipRow, read: ReadWord): Promise<string | undefined> {
  const words = await wordsAt(row.uniqueId, read);
  if (words === undefined || words.length === 0) return undefined;
  return words.map((word) => word.toString(16).padStart(8, "0")).join("");
}
