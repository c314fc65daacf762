/**
 * STM32L4, G0 and G4: RM0351, RM0394, RM0444, RM0440. Programs 8 bytes when their second word has come, and only if they were FF or become
 * 0 (PROGERR). Any error bit that is left makes the next operation fail (PGSERR). With caches, "empty" bits and the L4's clock.
 */
import { registers, type Memory } from "../machine.ts";
import { FlashArray, Iwdg, KeyLock, ReadCache, type FlashModel, type Width } from "./array.ts";

const ACR = 0x00;
const KEYR = 0x08;
const SR = 0x10;
const CR = 0x14;
const PROGERR = 1 << 3;
const WRPERR = 1 << 4;
const PGAERR = 1 << 5;
const SIZERR = 1 << 6;
const PGSERR = 1 << 7;
const OPTVERR = 1 << 15;
const CFGBSY = 1 << 18;
const ERRORS = 0x43fa;
const LOCK = 0x80000000;

export interface Stm32L4Layout {
  readonly family: "l4" | "g0" | "g4";
  readonly pageBytes: number;
  /** Of each bank. */
  readonly pages: number;
  /** Where the second bank begins; undefined where there is one bank. */
  readonly second?: number;
}

export class Stm32L4 implements FlashModel {
  readonly array: FlashArray;
  readonly memories: readonly Memory[];
  readonly cache: ReadCache;
  readonly #lock = new KeyLock();
  readonly #watchdog = new Iwdg();
  readonly #layout: Stm32L4Layout;
  /** First word of the 8 bytes under way. */
  #pending: { offset: number; value: number } | undefined;
  #flags = 0;
  /** BSY, or BSY1 and BSY2 of the G0. */
  #busyBit = 0x10000;
  #control = 0;
  #acr: number;
  /** RCC_CR, and the highest range of the MSI so far. */
  rcc = 0x63;
  fastest = 6;
  /** The chip was powered with nothing in its flash. */
  isEmpty = false;

