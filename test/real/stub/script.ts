/** One conversation for every stub: what it is told, and a record of what it answers, which must be the same wherever the core runs. */
import { crc32, deflateRawSync } from "node:zlib";
import { v, z } from "../../unit/stubs/frames.ts";
import { Random } from "../../../src/sim/random.ts";
import type { Conversation, Damage, Hello } from "./conversation.ts";

const sector = 0x1000;
export const flashBytes = 0x40000;

/** Operations that compose a block, and the bytes that they make of a flash with these contents. */
class Block {
  readonly ops: number[] = [];
  readonly bytes: number[] = [];
  readonly #flash: Uint8Array;
  readonly #save: Uint8Array;
  readonly #first: number;
  #cursor: number;

  constructor(flash: Uint8Array, save: Uint8Array, firstSector: number) {
    this.#flash = flash;
    this.#save = save;
    this.#first = firstSector;
    this.#cursor = firstSector * sector;
  }

  #copied(from: number, length: number): number[] {
    const distance = from - this.#cursor;
    this.#cursor = from + length;
    this.bytes.push(...this.#flash.subarray(from, from + length));
    return [...v(length), ...z(distance)];
  }

  copy(from: number, length: number): this {
    this.ops.push(0x21, ...this.#copied(from, length));
    return this;
  }

  /** @param runs bytes to skip, then what stands there instead */
  add(from: number, length: number, runs: readonly (readonly [skip: number, bytes: readonly number[]])[]): this {
    let at = this.bytes.length;
    const coded = runs.flatMap(([skip, bytes]) => {
      const token = Math.min(skip, 31) | (Math.min(bytes.length - 1, 7) << 5);
      const more = [...(skip >= 31 ? v(skip - 31) : []), ...(bytes.length > 7 ? v(bytes.length - 8) : [])];
      return [token, ...more, ...bytes];
    });
    const head = this.#copied(from, length);
    for (const [skip, bytes] of runs) {
      at += skip;
      for (const byte of bytes) this.bytes[at++] = byte;
    }
    this.ops.push(0x22, ...head, ...v(runs.length), ...coded);
    return this;
  }

  insert(bytes: Iterable<number>): this {
    const all = [...bytes];
    this.ops.push(0x23, ...v(all.length), ...all);
    this.bytes.push(...all);
    return this;
  }

  fill(length: number, byte: number): this {
    this.ops.push(0x24, ...v(length), ...v(byte));
    for (let index = 0; index < length; index++) this.bytes.push(byte);
    return this;
  }

  saved(offset: number, length: number): this {
    this.ops.push(0x25, ...v(offset), ...v(length));
    this.bytes.push(...this.#save.subarray(offset, offset + length));
    return this;
  }

  /** With BLK in front and COMMIT behind. */
  committed(options: { blockFrom?: number; wrongBy?: number } = {}): number[] {
    const crc = (crc32(Uint8Array.from(this.bytes)) ^ (options.wrongBy ?? 0)) >>> 0;
    const head = [0x20, ...v(this.#first), ...v(this.bytes.length / sector), ...v(crc)];
    return [...head, ...this.ops, 0x28, ...v(options.blockFrom ?? 6)];
  }
}

/** What was said, and what the flash holds by the rules of the protocol. */
export interface Played {
  readonly hello: Hello;
  readonly text: string;
  readonly flash: Uint8Array;
}

/** A file of `stubs/blobs`, or what `stubs/build.mjs --qemu` describes likewise. */
export interface Blob {
  readonly entry: number;
  readonly segments: readonly BlobSegment[];
  readonly write: readonly BlobSegment[];
  readonly inflate: readonly BlobSegment[];
  readonly linkWord: number;
  readonly clockWord: number;
  readonly bssStart: number;
  readonly bssEnd: number;
  readonly codeBytes: number;
  readonly writeBytes: number;
  readonly inflateBytes: number;
  readonly build: number;
}

export interface BlobSegment {
  readonly address: number;
  /** Base64 */
  readonly data: string;
}

export function dataOf({ data }: BlobSegment): Buffer {
  return Buffer.from(data, "base64");
}

/** As the host does it: through the stub itself. @returns what it says */
export async function loadParts(stub: Conversation, ...segments: readonly BlobSegment[]): Promise<string> {
  await stub.hello(flashBytes);
  const ops = segments.flatMap((segment) => {
    const bytes = dataOf(segment);
    return [0x40, ...v(segment.address), ...v(bytes.length), ...bytes];
  });
  return stub.load(Uint8Array.from(ops));
}

/** Every operation that all stubs have; the flash is blank at first. */
export async function playScript(stub: Conversation): Promise<Played> {
  const hello = await stub.hello(flashBytes);
  const random = new Random(7);
  const flash = new Uint8Array(flashBytes).fill(0xff);
  const save = new Uint8Array(0x1000);
  const lines: string[] = [];
  const say = async (title: string, ops: readonly number[], damage?: Damage): Promise<void> => {
    lines.push(`${title}: ${await stub.perform(Uint8Array.from(ops), damage)}`);
  };
  const block = (first: number): Block => new Block(flash, save, first);
  /** Composes, says so and does the same to our own flash. */
  const write = async (title: string, first: number, made: Block, before: readonly number[] = []): Promise<void> => {
    await say(title, [...before, ...made.committed()]);
    flash.set(made.bytes, first * sector);
  };
  const noise = (length: number): number[] => Array.from({ length }, () => random.byte());

  await say("blank", [0x11, ...v(0), ...v(flashBytes / sector), ...v(sector)]);
  for (const first of [0, 4]) await write("literals", first, block(first).insert(noise(4 * sector)));
  await write("again", 4, block(4).copy(4 * sector, 4 * sector));
  const cleared = block(2).add(2 * sector, sector, [
    [100, [0, 0, 0]],
    [0, [0]],
    [2000, [0]],
  ]);
  await write("clear bits only", 2, cleared);
  await stub.hello(flashBytes); // the source cursor is 0 again
  save.set(flash.subarray(6 * sector + 1, 6 * sector + 801));
  const mixed = block(1)
    .copy(sector - 5, 2001)
    .add(3 * sector + 1, 3000, [
      [0, [1, 2, 3]],
      [40, noise(9)],
      [31, noise(1)],
      [500, noise(300)],
    ])
    .insert(noise(77))
    .fill(1000, 0xff)
    .fill(50, 0x5a)
    .saved(3, 700);
  mixed.copy(5 * sector - 9, 2 * sector - mixed.bytes.length);
  await write("everything", 1, mixed, [0x29, ...v(0), ...v(800), ...z(6 * sector + 1)]);
  await say("wrong CRC", block(3).fill(sector, 9).committed({ wrongBy: 4 }));
  await stub.hello(flashBytes);
  await say("outside", [0x11, ...v(flashBytes - sector), ...v(2), ...v(sector)]);
  await stub.hello(flashBytes);
  await say("no such operation", [0x77]);
  await stub.hello(flashBytes);
  await say("does not fit", [0x20, ...v(0), ...v(1), ...v(0), 0x24, ...v(sector + 1), 0]);
  await stub.hello(flashBytes);
  await say("erase", [0x30, ...v(6), ...v(3)]);
  flash.fill(0xff, 6 * sector, 9 * sector);
  await say("read", [0x12, ...v(sector - 1), ...v(1030)]);
  const longest = block(8).insert(noise(4 * sector));
  await say("a damaged and a lost frame", longest.committed(), (frame, number) =>
    number === 5 ? frame.with(40, (frame[40] ?? 0) ^ 4 || 1) : number === 12 ? undefined : frame,
  );
  flash.set(longest.bytes, 8 * sector);
  const text = Array.from({ length: 4 * sector }, (_, index) => (index % 251) ^ (index >> 9));
  const packed = deflateRawSync(Uint8Array.from(block(12).insert(text).committed()));
  await say("packed", [0x33, ...v(packed.length), ...packed]);
  if ((hello.features & 1) !== 0) flash.set(text, 12 * sector);
  await stub.hello(flashBytes);
  await say("all", [0x11, ...v(0), ...v(flashBytes / sector), ...v(sector)]);
  return { hello, text: lines.join("\n"), flash };
}

/** The CRCs of units from the first on that HASH replies in a record name, however many stand in one reply. */
export function hashedUnits(text: string): readonly number[] {
  const replies = [...text.matchAll(/op 11 status 00 ([0-9a-f]+)/g)].map(([, hex = ""]) => Buffer.from(hex, "hex"));
  return replies.flatMap((data) =>
    Array.from({ length: data[4] ?? 0 }, (_, index) => data.readUInt32LE(5 + 4 * index)),
  );
}

export function crcsOf(flash: Uint8Array): readonly number[] {
  return Array.from({ length: flash.length / sector }, (_, index) =>
    crc32(flash.subarray(index * sector, (index + 1) * sector)),
  );
}
