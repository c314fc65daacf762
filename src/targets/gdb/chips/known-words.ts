/** Words of a chip's memory for `identifyChip`: those that a known chip is told by come in one go, others one by one. */
import type { Address, Range } from "../../../core/image.ts";
import { ServerRefusal, UnknownRequest } from "../ask.ts";
import type { GdbClient } from "../client.ts";
import type { ReadWord } from "./identify.ts";
import type { ChipRow } from "./row.ts";

/** CPUID: ARMv6-M Architecture Reference Manual, B3.2.3. */
const cpuid = 0xe000ed00;

/** @param likely the chip that was there last time */
export async function wordReader(client: GdbClient, likely: ChipRow | undefined): Promise<ReadWord> {
  const ahead = likely === undefined ? [] : [...new Set(wordsOf(likely))];
  const known = new Map<Address, number>();
  const ranges = rangesOf(ahead);
  const bytes = await unlessRefused(() => client.read(ranges));
  ranges.forEach(({ address, size }, index) => {
    const read = Buffer.from(bytes?.[index] ?? new Uint8Array());
    for (let at = 0; at + 4 <= Math.min(size, read.length); at += 4) known.set(address + at, read.readUInt32LE(at));
  });
  return async (address) =>
    known.get(address) ?? (await unlessRefused(async () => (await client.readWords(address, 1))[0]));
}

function wordsOf({ identify, reads, uniqueId, preconditions, drivers }: ChipRow): readonly Address[] {
  const facts = [...identify, ...preconditions, ...drivers.flatMap(({ where }) => where ?? [])];
  return [cpuid, ...facts.map(({ address }) => address), ...reads, ...uniqueId];
}

/** Words that are as near to each other as these bytes come together: a question costs more than they do. Where one is refused, all are. */
const nearBytes = 16;

function rangesOf(addresses: readonly Address[]): readonly Range[] {
  const ranges: { address: Address; size: number }[] = [];
  for (const address of [...addresses].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && address <= last.address + last.size + nearBytes) last.size = address + 4 - last.address;
    else ranges.push({ address, size: 4 });
  }
  return ranges;
}

async function unlessRefused<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ServerRefusal || error instanceof UnknownRequest) return undefined;
    throw error;
  }
}