  constructor(layout: Stm32L4Layout) {
    this.#layout = layout;
    const { pageBytes: size, pages: count, second } = layout;
    const runs = [{ start: 0x08000000, size, count }];
    this.array = new FlashArray(second === undefined ? runs : [...runs, { start: second, size, count }]);
    this.cache = new ReadCache(this.array.view, 32);
    this.#acr = layout.family === "g0" ? 0x200 : 0x600;
    this.cache.isOn = true;
    const flash = this.array.memory(
      (offset, value, width) => this.#store(offset, value, width),
      (offset, width) => this.cache.load(offset, width),
    );
    const controller = registers(0x40022000, 0x40, {
      load: (offset) => this.#load(offset),
      store: (offset, value) => this.#write(offset, value),
    });
    this.memories = [flash, controller, this.#watchdog.memory, this.#clock()];
  }

  get isClosed(): boolean {
    return !this.#lock.isOpen && (this.#control & 3) === 0 && this.cache.isOn;
  }

  get feeds(): number {
    return this.#watchdog.feeds;
  }

  leaveErrors(): void {
    this.#flags = ERRORS | OPTVERR;
  }

  #load(offset: number): number {
    if (offset === ACR) return this.#acr | (this.isEmpty && this.#layout.family === "g0" ? 0x10000 : 0);
    if (offset === SR) {
      const empty = this.isEmpty && this.#layout.family === "l4" ? 0x20000 : 0;
      const unfinished = this.#pending !== undefined && this.#layout.family === "g0" ? CFGBSY : 0;
      return this.#flags | empty | unfinished | (this.array.poll() ? this.#busyBit : 0);
    }
    if (offset === CR) return (this.#control | (this.#lock.isOpen ? 0 : LOCK)) >>> 0;
    throw new Error(`register ${offset.toString(16)} is read`);
  }

  #write(offset: number, value: number): void {
    if (offset === ACR) this.#setAcr(value);
    else if (offset === KEYR) this.#lock.key(value);
    else if (offset === SR) {
      if (value & 0x20000 && this.#layout.family === "l4") this.isEmpty = !this.isEmpty;
      this.#flags &= ~value;
    } else if (offset === CR) this.#command(value);
    else throw new Error(`register ${offset.toString(16)} is written`);
  }

  #setAcr(value: number): void {
    const enabled = this.#layout.family === "g0" ? 0x200 : 0x400;
    const reset = this.#layout.family === "g0" ? 0x800 : 0x1000;
    if (value & 0x800 && value & 0x200) throw new Error("ICRST while the instruction cache is on");
    if (value & reset && value & enabled) throw new Error("a cache is emptied while it is on");
    if (this.#layout.family === "g0" && value & 0x1400) throw new Error("a data cache on the G0");
    if (value & reset) this.cache.empty();
    this.cache.isOn = (value & enabled) !== 0;
    if (this.#layout.family === "g0") this.isEmpty &&= (value & 0x10000) !== 0;
    this.#acr = value & ~0x10000;
  }

  #store(offset: number, value: number, width: Width): void {
    const { array } = this;
    const first = this.#pending;
    this.#pending = undefined;
    if ((this.#control & 3) !== 1) this.#flags |= PGSERR;
    else if (width !== 4) this.#flags |= SIZERR | PGSERR;
    else if (this.#flags & ERRORS) this.#flags |= PGSERR;
    else if (first === undefined && offset % 8 === 0) this.#pending = { offset, value };
    else if (first?.offset !== offset - 4) this.#flags |= PGAERR | PGSERR;
    else if (array.isGuarded(array.start + offset)) this.#flags |= WRPERR;
    else if (!this.#isFf(first.offset) && (first.value | value) !== 0) this.#flags |= PROGERR | PGSERR;
    else {
      array.clearBits(first.offset, first.value, 4);
      array.clearBits(offset, value, 4);
      array.begin();
      this.#showBusy(array.start + offset);
    }
  }

  #isFf(offset: number): boolean {
    const { view } = this.array;
    return view.getUint32(offset, true) === 0xffffffff && view.getUint32(offset + 4, true) === 0xffffffff;
  }

  #command(value: number): void {
    this.#lock.check();
    if (this.array.isBusy || this.#pending !== undefined) throw new Error("CR is written while the flash is busy");
    if (value & LOCK) {
      this.#lock.close();
      this.#control = 0;
      return;
    }
    const known = this.#layout.family === "g0" ? 0x13ffb : 0x10ffb;
    if (value & ~known) throw new Error(`CR is given ${value.toString(16)}`);
    if ((value & 3) === 3) throw new Error("PG and PER at once");
    if (value & 0x10000 && (this.#control & 0xffff) !== (value & 0xffff))
      throw new Error("STRT before the page is selected");
    this.#control = value & ~0x10000;
    if ((value & 0x10002) === 0x10002) this.#erase(value);
  }

  /** The second bank's pages are numbered from 256 on in the G0, from 0 on in the others. */
  #erase(value: number): void {
    const { family, pages, second } = this.#layout;
    const isSecond = (value & (family === "g0" ? 0x2000 : 0x800)) !== 0;
    const number = (value >>> 3) & (family === "g0" ? 0x3ff : family === "g4" ? 0x7f : 0xff);
    const index = number - (isSecond && family === "g0" ? 256 : 0);
    if (index < 0 || index >= pages || (isSecond && second === undefined))
      throw new Error(`there is no page ${number}`);
    const unit = this.array.units[index + (isSecond ? pages : 0)];
    if (unit === undefined) throw new Error(`there is no page ${number}`);
    if (this.#flags & ERRORS) this.#flags |= PGSERR;
    else if (this.array.isGuarded(unit.start)) this.#flags |= WRPERR;
    else {
      this.array.erase(unit);
      this.#showBusy(unit.start);
    }
  }

  #showBusy(address: number): void {
    const { family, second = Infinity } = this.#layout;
    this.#busyBit = family === "g0" && address >= second ? 0x20000 : 0x10000;
  }

  #clock(): Memory {
    return registers(0x40021000, 0x10, {
      load: (offset) => (offset === 0 ? this.rcc : 0),
      store: (offset, value) => {
        const range = (value >>> 4) & 15;
        if (this.#layout.family !== "l4" || offset !== 0 || (value & 0xf) !== 0xb || range > 8)
          throw new Error(`the clock is given ${value.toString(16)}`);
        this.rcc = value;
        this.fastest = Math.max(this.fastest, range);
      },
    });
  }
}
