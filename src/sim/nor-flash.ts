/**
 * A NOR flash chip: contents, times, wear. It knows no bus and no commands (see nor-commands.ts), only what erasing and
 * programming do. Work takes effect at its end; a power cut before that leaves rubbish where it was at.
 */
import { FlashError } from "../core/errors.ts";
import { hex } from "../core/bytes.ts";
import { norProfiles, type NorProfile, type NorProfileName } from "./nor-profiles.ts";
import { Random } from "./random.ts";

export const SECTOR_BYTES = 4096;
export const PAGE_BYTES = 256;
const BLOCK_32K = 32 * 1024;
const BLOCK_64K = 64 * 1024;

/** How many bytes of a page go into one program command. */
export type ProgramStyle = "32-byte commands" | "64 bytes or more";

export interface NorWork {
  readonly kind: "erase" | "program";
  /** 1 for the first of its kind. */
  readonly number: number;
  readonly startMs: number;
  readonly endMs: number;
}

export interface NorFaults {
  /** Addresses of sectors that an erase does not touch. */
  readonly badSectors: ReadonlySet<number>;
  /** Byte addresses with the bits that stay 1 whatever is programmed. */
  readonly stuckBits: ReadonlyMap<number, number>;
  /** Told of each piece of work as it begins. @returns true if the chip is to stay busy until power goes */
  begins(work: NorWork): boolean;
}

export interface NorOptions {
  readonly profile?: NorProfileName;
  readonly seed?: number;
  /** Erase times differ by up to this share, per erase and seeded: 0.05 is plus or minus 5 %. Default 0. */
  readonly variation?: number;
  readonly faults?: NorFaults;
}

interface Work {
  readonly address: number;
  /** Bytes to erase, or the data to program. */
  readonly what: number | Uint8Array;
  readonly endMs: number;
}

export class NorFlash {
  /** Contents, live. Bytes change when the work on them has ended. */
  readonly bytes: Uint8Array;
  /** Erases per 4 KiB sector. */
  readonly wear: Uint32Array;
  readonly erases: Record<string, number> = {};
  pagesProgrammed = 0;
  busyMs = 0;
  /** The status register's protect bits are set: erase and program do nothing. */
  isProtected = false;
  readonly #profile: NorProfile;
  readonly #variation: number;
  readonly #faults: NorFaults | undefined;
  readonly #random: Random;
  #work: Work | undefined;
  #eraseNumber = 0;

  /** @throws FlashError `bad-image` if the size is not a multiple of 64 KiB. */
  constructor(bytes: Uint8Array, options: NorOptions = {}) {
    if (bytes.length === 0 || bytes.length % BLOCK_64K !== 0) {
      throw new FlashError("bad-image", `a flash chip of ${bytes.length} bytes: the size must be a multiple of 64 KiB`);
    }
    this.bytes = bytes;
    this.wear = new Uint32Array(bytes.length / SECTOR_BYTES);
    this.#profile = norProfiles[options.profile ?? "typical"];
    this.#variation = options.variation ?? 0;
    this.#faults = options.faults;
    this.#random = new Random(options.seed ?? 1);
  }

  isBusy(nowMs: number): boolean {
    this.settle(nowMs);
    return this.#work !== undefined;
  }

  /** When the work that is under way ends; the past if none is; Infinity if the chip is stuck. */
  readyAtMs(): number {
    return this.#work?.endMs ?? -Infinity;
  }

  /**
   * Begins to erase `size` bytes (4, 32 or 64 KiB, or the whole chip) around `address`. Ignored while busy.
   * @returns false if it was ignored
   */
  startErase(address: number, size: number, nowMs: number): boolean {
    if (this.isBusy(nowMs) || this.isProtected || address < 0 || address >= this.bytes.length) return false;
    this.#eraseNumber++;
    this.erases[String(size)] = (this.erases[String(size)] ?? 0) + 1;
    const wobble = this.#variation === 0 ? 1 : 1 + this.#variation * (2 * this.#random.unit() - 1);
    const endMs = nowMs + this.#eraseMs(size) * wobble;
    this.#begin({ kind: "erase", number: this.#eraseNumber, startMs: nowMs, endMs }, address - (address % size), size);
    return true;
  }

