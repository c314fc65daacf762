/** Words of a chip's memory for `identifyChip`: those that a known chip is told by come in one go, others one by one. */
import type { Address } from "../../../core/image.ts";
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
  const bytes = await unlessRefused(() => client.read(ahead.map((address) => ({ address, size: 4 }))));
  bytes?.forEach((word, index) => known.set(ahead[index] ?? 0, Buffer.from(word).readUInt32LE()));
  return async (address) =>
    known.get(address) ?? (await unlessRefused(async () => (await client.readWords(address, 1))[0]));
}

function wordsOf({ identify, reads, uniqueId, preconditions, drivers }: ChipRow): readonly Address[] {
  const facts = [...identify, ...preconditions, ...drivers.flatMap(({ where }) => where ?? [])];
  return [cpuid, ...facts.map(({ address }) => address), ...reads, ...uniqueId];
}

async function unlessRefused<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ServerRefusal || error instanceof UnknownRequest) return undefined;
    throw error;
  }
}
