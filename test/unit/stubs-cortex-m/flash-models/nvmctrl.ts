/**
 * SAMD21: datasheet DS40001882, 22 (NVMCTRL), 11.6 (PAC), 17.8.7 (OSC8M), 18.8 (WDT). Stores to the flash fill a buffer of one page; commands do
 * the rest. A row takes eight pages between two erases. Reads go through a cache that only a command empties.
 */
import type { Memory } from "../machine.ts";
import { FlashArray, ReadCache, type FlashModel, type Width } from "./array.ts";

const ER = 0x02;
const WP = 0x04;
const PBC = 0x44;
const INVALL = 0x46;
const PROGE = 4;
const LOCKE = 8;
const NVME = 16;

/** Bytes of a peripheral, of which only those in `load` and `store` are there; wider accesses are taken apart. */
function bytesAt(
  start: number,
  size: number,
  on: { load(at: number): number; store(at: number, value: number): void },
) {
  const memory: Memory = {
    start,
    size,
    load: (at, width) => {
      let value = 0;
      for (let index = width - 1; index >= 0; index--) value = value * 256 + on.load(at + index);
      return value;
    },
    store: (at, value, width) => {
      for (let index = 0; index < width; index++) on.store(at + index, (value >>> (8 * index)) & 0xff);
    },
  };
  return memory;
}

export class Nvmctrl implements FlashModel {
  readonly array: FlashArray;
  readonly memories: readonly Memory[];
  readonly #cache: ReadCache;
  readonly #pageWrites = new Map<number, number>();
  readonly #registers = new Uint8Array(0x24);
  #buffer = new Map<number, number>();
  #status = 0;
  #address = 0;
  /** PAC1 says that NVMCTRL must not be written. */
  isGuarded = false;
  /** CTRL of the watchdog: 2 = it runs, 4 = window mode. */
  watchdog = 0;
  feeds = 0;
  oscillator = 0x300;
  /** The lowest prescaler so far. */
  fastest = 3;

  constructor(rows: number) {
    this.array = new FlashArray([{ start: 0, size: 256, count: rows }]);
    this.#cache = new ReadCache(this.array.view, 8);
    this.#cache.isOn = true;
    const flash = this.array.memory(
      (offset, value, width) => this.#fill(offset, value, width),
      (offset, width) => this.#cache.load(offset, width),
    );
    this.memories = [flash, this.#controller(), this.#accessControl(), this.#clocks(), this.#watchdogMemory()];
  }

  get isClosed(): boolean {
    return this.#registers[4] === 0 && this.oscillator === 0x300;
  }

  leaveErrors(): void {
    this.#status = PROGE | LOCKE | NVME;
    // Half a page, never written.
    this.#buffer.set(0x8040, 0);
  }

  #fill(offset: number, value: number, width: Width): void {
    if (width === 1) throw new Error("a bus error: a store of a byte to the page buffer");
    if (((this.#registers[4] ?? 0) & 0x80) === 0) throw new Error("pages would be written by their last store");
    this.#buffer.set(offset, width === 4 ? value : value | 0xffff0000);
    this.#address = offset;
  }

  #controller(): Memory {
    return bytesAt(0x41004000, 0x24, {
      load: (at) => {
        if (at === 0x14) return (this.array.poll() ? 0 : 1) | (this.#status ? 2 : 0);
        if (at === 0x18) return this.#status;
        return this.#registers[at] ?? 0;
      },
      store: (at, value) => {
        if (this.isGuarded) throw new Error("NVMCTRL is write protected");
        this.#registers[at] = value;
        if (at === 0x18) this.#status &= ~value;
        if (at === 0x1f) this.#address = 2 * new DataView(this.#registers.buffer).getUint32(0x1c, true);
        if (at === 0x01) this.#command(value);
      },
    });
  }

  #command(key: number): void {
    const command = (this.#registers[0] ?? 0) & 0x7f;
    if (key !== 0xa5 || this.array.isBusy) this.#status |= PROGE;
    else if (command === ER) this.#erase();
    else if (command === WP) this.#writePage();
    else if (command === PBC) this.#buffer = new Map();
    else if (command === INVALL) this.#cache.empty();
    else this.#status |= PROGE;
  }

  #erase(): void {
    const unit = this.array.unitAt(this.#address);
    if (this.array.isGuarded(unit.start)) this.#status |= LOCKE;
    else {
      this.#pageWrites.delete(unit.start);
      this.array.erase(unit);
    }
  }

  #writePage(): void {
    const unit = this.array.unitAt(this.#address);
    const page = this.#address & ~63;
    if (this.array.isGuarded(unit.start)) this.#status |= LOCKE;
    else {
      const writes = (this.#pageWrites.get(unit.start) ?? 0) + 1;
      if (writes > 8) throw new Error("a ninth page is written to a row");
      this.#pageWrites.set(unit.start, writes);
      for (const [offset, value] of this.#buffer) {
        if ((offset & ~63) !== page) throw new Error("the page buffer holds two pages");
        this.array.clearBits(offset, value, 4);
      }
      this.array.begin();
    }
    this.#buffer = new Map();
  }

  #accessControl(): Memory {
    return bytesAt(0x41000000, 8, {
      load: (at) => (at % 4 === 0 && this.isGuarded ? 4 : 0),
      store: (at, value) => {
        if (value === 0) return;
        const guard = at === 4;
        if (value !== 4 || at % 4 !== 0 || guard === this.isGuarded) throw new Error("an access error of the PAC");
        this.isGuarded = guard;
      },
    });
  }

  #clocks(): Memory {
    return {
      start: 0x40000820,
      size: 4,
      load: () => this.oscillator,
      store: (_, value) => {
        this.oscillator = value;
        this.fastest = Math.min(this.fastest, (value >>> 8) & 3);
      },
    };
  }

  #watchdogMemory(): Memory {
    return bytesAt(0x40001000, 9, {
      load: (at) => (at === 0 ? this.watchdog : 0),
      store: (at, value) => {
        if (at !== 8 || value !== 0xa5 || this.watchdog & 4) throw new Error("the watchdog resets the chip");
        this.feeds++;
      },
    });
  }
}
