/**
 * A microcontroller's own flash memory: contents, times, wear. It knows no registers (see the controllers), only what erasing and
 * programming do. Work takes effect at its end; power that goes before leaves rubbish where it was at.
 */
import { FlashError } from "../../core/errors.ts";
import { Random } from "../random.ts";
import type { NorFaults } from "../nor-flash.ts";

/** Equal erase units that follow each other. */
export interface UnitRun {
  readonly bytes: number;
  readonly count: number;
  readonly eraseMs: number;
}

export interface InternalFlashOptions {
  readonly runs: readonly UnitRun[];
  /** What one program operation takes at most, bytes. */
  readonly programBytes: number;
  /** One program operation, milliseconds. */
  readonly programMs: number;
  readonly faults?: NorFaults;
  readonly seed?: number;
}

export interface FlashUnit {
  readonly start: number;
  readonly bytes: number;
  readonly eraseMs: number;
}

interface Work {
  readonly start: number;
  /** Bytes to erase, or data to program. */
  readonly what: number | Uint8Array;
  readonly endMs: number;
}

export class InternalFlash {
  readonly bytes: Uint8Array;
  readonly units: readonly FlashUnit[];
  /** Erases of each unit. */
  readonly wear: Uint32Array;
  readonly erases: Record<string, number> = {};
  /** Program operations: words, where words are what the chip programs. */
  programs = 0;
  busyMs = 0;
  /** What drivers must not do, by name. */
  readonly violations: Record<string, number> = {};
  readonly #options: InternalFlashOptions;
  readonly #random: Random;
  #work: Work | undefined;
  #eraseNumber = 0;

  /** @throws FlashError `bad-image` if the contents are not as large as the units together */
  constructor(bytes: Uint8Array, options: InternalFlashOptions) {
    this.units = unitsOf(options.runs);
    const size = this.units.reduce((sum, unit) => sum + unit.bytes, 0);
    if (bytes.length !== size) {
      throw new FlashError("bad-image", `this chip's flash memory has ${size} bytes, the contents ${bytes.length}`);
    }
    this.bytes = bytes;
    this.wear = new Uint32Array(this.units.length);
    this.#options = options;
    this.#random = new Random(options.seed ?? 1);
  }

  /** Something was begun and has not been seen to end. */
  get isAtWork(): boolean {
    return this.#work !== undefined;
  }

  /** A moment before which it is busy; -Infinity when it is not. */
  busyUntilMs(nowMs: number): number {
    this.settle(nowMs);
    return this.#work?.endMs ?? -Infinity;
  }

  isBusy(nowMs: number): boolean {
    return this.#work !== undefined && this.busyUntilMs(nowMs) > nowMs;
  }

  unitAt(offset: number): FlashUnit | undefined {
    return this.units.find((unit) => offset >= unit.start && offset < unit.start + unit.bytes);
  }

  /** Begins to erase one unit. The caller has seen to it that nothing is under way. */
  startErase(unit: FlashUnit, nowMs: number): void {
    this.#countErase(unit.bytes);
    this.#begin({ start: unit.start, what: unit.bytes, endMs: nowMs + unit.eraseMs }, "erase", nowMs);
  }

  /** @param durationMs how long this chip takes to erase everything */
  startChipErase(durationMs: number, nowMs: number): void {
    this.#countErase(this.bytes.length);
    this.#begin({ start: 0, what: this.bytes.length, endMs: nowMs + durationMs }, "erase", nowMs);
  }

  /** Begins to program, operation after operation: bits go from 1 to 0, never back. */
  startProgram(offset: number, data: Uint8Array, nowMs: number): void {
    const operations = Math.ceil(data.length / this.#options.programBytes);
    this.programs += operations;
    const endMs = nowMs + this.#options.programMs * operations;
    this.#begin({ start: offset, what: data, endMs }, "program", nowMs);
  }

  violates(rule: string): void {
    this.violations[rule] = (this.violations[rule] ?? 0) + 1;
  }

  settle(nowMs: number): void {
    const work = this.#work;
    if (work === undefined || work.endMs > nowMs) return;
    this.#work = undefined;
    if (typeof work.what === "number") this.#erase(work.start, work.what);
    else this.#program(work.start, work.what, false);
  }

  cutPower(nowMs: number): void {
    this.settle(nowMs);
    const work = this.#work;
    this.#work = undefined;
    if (work === undefined) return;
    if (typeof work.what === "number") {
      for (let at = work.start; at < work.start + work.what; at++) {
        this.bytes[at] = (this.bytes[at] ?? 0) | this.#random.byte();
      }
    } else this.#program(work.start, work.what, true);
  }

  #countErase(size: number): void {
    this.#eraseNumber++;
    this.erases[String(size)] = (this.erases[String(size)] ?? 0) + 1;
  }

  #begin(work: Work, kind: "erase" | "program", nowMs: number): void {
    const number = kind === "erase" ? this.#eraseNumber : this.programs;
    const isStuck = this.#options.faults?.begins({ kind, number, startMs: nowMs, endMs: work.endMs }) === true;
    this.busyMs += work.endMs - nowMs;
    this.#work = isStuck ? { ...work, endMs: Infinity } : work;
  }

  #erase(start: number, size: number): void {
    for (const [index, unit] of this.units.entries()) {
      if (unit.start < start || unit.start >= start + size) continue;
      this.wear[index] = (this.wear[index] ?? 0) + 1;
      if (this.#options.faults?.badSectors.has(unit.start) !== true) {
        this.bytes.fill(0xff, unit.start, unit.start + unit.bytes);
      }
    }
  }

  #program(start: number, data: Uint8Array, isPartial: boolean): void {
    for (const [index, byte] of data.entries()) {
      const stuck = this.#options.faults?.stuckBits.get(start + index) ?? 0;
      const cleared = ~byte & ~stuck & (isPartial ? this.#random.byte() : 0xff);
      this.bytes[start + index] = (this.bytes[start + index] ?? 0) & ~cleared;
    }
  }
}

function unitsOf(runs: readonly UnitRun[]): readonly FlashUnit[] {
  let start = 0;
  return runs.flatMap(({ bytes, count, eraseMs }) =>
    Array.from({ length: count }, () => {
      const unit = { start, bytes, eraseMs };
      start += bytes;
      return unit;
    }),
  );
}
