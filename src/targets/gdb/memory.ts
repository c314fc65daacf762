/** Target memory by `m`, `M` and `X`, in packets as large as the server takes. Knows no chip. */
import { hex } from "../../core/bytes.ts";
import { FlashError } from "../../core/errors.ts";
import type { Address, Range } from "../../core/image.ts";
import { ask, checkOk, hexBytesOf, usualTimeoutMs } from "./ask.ts";
import { escapedPrefix } from "./packets.ts";
import type { Ask, GdbWire } from "./wire.ts";

export interface Block {
  readonly address: Address;
  readonly data: Uint8Array;
}

/** What of the server decides how memory is moved. */
export interface MemoryTraits {
  /** Bytes of a packet's body, as the server announced them. */
  readonly packetBytes: number;
  /** `X`, binary data. */
  readonly hasX: boolean;
  /** The answer to `X` may come before the write: the next one tells of a failure. */
  readonly answersEarly: boolean;
}

/** Kept free in every packet for the command, address and length: `X` + 8 digits + `,` + 8 digits + `:` are 19. */
const headerBytes = 24;
const wordBytes = 4;
/** The slowest link that is worth waiting for: a serial probe. */
const slowestBytesPerMs = 5;

/** Data bytes that one `M`, or the answer to one `m`, carries. */
function hexDataBytes({ packetBytes }: MemoryTraits): number {
  return Math.max(wordBytes, alignDown((packetBytes - headerBytes) / 2));
}

function alignDown(value: number): number {
  return Math.floor(value / wordBytes) * wordBytes;
}

/** Cuts blocks into packets; all but the last of a block end at a word, so that nothing is written in bytes. */
export function* writeAsks(blocks: readonly Block[], traits: MemoryTraits): Generator<Ask> {
  for (const { address, data } of blocks) {
    for (let at = 0; at < data.length;) {
      const length = chunkLength(data, at, address, traits);
      const chunk = data.subarray(at, at + length);
      yield traits.hasX ? writeX(address + at, chunk) : writeM(address + at, chunk);
      at += length;
    }
  }
  const last = blocks.at(-1);
  if (traits.hasX && traits.answersEarly && last !== undefined) {
    yield {
      ...writeX(last.address, new Uint8Array()),
      name: `the writes up to ${hex(last.address + last.data.length)}`,
    };
  }
}

function chunkLength(data: Uint8Array, at: number, address: Address, traits: MemoryTraits): number {
  const room = traits.hasX ? escapedPrefix(data, at, traits.packetBytes - headerBytes) : hexDataBytes(traits);
  if (room >= data.length - at) return data.length - at;
  const end = alignDown(address + at + room);
  return end > address + at ? end - (address + at) : room;
}

function writeX(address: Address, data: Uint8Array): Ask {
  const head = Buffer.from(`X${address.toString(16)},${data.length.toString(16)}:`, "latin1");
  const body = new Uint8Array(head.length + data.length);
  body.set(head);
  body.set(data, head.length);
  return { body, ...described("X", address, data.length) };
}

function writeM(address: Address, data: Uint8Array): Ask {
  const digits = Buffer.from(data.buffer, data.byteOffset, data.length).toString("hex");
  return {
    body: `M${address.toString(16)},${data.length.toString(16)}:${digits}`,
    ...described("M", address, data.length),
  };
}

function described(letter: string, address: Address, length: number): Omit<Ask, "body"> {
  return {
    name: `${letter} ${hex(address, 8)} (${length} bytes)`,
    timeoutMs: usualTimeoutMs + length / slowestBytesPerMs,
  };
}

/** @throws UnknownRequest, ServerRefusal naming the address of the packet that failed, or see `GdbWire.request` */
export async function writeBlocks(wire: GdbWire, traits: MemoryTraits, blocks: readonly Block[]): Promise<void> {
  await wire.pipeline(writeAsks(blocks, traits), (reply, asked) => checkOk(wire, asked, reply));
}

interface Read extends Range {
  readonly to: Uint8Array;
}

/** Reads ranges, each into its own bytes. Servers may answer with less than was asked; the rest is asked for again. */
export async function readRanges(
  wire: GdbWire,
  traits: MemoryTraits,
  ranges: readonly Range[],
): Promise<readonly Uint8Array[]> {
  const results = ranges.map(({ size }) => new Uint8Array(size));
  let todo = ranges.flatMap((range, index) => cut(range, results[index] ?? new Uint8Array(), hexDataBytes(traits)));
  while (todo.length > 0) {
    const asked = todo;
    const short: Read[] = [];
    let next = 0;
    await wire.pipeline(asked.map(readAsk), (reply, ask) => {
      const read = asked[next++];
      if (read === undefined) return;
      const bytes = hexBytesOf(wire, ask, reply);
      if (bytes.length > read.size) {
        throw new FlashError("protocol", `${ask.name}: ${bytes.length} bytes came from ${wire.transport.name}`);
      }
      read.to.set(bytes);
      if (bytes.length < read.size) {
        const { length } = bytes;
        short.push({ address: read.address + length, size: read.size - length, to: read.to.subarray(length) });
      }
    });
    todo = short;
  }
  return results;
}

function readAsk({ address, size }: Read): Ask {
  return ask(`m${address.toString(16)},${size.toString(16)}`, {
    ...described("m", address, size),
    answerBytes: 2 * size,
  });
}

function cut({ address, size }: Range, to: Uint8Array, mostBytes: number): readonly Read[] {
  const reads: Read[] = [];
  for (let at = 0; at < size;) {
    const end = Math.min(size, alignDown(address + at + mostBytes) - address);
    const length = end > at ? end - at : Math.min(size - at, mostBytes);
    reads.push({ address: address + at, size: length, to: to.subarray(at, at + length) });
    at += length;
  }
  return reads;
}
