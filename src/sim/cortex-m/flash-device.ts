/** The flash memory of any simulated chip, as a probe's own flash driver and the counters see it: units, work, time. */
import type { NorFlash } from "../nor-flash.ts";
import { PAGE_BYTES } from "../nor-flash.ts";
import type { InternalFlash } from "./internal-flash.ts";

export interface FlashDevice {
  readonly bytes: Uint8Array;
  readonly wear: Uint32Array;
  /** What one call of `startProgram` may cover at most, and must not cross. */
  readonly pageBytes: number;
  /** Begins to erase; the place is one whole unit, or a block that the chip can erase at once. @returns false if it does not */
  startErase(offset: number, size: number, nowMs: number): boolean;
  startProgram(offset: number, data: Uint8Array, nowMs: number): boolean;
  startChipErase(nowMs: number): boolean;
  /** When what is under way ends: the past if nothing is, Infinity if it never does. */
  readyAtMs(nowMs: number): number;
  cutPower(nowMs: number): void;
  counters(): FlashCounters;
}

export interface FlashCounters {
  readonly erases: Readonly<Record<string, number>>;
  /** Program operations: pages of a serial chip, words of an internal memory. */
  readonly programs: number;
  readonly busyMs: number;
  readonly violations: Readonly<Record<string, number>>;
}

/** A microcontroller's own memory is programmed in runs of words of this many bytes by the drivers of probes (model). */
const RUN_BYTES = 1024;

export function internalDevice(flash: InternalFlash, chipEraseMs: number): FlashDevice {
  return {
    bytes: flash.bytes,
    wear: flash.wear,
    pageBytes: RUN_BYTES,
    startErase: (offset, size, nowMs) => {
      const unit = flash.unitAt(offset);
      if (unit?.start !== offset || unit.bytes !== size) return false;
      flash.startErase(unit, nowMs);
      return true;
    },
    startProgram: (offset, data, nowMs) => {
      flash.startProgram(offset, data, nowMs);
      return true;
    },
    startChipErase: (nowMs) => {
      flash.startChipErase(chipEraseMs, nowMs);
      return true;
    },
    readyAtMs: (nowMs) => flash.busyUntilMs(nowMs),
    cutPower: (nowMs) => flash.cutPower(nowMs),
    counters: () => ({
      erases: { ...flash.erases },
      programs: flash.programs,
      busyMs: flash.busyMs,
      violations: { ...flash.violations },
    }),
  };
}

export function serialDevice(flash: NorFlash, violations: Readonly<Record<string, number>>): FlashDevice {
  return {
    bytes: flash.bytes,
    wear: flash.wear,
    pageBytes: PAGE_BYTES,
    startErase: (offset, size, nowMs) => flash.startErase(offset, size, nowMs),
    startProgram: (offset, data, nowMs) => flash.startProgram(offset, data, "64 bytes or more", nowMs),
    startChipErase: (nowMs) => flash.startErase(0, flash.bytes.length, nowMs),
    readyAtMs: (nowMs) => {
      flash.settle(nowMs);
      return flash.readyAtMs();
    },
    cutPower: (nowMs) => flash.cutPower(nowMs),
    counters: () => ({
      erases: { ...flash.erases },
      programs: flash.pagesProgrammed,
      busyMs: flash.busyMs,
      violations: { ...violations },
    }),
  };
}
