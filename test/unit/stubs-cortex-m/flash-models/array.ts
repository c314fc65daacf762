/** What the register models of flash controllers have in common: cells that can only fall, units that are erased, and times in polls. */
import { viewOf } from "../../../../src/core/struct.ts";
import { loadFrom, type Memory } from "../machine.ts";

export type Width = 1 | 2 | 4;

/** A run of equal erase units in a model's own table, which is written from the manual and not from the chip rows. */
export interface Run {
  readonly start: number;
  readonly size: number;
  readonly count: number;
}

export interface Unit {
  readonly start: number;
  readonly size: number;
}

export class FlashArray {
  readonly units: readonly Unit[];
  readonly start: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Units in the order they were erased. */
  readonly erased: Unit[] = [];
  /** Starts of units that are write protected. */
  readonly guarded = new Set<number>();
  /** Stores that were carried out. */
  programs = 0;
  /** Polls of the status that say busy after each operation; Infinity: it hangs. */
  busyPolls = 0;
  #busy = 0;

  constructor(runs: readonly Run[]) {
    this.units = runs.flatMap(({ start, size, count }) =>
      Array.from({ length: count }, (_, index) => ({ start: start + index * size, size })),
    );
    const [first] = this.units;
    const last = this.units.at(-1);
    if (first === undefined || last === undefined) throw new Error("no units");
    this.start = first.start;
    this.bytes = new Uint8Array(last.start + last.size - first.start).fill(0xff);
    this.view = viewOf(this.bytes);
  }

  /** Busy as a status register shows it: each call is a poll. */
  poll(): boolean {
    if (this.#busy === 0) return false;
    this.#busy--;
    return true;
  }

  get isBusy(): boolean {
    return this.#busy > 0;
  }

  begin(): void {
    this.#busy = this.busyPolls;
  }

  unitAt(address: number): Unit {
    const found = this.units.find(({ start, size }) => address >= start && address < start + size);
    if (found === undefined) throw new Error(`no flash at ${address.toString(16)}`);
    return found;
  }

  isGuarded(address: number): boolean {
    return this.guarded.has(this.unitAt(address).start);
  }

  erase(unit: Unit): void {
    this.bytes.fill(0xff, unit.start - this.start, unit.start - this.start + unit.size);
    this.erased.push(unit);
    this.begin();
  }

  /** Bits can only fall. */
  clearBits(offset: number, value: number, width: Width): void {
    if (width === 4) this.view.setUint32(offset, this.view.getUint32(offset, true) & value, true);
    else if (width === 2) this.view.setUint16(offset, this.view.getUint16(offset, true) & value, true);
    else this.view.setUint8(offset, this.view.getUint8(offset) & value);
    this.programs++;
  }

  /** The cells by address, `store` as the controller has it. */
  memory(store: (offset: number, value: number, width: Width) => void, load?: Memory["load"]): Memory {
    return {
      start: this.start,
      size: this.bytes.length,
      load: (offset, width) => {
        if (this.isBusy) throw new Error("the flash is read while it is busy");
        return (load ?? ((at: number, of: Width) => loadFrom(this.view, at, of)))(offset, width);
      },
      store: (offset, value, width) => {
        if (this.isBusy) throw new Error("the flash is written while it is busy");
        store(offset, value, width);
      },
    };
  }
}

/** Lines that were read while the cache was on, and stay as they were until it is emptied. */
export class ReadCache {
  isOn = false;
  readonly #lines = new Map<number, Uint8Array>();
  readonly #view: DataView;
  readonly #lineBytes: number;

  constructor(view: DataView, lineBytes: number) {
    this.#view = view;
    this.#lineBytes = lineBytes;
  }

  load(offset: number, width: Width): number {
    if (!this.isOn) return loadFrom(this.#view, offset, width);
    const number = Math.floor(offset / this.#lineBytes);
    let line = this.#lines.get(number);
    if (line === undefined) {
      const start = this.#view.byteOffset + number * this.#lineBytes;
      line = new Uint8Array(this.#view.buffer.slice(start, start + this.#lineBytes));
      this.#lines.set(number, line);
    }
    return loadFrom(viewOf(line), offset % this.#lineBytes, width);
  }

  empty(): void {
    this.#lines.clear();
  }

  /** Lines that a set of a cache with so many holds. */
  emptySet(set: number, sets: number): void {
    for (const number of this.#lines.keys()) if (number % sets === set) this.#lines.delete(number);
  }
}

/** KEY1, KEY2, and a control register that opens then. A wrong key closes it until a reset. */
export class KeyLock {
  isOpen = false;
  #next = 0x45670123;

  key(value: number): void {
    if (value !== this.#next || this.isOpen) throw new Error(`the wrong key ${value.toString(16)}`);
    if (value === 0xcdef89ab) this.isOpen = true;
    this.#next = 0xcdef89ab;
  }

  close(): void {
    this.isOpen = false;
    this.#next = 0x45670123;
  }

  check(): void {
    if (!this.isOpen) throw new Error("the control register is written while it is locked");
  }
}

/** An independent watchdog: how often it was fed. */
export class Iwdg {
  feeds = 0;
  readonly memory: Memory;

  constructor(start = 0x40003000) {
    this.memory = {
      start,
      size: 0x400,
      load: () => {
        throw new Error("the watchdog is read");
      },
      store: (offset, value) => {
        if (offset !== 0 || value !== 0xaaaa) throw new Error(`the watchdog is given ${value.toString(16)}`);
        this.feeds++;
      },
    };
  }
}

/** A model as the tests see it. */
export interface FlashModel {
  readonly array: FlashArray;
  readonly memories: readonly Memory[];
  readonly feeds: number;
  /** Nothing can be erased or programmed now, and caches are as the test left them. */
  readonly isClosed: boolean;
  /** Error bits as a program before us may have left them. */
  leaveErrors(): void;
}
