/**
 * Decides what a flash has to do. Pure: contents, map and answers go in, steps come out. Everything is decided per erase
 * unit, and whatever is erased is wholly written again, so no byte is ever lost beside the image.
 */
import { filled } from "./bytes.ts";
import type { FlashMap, Region } from "./flash-map.ts";
import type { Address, Range } from "./image.ts";
import { uncovered, type Sector } from "./sectors.ts";

/** How long things take on this board over this wire, milliseconds. For decisions and estimates, never for deadlines. */
export interface FlashCosts {
  readonly sectorEraseMs: number;
  /** Where sectors are of several sizes: by bytes of the sector, instead of `sectorEraseMs`. */
  readonly sectorEraseMsBySize?: ReadonlyMap<number, number>;
  /** 0 where there are no blocks. */
  readonly blockEraseMs: number;
  /** Programming, per byte. */
  readonly programMsPerByte: number;
  /** One byte over the wire. */
  readonly wireMsPerByte: number;
  /** Bytes on the wire per byte of contents: 1 uncompressed; typical firmware deflates to 0.5 … 0.6. */
  readonly wireRatio: number;
  /** The same for contents that the board composes from what it holds; undefined where it cannot. */
  readonly patchWireRatio?: number;
  /** One question and its answer, without the work for it. */
  readonly roundTripMs: number;
  /** The device's digest, per byte. */
  readonly digestMsPerByte: number;
  /** True when data travels while earlier data is erased and programmed. */
  readonly overlaps: boolean;
}

export interface Erase extends Range {
  readonly unit: "sector" | "block";
}

export type MemoryStep =
  /** Erases `erases` (in order, they tile the range of `data`) and programs `data`. */
  | { readonly kind: "write"; readonly address: Address; readonly data: Uint8Array; readonly erases: readonly Erase[] }
  /** Asks the device for its own digest of the range and compares it with that of `data`, which is made when it is needed: 3 ms per MiB. */
  | { readonly kind: "verify"; readonly range: Range; readonly data: Uint8Array };

export interface Plan {
  readonly steps: readonly MemoryStep[];
  /** Sectors the image touches. */
  readonly sectors: number;
  readonly sectorsToWrite: number;
  readonly bytesToWrite: number;
  /** More than is written where blank sectors beside the image are erased with their block. */
  readonly erasedBytes: number;
}

/**
 * Runs of sectors to write, each followed by its verification at the end. Where a whole erase block is faster than its
 * sectors one by one, its unchanged sectors are written again too; only where the image fills them, so nothing is lost.
 * @param toWrite subset of `sectors`, with the bytes of their uncovered parts filled in as they shall be
 */
export function planWrites(
  sectors: readonly Sector[],
  toWrite: ReadonlyMap<Address, Sector>,
  map: FlashMap,
  costs: FlashCosts,
): Plan {
  const chosen = new Map(toWrite);
  const blocks = map.flatMap((region) => wholeBlocks(sectors, region));
  for (const block of blocks) {
    const writable = block.sectors.every((sector) => chosen.has(sector.address) || isKnown(sector));
    if (writable && blockPays(block.sectors, chosen, costs))
      for (const sector of block.sectors) if (!chosen.has(sector.address)) chosen.set(sector.address, sector);
  }
  const written = [...chosen.values()].sort((a, b) => a.address - b.address);
  const erasedWhole = blocks.filter((block) => block.sectors.every((sector) => chosen.has(sector.address)));
  const writes = runsOf(written).map((run) => writeStep(run, erasedWhole));
  const toProgram = written.filter(isOfImage);
  return {
    steps: [...writes, ...writes.map(verifyStep)],
    sectors: sectors.filter(isOfImage).length,
    sectorsToWrite: toProgram.length,
    bytesToWrite: bytesOf(toProgram),
    erasedBytes: bytesOf(written),
  };
}

function bytesOf(sectors: readonly Sector[]): number {
  return sectors.reduce((sum, sector) => sum + sector.size, 0);
}

/** Not one of `blankNeighbours`. */
function isOfImage({ covered }: Sector): boolean {
  return covered.length > 0;
}

/** All that shall stand there is known, whether or not anybody has asked the board. */
function isKnown(sector: Sector): boolean {
  return !isOfImage(sector) || uncovered(sector).length === 0;
}

interface Block extends Range {
  readonly sectors: readonly Sector[];
}

/**
 * Sectors that the image does not touch, as they would be if they were blank: if the board says that they are, their block can be
 * erased whole, which is faster. Add them to `sectors` for `planWrites` then.
 */
export function blankNeighbours(
  sectors: readonly Sector[],
  toWrite: ReadonlyMap<Address, Sector>,
  map: FlashMap,
  costs: FlashCosts,
): readonly (readonly Sector[])[] {
  return map.flatMap((region) => {
    const { blockSize } = region;
    if (blockSize === undefined) return [];
    return [...blocksOf(sectors, { ...region, blockSize })].flatMap(([address, inside]) => {
      const missing = missingSectors(inside, address, { ...region, blockSize });
      const askMs = missing.length * region.sectorSize * costs.digestMsPerByte;
      const writable = inside.every((sector) => toWrite.has(sector.address) || isKnown(sector));
      const pays = missing.length > 0 && writable && blockPays([...inside, ...missing], toWrite, costs, askMs);
      return pays ? [missing] : [];
    });
  });
}

