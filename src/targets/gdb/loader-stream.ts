/**
 * Feeds a loader's two slots while the core runs: whoever waits is the flash or the link, never both. For servers that serve memory while
 * the core runs.
 */
import type { Address } from "../../core/image.ts";
import type { GdbClient } from "./client.ts";
import {
  encodeRecords,
  loaderStatus,
  mailboxWords,
  progressOf,
  recordBytes,
  sizeOfTarget,
  slotHeadBytes,
  slotState,
  type LoaderProgress,
  type LoaderRecord,
} from "./loader-abi.ts";
import { portionsOf } from "./loader-batches.ts";
import type { Block } from "./memory.ts";
import { pollPauseMs } from "./poll.ts";

/** Of slots that take what comes, one unit after the other: larger ones overlap no better, and begin later. */
const mostSlotBytes = 0x4000;
/** Of slots for all of a large unit: what a cancel waits for. */
const mostUnitBytes = 0x20000;

export interface Slots {
  readonly mailbox: Address;
  readonly first: Address;
  /** Of one, its head included. */
  readonly bytes: number;
}

/** So little is there as soon as looking at slots would be over. */
const mostUnstreamedBytes = 2048;

/** One unit that is handed over whole, as a batch. */
export function isShort(records: readonly LoaderRecord[]): boolean {
  return records.length <= 2 && records.reduce((sum, record) => sum + recordBytes(record), 0) <= mostUnstreamedBytes;
}

export interface Portions {
  readonly portions: readonly (readonly LoaderRecord[])[];
  /** Of one of the two slots. */
  readonly slotBytes: number;
}

/**
 * What goes into one slot after the other. An erase that stands in front goes alone, so that it is under way while the first data travel.
 * So does the erase of each large unit whose data travel while it goes on: in a slot that takes as much of them as can be.
 * @param bufferBytes for both slots
 * @param isHidden so many bytes travel in less time than it takes to erase them
 */
export function streamPortions(
  records: readonly LoaderRecord[],
  { bufferBytes, programUnit }: { readonly bufferBytes: number; readonly programUnit: number },
  isHidden: (bytes: number) => boolean,
): Portions {
  const half = Math.floor(bufferBytes / 8) * 4;
  const isLarge = (record: LoaderRecord | undefined) =>
    record !== undefined && 2 * sizeOfTarget(record) >= mostSlotBytes && isHidden(sizeOfTarget(record));
  const groups: LoaderRecord[][] = [];
  let longest = mostSlotBytes;
  let goesOn = false;
  for (const record of records) {
    const isAlone = record.kind === "erase" && isLarge(record);
    if (record.kind === "write" && isLarge(record)) longest = Math.max(longest, slotHeadBytes + recordBytes(record));
    if (isAlone || !goesOn) groups.push([record]);
    else groups.at(-1)?.push(record);
    goesOn = !isAlone;
  }
  const slotBytes = Math.min(half, longest, mostUnitBytes);
  const portions = groups.flatMap((group) => portionsOf(group, slotBytes - slotHeadBytes, programUnit));
  return { portions: startingEarly(portions), slotBytes };
}

function startingEarly(portions: readonly (readonly LoaderRecord[])[]): readonly (readonly LoaderRecord[])[] {
  const [first = [], ...others] = portions;
  return first[0]?.kind === "erase" && first.length > 1 ? [first.slice(0, 1), first.slice(1), ...others] : portions;
}

/** The slots as they are when the loader starts: the first one full, the second free. */
export function firstSlots({ first, bytes }: Slots, records: readonly LoaderRecord[]): readonly Block[] {
  return [
    { address: first, data: Buffer.concat([head(slotState.full, records.length), encodeRecords(records)]) },
    { address: first + bytes, data: head(slotState.free, 0) },
  ];
}

function head(state: number, count: number): Uint8Array {
  const bytes = Buffer.alloc(slotHeadBytes);
  bytes.writeUInt32LE(state, 0);
  bytes.writeUInt32LE(count, 4);
  return bytes;
}

export interface StreamOptions {
  /** How long the loader may show no progress. */
  readonly stallMs: number;
  onProgress(progress: LoaderProgress): void;
  /** True: nothing more is to be begun. */
  shouldStop(): boolean;
}

/**
 * Hands over all portions but the first, which `firstSlots` put there. An empty slot ends it.
 * @returns how it came to an end: all was handed over, or before that the loader has ended, or does not get on
 */
export async function feed(
  client: GdbClient,
  slots: Slots,
  portions: readonly (readonly LoaderRecord[])[],
  options: StreamOptions,
): Promise<"fed" | "ended" | "stalled"> {
  for (let number = 1; ; number++) {
    const portion = options.shouldStop() ? undefined : portions[number];
    const slot = slots.first + (number % 2) * slots.bytes;
    const found = await untilFree(client, { ...slots, slot }, options);
    if (found !== "free") return found;
    const records = portion ?? [];
    const state = portion === undefined || number === portions.length - 1 ? slotState.last : slotState.full;
    // The state goes last, in a packet of its own: the loader begins when it sees it.
    const filled = head(state, records.length);
    await client.write([
      { address: slot + 4, data: Buffer.concat([filled.subarray(4), encodeRecords(records)]) },
      { address: slot, data: filled.subarray(0, 4) },
    ]);
    if (state === slotState.last) return "fed";
  }
}

async function untilFree(
  client: GdbClient,
  { mailbox, slot }: { readonly mailbox: Address; readonly slot: Address },
  options: StreamOptions,
): Promise<"free" | "ended" | "stalled"> {
  const { clock, signal } = client.wire.context;
  const fromMs = clock.nowMs();
  let sinceMs = fromMs;
  let last = "";
  for (;;) {
    const [box = new Uint8Array(), state = new Uint8Array()] = await client.read([
      { address: mailbox, size: 4 * mailboxWords },
      { address: slot, size: 4 },
    ]);
    const progress = progressOf(wordsOf(box));
    options.onProgress(progress);
    if (progress.status !== loaderStatus.running) return "ended";
    if (wordsOf(state)[0] === slotState.free) return "free";
    const seen = `${progress.done} ${progress.erased} ${progress.programmed}`;
    if (seen !== last) sinceMs = clock.nowMs();
    else if (clock.nowMs() - sinceMs > options.stallMs) return "stalled";
    last = seen;
    await clock.sleep(pollPauseMs(clock.nowMs() - fromMs), signal);
  }
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Uint32Array.from({ length: bytes.length >> 2 }, (_, word) => view.getUint32(4 * word, true));
}
