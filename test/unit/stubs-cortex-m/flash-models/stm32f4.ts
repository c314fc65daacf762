/**
 * STM32F4 and F7: RM0090, RM0410. Stores of another width than PSIZE says set PGPERR and do nothing, as do stores without PG (PGSERR);
 * error bits that are left make the next operation fail as well. With the caches of the F4, and the data cache of a Cortex-M7.
 */
import { registers, type Memory } from "../machine.ts";
import { FlashArray, Iwdg, KeyLock, ReadCache, type FlashModel, type Run, type Width } from "./array.ts";

const ACR = 0x00;
const KEYR = 0x04;
const SR = 0x0c;
const CR = 0x10;
const OPERR = 1 << 1;
const WRPERR = 1 << 4;
const PGPERR = 1 << 6;
const PGSERR = 1 << 7;
const ERRORS = OPERR | WRPERR | PGPERR | PGSERR | (1 << 5) | (1 << 8);
const LOCK = 0x80000000;

export interface Stm32F4Layout {
  readonly family: "f4" | "f7";
  /** Sectors of each bank; those of the second are numbered from 12 on, and called 16 … by SNB. */
  readonly banks: readonly (readonly Run[])[];
}

export class Stm32F4 implements FlashModel {
  readonly array: FlashArray;
  readonly memories: readonly Memory[];
  /** The cache that data reads go through. */
  readonly cache: ReadCache;
  readonly #lock = new KeyLock();
  readonly #watchdog = new Iwdg();
  readonly #layout: Stm32F4Layout;
  #flags = 0;
  #control = 0;
  #acr = 0;
  #ccr = 0;

  constructor(layout: Stm32F4Layout) {
    this.#layout = layout;
    this.array = new FlashArray(layout.banks.flat());
    this.cache = new ReadCache(this.array.view, layout.family === "f4" ? 16 : 32);
    const flash = this.array.memory(
      (offset, value, width) => this.#program(offset, value, width),
      (offset, width) => this.cache.load(offset, width),
    );
    const controller = registers(0x40023c00, 0x20, {
      load: (offset) => {
        if (offset === ACR) return this.#acr;
        if (offset === SR) return this.#flags | (this.array.poll() ? 0x10000 : 0);
        if (offset === CR) return (this.#control | (this.#lock.isOpen ? 0 : LOCK)) >>> 0;
        throw new Error(`register ${offset.toString(16)} is read`);
      },
      store: (offset, value) => {
        if (offset === ACR) this.#setAcr(value);
        else if (offset === KEYR) this.#lock.key(value);
        else if (offset === SR) this.#flags &= ~value;
        else if (offset === CR) this.#command(value);
        else throw new Error(`register ${offset.toString(16)} is written`);
      },
    });
    this.memories = [
      flash,
      controller,
      this.#watchdog.memory,
      ...(layout.family === "f7" ? [this.#systemControl()] : []),
    ];
  }

  get isClosed(): boolean {
    return !this.#lock.isOpen && (this.#control & 3) === 0;
  }

  get feeds(): number {
    return this.#watchdog.feeds;
  }

  leaveErrors(): void {
    this.#flags = ERRORS;
  }

  /** As firmware that was stopped left it. */
  switchCacheOn(): void {
    if (this.#layout.family === "f4") this.#setAcr(0x700);
    else this.#ccr = 0x10000;
    this.cache.isOn = true;
  }

  #setAcr(value: number): void {
    if (this.#layout.family === "f4") {
      if (value & 0x1000 && value & 0x400) throw new Error("DCRST while the data cache is on");
      if (value & 0x800 && value & 0x200) throw new Error("ICRST while the instruction cache is on");
      if (value & 0x1000) this.cache.empty();
      this.cache.isOn = (value & 0x400) !== 0;
    } else if (value & 0x800 && value & 0x200) throw new Error("ARTRST while ART is on");
    this.#acr = value;
  }

  /** CCR, CCSIDR of a cache of 4 KB, and the two operations by set and way. */
  #systemControl(): Memory {
    return registers(0xe000e000, 0x1000, {
      load: (offset) => {
        if (offset === 0xd14) return this.#ccr;
        if (offset === 0xd80) return (31 << 13) | (3 << 3) | 1;
        throw new Error(`system register ${offset.toString(16)} is read`);
      },
      store: (offset, value) => {
        if (offset === 0xd84 && value === 0) return;
        if (offset === 0xd14) {
          this.#ccr = value;
          this.cache.isOn = (value & 0x10000) !== 0;
        } else if (offset === 0xf60 || offset === 0xf74) {
          if (this.cache.isOn) throw new Error("the cache is emptied while it is on");
          if (value >>> 30 === 3) this.cache.emptySet((value >>> 5) & 31, 32);
        } else throw new Error(`system register ${offset.toString(16)} is written`);
      },
    });
  }

  #program(offset: number, value: number, width: Width): void {
    const { array } = this;
    if ((this.#control & 3) !== 1) this.#flags |= PGSERR;
    else if (1 << ((this.#control >>> 8) & 3) !== width) this.#flags |= PGPERR;
    else if (array.isGuarded(array.start + offset)) this.#flags |= WRPERR;
    else if (this.#flags & ERRORS) this.#flags |= PGSERR;
    else {
      array.clearBits(offset, value, width);
      array.begin();
    }
  }

  #command(value: number): void {
    this.#lock.check();
    if (this.array.isBusy) throw new Error("CR is written while the flash is busy");
    if (value & LOCK) {
      this.#lock.close();
      this.#control = 0;
      return;
    }
    if (value & ~0x103fb) throw new Error(`CR is given ${value.toString(16)}`);
    if ((value & 3) === 3) throw new Error("PG and SER at once");
    if (value & 0x10000 && (this.#control & 0xff) !== (value & 0xff))
      throw new Error("STRT before the sector is selected");
    this.#control = value & ~0x10000;
    if ((value & 0x10002) === 0x10002) this.#erase((value >>> 3) & 31);
  }

  #erase(number: number): void {
    const [first = 0] = this.#layout.banks.map((bank) => bank.reduce((sum, { count }) => sum + count, 0));
    const index = number < 16 ? number : first + number - 16;
    const unit = this.array.units[index];
    if (unit === undefined || (number < 16 && number >= first)) throw new Error(`there is no sector ${number}`);
    if (this.#flags & ERRORS) this.#flags |= PGSERR;
    else if (this.array.isGuarded(unit.start)) this.#flags |= WRPERR;
    else this.array.erase(unit);
  }
}