type RegionOfBlocks = Region & { readonly blockSize: number };

/** None if the block reaches beyond its region. */
function missingSectors(inside: readonly Sector[], address: Address, region: RegionOfBlocks): readonly Sector[] {
  const { start, size, sectorSize, blockSize, erasedByte } = region;
  if (address < start || address + blockSize > start + size) return [];
  const there = new Set(inside.map((sector) => sector.address));
  const places = Array.from({ length: blockSize / sectorSize }, (_, index) => address + index * sectorSize);
  return places
    .filter((place) => !there.has(place))
    .map((address) => ({ address, size: sectorSize, data: filled(sectorSize, erasedByte), covered: [], erasedByte }));
}

/** The region's blocks of which the image touches every sector. */
function wholeBlocks(sectors: readonly Sector[], region: Region): readonly Block[] {
  const { blockSize } = region;
  if (blockSize === undefined) return [];
  return [...blocksOf(sectors, { ...region, blockSize })]
    .filter(([, inside]) => inside.length === blockSize / region.sectorSize)
    .map(([address, inside]) => ({ address, size: blockSize, sectors: inside }));
}

function blocksOf(sectors: readonly Sector[], region: RegionOfBlocks): ReadonlyMap<Address, readonly Sector[]> {
  const found = new Map<Address, Sector[]>();
  for (const sector of sectors) {
    if (sector.address < region.start || sector.address >= region.start + region.size) continue;
    const address = sector.address - (sector.address % region.blockSize);
    const inside = found.get(address);
    if (inside === undefined) found.set(address, [sector]);
    else inside.push(sector);
  }
  return found;
}

/** @param extraMs what else it takes to erase the block whole */
function blockPays(
  sectors: readonly Sector[],
  chosen: ReadonlyMap<Address, Sector>,
  costs: FlashCosts,
  extraMs = 0,
): boolean {
  const some = sectors.filter((sector) => chosen.has(sector.address));
  if (some.length === 0 || costs.blockEraseMs === 0) return false;
  const oneByOne = writeMs(bytesOf(some), some.length * costs.sectorEraseMs, costs);
  const blank = sectors.filter(isBlank);
  const blankBytes = bytesOf(blank);
  const atOnceMs = writeMs(bytesOf(sectors) - blankBytes, costs.blockEraseMs, costs) + extraMs;
  return atOnceMs + blankBytes * costs.digestMsPerByte < oneByOne; // blank ones are only read back
}

function isBlank({ data, erasedByte }: Sector): boolean {
  return data.every((byte) => byte === erasedByte);
}

function writeMs(bytes: number, eraseMs: number, costs: FlashCosts): number {
  const wireMs = bytes * costs.wireRatio * costs.wireMsPerByte;
  const flashMs = eraseMs + bytes * costs.programMsPerByte;
  return costs.overlaps ? Math.max(wireMs, flashMs) : wireMs + flashMs;
}

function runsOf(sectors: readonly Sector[]): readonly (readonly Sector[])[] {
  const runs: Sector[][] = [];
  for (const sector of sectors) {
    const last = runs.at(-1)?.at(-1);
    if (last !== undefined && last.address + last.size === sector.address) runs.at(-1)?.push(sector);
    else runs.push([sector]);
  }
  return runs;
}

export type WriteStep = Extract<MemoryStep, { kind: "write" }>;

function writeStep(run: readonly Sector[], blocks: readonly Block[]): WriteStep {
  const [first] = run;
  const data = Buffer.concat(run.map((sector) => sector.data));
  const erases: Erase[] = [];
  for (const sector of run) {
    const block = blocks.find((one) => sector.address >= one.address && sector.address < one.address + one.size);
    if (block === undefined) erases.push({ address: sector.address, size: sector.size, unit: "sector" });
    else if (block.address === sector.address) erases.push({ address: block.address, size: block.size, unit: "block" });
  }
  return { kind: "write", address: first?.address ?? 0, data, erases };
}

function verifyStep(write: WriteStep): MemoryStep {
  return { kind: "verify", range: { address: write.address, size: write.data.length }, data: write.data };
}

function eraseMsOf({ unit, size }: Erase, costs: FlashCosts): number {
  if (unit === "block") return costs.blockEraseMs;
  return costs.sectorEraseMsBySize?.get(size) ?? costs.sectorEraseMs;
}

/** What carrying out the steps will take, milliseconds: writing, erasing and verifying, without connect and survey. */
export function estimateMs(plan: Plan, costs: FlashCosts): number {
  let totalMs = 0;
  for (const step of plan.steps) {
    switch (step.kind) {
      case "write": {
        const eraseMs = step.erases.reduce((sum, erase) => sum + eraseMsOf(erase, costs), 0);
        totalMs += writeMs(step.data.length, eraseMs, costs) + 3 * costs.roundTripMs;
        break;
      }
      case "verify":
        totalMs += costs.roundTripMs + step.range.size * costs.digestMsPerByte;
        break;
    }
  }
  return totalMs;
}
