/** A run of sectors as it goes over the wire: deflated on another thread, and cut into blocks as the loader likes them. */
import { promisify } from "node:util";
import { constants, deflate, inflate } from "node:zlib";
import type { Erase } from "../../core/plan.ts";
import type { Chip } from "./chips.ts";
import type { LoaderClient } from "./client.ts";
import {
  FLASH_BEGIN,
  FLASH_DATA,
  FLASH_DEFL_BEGIN,
  FLASH_DEFL_DATA,
  FLASH_DEFL_END,
  FLASH_END,
  type Command,
} from "./commands.ts";

/** Largest data block that a ROM takes: measured on ESP32, C3 and S3. */
const romBlockBytes = 0x1800;
/** The official stub's frame buffer. Source: esp-flasher-stub. */
export const stubBlockBytes = 0x4000;
/**
 * The stub works on a block while the next one travels, starts an erase with each block, and programs when 32 KiB are inflated.
 * Where sectors are erased one by one, small blocks start the erases early; where whole 64 KiB blocks are, the wire is the slower
 * one, so blocks are large until the end, where little must be left to do. Sizes chosen by `npm run bench`.
 */
const smallBlockBytes = 0x800;
const sectorBytes = 0x1000;
const taperBytes = [0x2000, 0x1000, smallBlockBytes];

export interface Run {
  /** Offset in the flash chip, a multiple of the sector size. */
  readonly address: number;
  /** A multiple of the sector size. */
  readonly data: Uint8Array;
  /** How it will be erased, in order. */
  readonly erases: readonly Erase[];
}

export interface Stream {
  readonly begin: Command;
  readonly data: Command;
  readonly end: Command;
  readonly bytes: Uint8Array;
  readonly blocks: readonly Cut[];
  readonly blockBytes: number;
}

interface Ahead {
  readonly data: Uint8Array;
  readonly packed: Promise<Uint8Array>;
}

/** Deflates one run ahead. Nothing here waits on the board's clock: a deflation takes real time and no simulated time. */
export class Packer {
  readonly #client: LoaderClient;
  readonly #chip: Chip;
  #ahead: Ahead | undefined;

  constructor(client: LoaderClient, chip: Chip) {
    this.#client = client;
    this.#chip = chip;
  }

  /** Begins to deflate what will be asked for next; what was got ready before and never asked for is forgotten. */
  getReady({ data }: Run): void {
    if (!this.#canInflate || this.#ahead?.data === data) return;
    const packed = pack(data);
    packed.catch(() => undefined); // who asks for it will hear
    this.#ahead = { data, packed };
  }

  /** Deflated where that is smaller and the loader can inflate. */
  async streamOf(run: Run): Promise<Stream> {
    const { personality, longestBlockBytes } = this.#client;
    const packed = this.#canInflate ? await this.#packed(run.data) : run.data;
    const stub = personality === "stub";
    const blockBytes = Math.min(stub ? stubBlockBytes : romBlockBytes, longestBlockBytes);
    if (packed.length < run.data.length) {
      const blocks = stub ? cutForStub(run, packed.length, blockBytes) : cutEvenly(packed.length, blockBytes);
      return { begin: FLASH_DEFL_BEGIN, data: FLASH_DEFL_DATA, end: FLASH_DEFL_END, bytes: packed, blocks, blockBytes };
    }
    const blocks = cutEvenly(run.data.length, blockBytes);
    return { begin: FLASH_BEGIN, data: FLASH_DATA, end: FLASH_END, bytes: run.data, blocks, blockBytes };
  }

  get #canInflate(): boolean {
    return this.#client.personality === "stub" || this.#chip.romIsComplete;
  }

  #packed(data: Uint8Array): Promise<Uint8Array> {
    const ahead = this.#ahead;
    if (ahead?.data !== data) return pack(data);
    this.#ahead = undefined;
    return ahead.packed;
  }
}

const deflateAsync = promisify<Uint8Array, { level: number; chunkSize: number }, Uint8Array>(deflate);
/** zlib takes no smaller ones. */
const leastChunkBytes = 64;

/** On libuv's threads, in one piece: a run of some MiB takes a tenth of a second, in which this thread has other things to do. */
export function pack(data: Uint8Array): Promise<Uint8Array> {
  return deflateAsync(data, { level: 9, chunkSize: Math.max(leastChunkBytes, data.length) });
}

const inflateAsync = promisify<Uint8Array, { finishFlush: number }, Uint8Array>(inflate);
/** The stub programs when it has inflated this much, counted from the start of the run. Source: esp-flasher-stub. */
const windowBytes = 0x8000;

/** Bytes of the run, from its start, that a stub has written when it has taken `sentBytes` of the stream: whole sectors. */
export async function writtenOf({ bytes, begin }: Stream, sentBytes: number): Promise<number> {
  if (begin !== FLASH_DEFL_BEGIN) return sentBytes - (sentBytes % sectorBytes);
  const inflated = await inflateAsync(bytes.subarray(0, sentBytes), { finishFlush: constants.Z_SYNC_FLUSH });
  return inflated.length - (inflated.length % windowBytes);
}

interface Cut {
  readonly from: number;
  readonly to: number;
}

function cutEvenly(length: number, blockBytes: number): readonly Cut[] {
  const blocks: Cut[] = [];
  for (let from = 0; from < length; from += blockBytes) blocks.push({ from, to: Math.min(length, from + blockBytes) });
  return blocks;
}

/** @param length of the deflated stream */
function cutForStub(run: Run, length: number, blockBytes: number): readonly Cut[] {
  const inSectors = run.erases.every((erase) => erase.unit === "sector");
  if (inSectors) return cutEvenly(length, Math.min(smallBlockBytes, blockBytes));
  const tail = taperBytes.filter((bytes) => bytes < blockBytes);
  const tailBytes = tail.reduce((sum, bytes) => sum + bytes, 0);
  const head = Math.max(0, length - tailBytes);
  const blocks = [...cutEvenly(head, blockBytes)];
  for (const bytes of tail) {
    const from = blocks.at(-1)?.to ?? 0;
    if (from < length) blocks.push({ from, to: Math.min(length, from + bytes) });
  }
  return blocks;
}
