/** What to ask a board before it is written: whether it still holds what the record says, and where it differs. */
import { equalBytes } from "./bytes.ts";
import type { Digest, DigestFunction } from "./digest.ts";
import type { Range } from "./image.ts";
import { partOf, type Sector } from "./sectors.ts";

/** Something to ask the board: does `range` hold bytes with this digest? If so, the covered parts of all its sectors are right. */
export interface Question {
  readonly range: Range;
  readonly expected: Digest;
  readonly sectors: readonly Sector[];
}

/** What the record says stands in a range, or undefined where it says nothing. */
export type KnownContents = (range: Range) => Uint8Array | undefined;

export interface Opinion {
  /** Sectors that the record says are right already: to be confirmed. */
  readonly same: readonly Sector[];
  /** Sectors that the record says are different: to be written. */
  readonly different: readonly Sector[];
  /** Sectors of which the record knows nothing: to be surveyed. */
  readonly unknown: readonly Sector[];
}

export function compareWithRecord(sectors: readonly Sector[], known: KnownContents): Opinion {
  const opinion = { same: [] as Sector[], different: [] as Sector[], unknown: [] as Sector[] };
  for (const sector of sectors) {
    const old = known({ address: sector.address, size: sector.size });
    if (old === undefined) opinion.unknown.push(sector);
    else if (
      sector.covered.every((range) => equalBytes(partOf(sector, range), partOf({ ...sector, data: old }, range)))
    )
      opinion.same.push(sector);
    else opinion.different.push(sector);
  }
  return opinion;
}

/** As few questions as there are runs of covered bytes: what touches is asked together. `sectors` sorted by address. */
export function questionsPerRun(sectors: readonly Sector[], digestOf: DigestFunction): readonly Question[] {
  return joinQuestions(
    sectors,
    digestOf,
    (sector, last) => last.range.address + last.range.size === sector.covered[0]?.address,
  );
}

/** One question for each covered part of each sector: tells exactly which sectors differ. */
export function questionsPerSector(sectors: readonly Sector[], digestOf: DigestFunction): readonly Question[] {
  return joinQuestions(sectors, digestOf, () => false);
}

function joinQuestions(
  sectors: readonly Sector[],
  digestOf: DigestFunction,
  goesOn: (sector: Sector, last: { range: Range }) => boolean,
): readonly Question[] {
  const open: { range: Range; parts: Uint8Array[]; sectors: Sector[] }[] = [];
  for (const sector of sectors) {
    sector.covered.forEach((range, index) => {
      const last = open.at(-1);
      if (index === 0 && last !== undefined && goesOn(sector, last)) {
        last.range = { address: last.range.address, size: last.range.size + range.size };
        last.parts.push(partOf(sector, range));
        last.sectors.push(sector);
      } else open.push({ range, parts: [partOf(sector, range)], sectors: [sector] });
    });
  }
  return open.map(({ range, parts, sectors }) => ({ range, expected: digestOf(...parts), sectors }));
}

/** How many sectors are asked first on a board of which nothing is known. */
const sampleSize = 8;

/** Evenly spread over the sectors; all of them when there are few. If none of these is right, asking on would not pay. */
export function sampleOf(sectors: readonly Sector[]): readonly Sector[] {
  if (sectors.length <= sampleSize * 2) return sectors;
  return Array.from(
    { length: sampleSize },
    (_, index) => sectors[Math.floor(((index + 0.5) * sectors.length) / sampleSize)],
  ).filter((sector) => sector !== undefined);
}
