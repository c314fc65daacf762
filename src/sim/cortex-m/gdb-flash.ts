/** A GDB server's own flash driver: `vFlashErase`, `vFlashWrite`, `vFlashDone`, each server in its own way. */
import { concat } from "../../core/bytes.ts";
import type { SimChip } from "./chips.ts";
import { eraseRuns } from "./gdb-xml.ts";
import type { Machine } from "./machine.ts";
import type { Personality } from "./personalities.ts";
import type { Probe, Work } from "./probe.ts";

interface Unit {
  readonly start: number;
  readonly bytes: number;
}

interface Piece {
  readonly offset: number;
  readonly data: Uint8Array;
}

/** The driver's code, stack and buffers in RAM (model). */
const WORK_BYTES = 8 * 1024;

export class ServerFlash {
  readonly #machine: Machine;
  readonly #probe: Probe;
  readonly #personality: Personality;
  readonly #units: readonly Unit[];
  #toErase: Unit[] = [];
  #pieces: Piece[] = [];
  #isPrepared = false;

  constructor(probe: Probe, personality: Personality) {
    this.#probe = probe;
    this.#machine = probe.machine;
    this.#personality = personality;
    this.#units = unitsOf(probe.machine.chip, personality);
  }

  /** @returns false if the range is not made of whole erase units, or the chip does not erase */
  *erase(address: number, length: number): Work<boolean> {
    const start = address - this.#machine.chip.flash.start;
    const units = this.#units.filter((unit) => unit.start < start + length && unit.start + unit.bytes > start);
    const [first, last] = [units[0], units.at(-1)];
    if (first === undefined || last === undefined) return false;
    const isWhole = first.start === start && last.start + last.bytes === start + length;
    if (!isWhole && this.#personality.flash === "erase now, program at the end") return false;
    if (this.#personality.flash === "all at the end") {
      this.#toErase.push(...units);
      return true;
    }
    return yield* this.#eraseUnits(units);
  }

  *write(address: number, data: Uint8Array): Work<boolean> {
    const offset = address - this.#machine.chip.flash.start;
    if (offset < 0 || offset + data.length > this.#machine.flash.bytes.length) return false;
    this.#pieces.push({ offset, data });
    return this.#personality.flash === "all at once" ? yield* this.#programAll() : true;
  }

  *done(): Work<boolean> {
    const erase = this.#toErase;
    this.#toErase = [];
    const erased = erase.length === 0 || (yield* this.#eraseUnits(erase));
    const programmed = yield* this.#programAll();
    this.#isPrepared = false;
    return erased && programmed;
  }

  forget(): void {
    this.#toErase = [];
    this.#pieces = [];
    this.#isPrepared = false;
  }

  *#prepare(): Work<void> {
    if (this.#isPrepared) return;
    this.#isPrepared = true;
    if (this.#machine.cpu.state !== "halted") yield* this.#probe.halt();
    const [ram] = this.#machine.chip.ram;
    yield* this.#probe.roundTrip(this.#personality.driverRoundTrips.erase);
    this.#machine.scribble(ram?.start ?? 0, WORK_BYTES);
  }

  *#eraseUnits(units: readonly Unit[]): Work<boolean> {
    yield* this.#prepare();
    for (const { start, bytes } of units) {
      yield* this.#probe.roundTrip(this.#personality.driverRoundTrips.erase);
      if (!this.#machine.flash.startErase(start, bytes, this.#probe.nowMs)) return false;
      if (!(yield* this.#ready())) return false;
    }
    this.#machine.showFlash();
    return true;
  }

  *#programAll(): Work<boolean> {
    if (this.#pieces.length === 0) return true;
    const pieces = joined(this.#pieces);
    this.#pieces = [];
    yield* this.#prepare();
    for (const { offset, data } of pieces) {
      if (!(yield* this.#program(offset, data))) return false;
    }
    if (!(yield* this.#ready())) return false;
    this.#machine.showFlash();
    return true;
  }

  *#program(offset: number, data: Uint8Array): Work<boolean> {
    const page = this.#machine.flash.pageBytes;
    for (let at = 0; at < data.length;) {
      const length = Math.min(page - ((offset + at) % page), data.length - at);
      yield this.#probe.transferMs(length);
      yield* this.#probe.roundTrip(this.#personality.driverRoundTrips.page);
      if (!(yield* this.#ready())) return false;
      const piece = data.slice(at, at + length);
      if (!this.#machine.flash.startProgram(offset + at, piece, this.#probe.nowMs)) return false;
      if (!this.#personality.overlaps && !(yield* this.#ready())) return false;
      at += length;
    }
    return true;
  }

  /** @returns false if the flash memory never gets ready */
  *#ready(): Work<boolean> {
    const nowMs = this.#probe.nowMs;
    const readyMs = this.#machine.flash.readyAtMs(nowMs);
    if (readyMs === Infinity) {
      yield DRIVER_TIMEOUT_MS;
      return false;
    }
    if (readyMs > nowMs) yield readyMs - nowMs;
    this.#machine.flash.readyAtMs(this.#probe.nowMs);
    return true;
  }
}

const DRIVER_TIMEOUT_MS = 10_000;

function unitsOf(chip: SimChip, personality: Personality): readonly Unit[] {
  const units: Unit[] = [];
  let start = 0;
  for (const { unitBytes, bytes } of eraseRuns(chip, personality)) {
    for (const end = start + bytes; start < end; start += unitBytes) units.push({ start, bytes: unitBytes });
  }
  return units;
}

/** Pieces that follow each other become one. */
function joined(pieces: readonly Piece[]): readonly Piece[] {
  const sorted = [...pieces].sort((a, b) => a.offset - b.offset);
  const groups: { offset: number; end: number; parts: Uint8Array[] }[] = [];
  for (const { offset, data } of sorted) {
    const last = groups.at(-1);
    if (last?.end === offset) {
      last.parts.push(data);
      last.end += data.length;
    } else groups.push({ offset, end: offset + data.length, parts: [data] });
  }
  return groups.map(({ offset, parts }) => ({ offset, data: concat(parts) }));
}