  /** Begins to program up to 256 bytes, wrapping inside the page. Ignored while busy. @returns false if it was ignored */
  startProgram(address: number, data: Uint8Array, style: ProgramStyle, nowMs: number): boolean {
    if (this.isBusy(nowMs) || this.isProtected || address < 0 || address >= this.bytes.length) return false;
    this.pagesProgrammed++;
    const pageMs = style === "32-byte commands" ? this.#profile.pageIn32sMs : this.#profile.pageMs;
    const endMs = nowMs + (pageMs * data.length) / PAGE_BYTES;
    this.#begin({ kind: "program", number: this.pagesProgrammed, startMs: nowMs, endMs }, address, data);
    return true;
  }

  /** Ends the work whose time is over. */
  settle(nowMs: number): void {
    const work = this.#work;
    if (work === undefined || work.endMs > nowMs) return;
    this.#work = undefined;
    if (typeof work.what === "number") this.#erase(work.address, work.what);
    else this.#program(work.address, work.what, 0xff);
  }

  /** Power goes: a piece of work that is under way leaves its bytes somewhere between old and new. */
  cutPower(nowMs: number): void {
    this.settle(nowMs);
    const work = this.#work;
    this.#work = undefined;
    if (work === undefined) return;
    if (typeof work.what === "number") {
      const end = Math.min(work.address + work.what, this.bytes.length);
      for (let at = work.address; at < end; at++) this.bytes[at] = (this.bytes[at] ?? 0) | this.#random.byte();
    } else {
      this.#program(work.address, work.what, undefined);
    }
  }

  #begin(work: NorWork, address: number, what: number | Uint8Array): void {
    const isStuck = this.#faults?.begins(work) === true;
    this.busyMs += work.endMs - work.startMs;
    this.#work = { address, what, endMs: isStuck ? Infinity : work.endMs };
  }

  #eraseMs(size: number): number {
    if (size === SECTOR_BYTES) return this.#profile.erase4kMs;
    if (size === BLOCK_32K) return this.#profile.erase32kMs;
    if (size === BLOCK_64K) return this.#profile.erase64kMs;
    if (size === this.bytes.length) return (this.#profile.eraseChipMs * this.bytes.length) / (4 * 1024 * 1024);
    throw new FlashError("protocol", `the flash chip has no erase of ${size} bytes`);
  }

  #erase(start: number, size: number): void {
    const end = Math.min(start + size, this.bytes.length);
    for (let at = start; at < end; at += SECTOR_BYTES) {
      this.wear[at / SECTOR_BYTES] = (this.wear[at / SECTOR_BYTES] ?? 0) + 1;
      if (this.#faults?.badSectors.has(at) === true) continue;
      this.bytes.fill(0xff, at, at + SECTOR_BYTES);
    }
  }

  /** Clears bits; `mask` tells which of the bits to clear really do, undefined = a random part of them. */
  #program(address: number, data: Uint8Array, mask: number | undefined): void {
    const page = address - (address % PAGE_BYTES);
    let at = address - page;
    for (const byte of data) {
      const place = page + at;
      const old = this.bytes[place] ?? 0;
      const stuck = this.#faults?.stuckBits.get(place) ?? 0;
      const cleared = ~byte & (mask ?? this.#random.byte()) & ~stuck;
      this.bytes[place] = old & ~cleared;
      at = (at + 1) % PAGE_BYTES;
    }
  }
}

/** The three bytes of a JEDEC identification: Winbond serial NOR of this size. @throws FlashError `bad-image` for odd sizes */
export function jedecId(flashBytes: number): readonly [number, number, number] {
  const capacity = Math.log2(flashBytes);
  if (!Number.isInteger(capacity)) {
    throw new FlashError("bad-image", `a flash chip of ${hex(flashBytes)} bytes: the size must be a power of two`);
  }
  // W25Q series: EF 40 16 for 4 MiB; from 64 MiB on the third byte is 20, 21 …
  return [0xef, 0x40, capacity < 26 ? capacity : 0x20 + capacity - 26];
}
