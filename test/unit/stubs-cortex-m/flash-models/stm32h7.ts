/**
 * STM32H743: RM0433. Each bank has registers of its own. A flash word of 32 bytes is programmed when its last byte has come; stores that leave
 * it before are inconsistent (INCERR). A second time makes its error correction wrong: reading it is a bus error.
 */
import { registers, type Memory } from "../machine.ts";
import { FlashArray, Iwdg, KeyLock, type FlashModel, type Width } from "./array.ts";

const WRPERR = 1 << 17;
const PGSERR = 1 << 18;
const INCERR = 1 << 21;
const ERRORS = 0x01ee0000;
const BANK_BYTES = 0x100000;

class Bank {
  readonly lock = new KeyLock();
  flags = 0;
  control = 0;
  /** The flash word under way. */
  word: { readonly offset: number; readonly values: number[] } | undefined;
}

export class Stm32H7 implements FlashModel {
  readonly array: FlashArray;
  readonly memories: readonly Memory[];
  readonly #watchdog = new Iwdg(0x58004800);
  readonly #banks = [new Bank(), new Bank()] as const;
  readonly #spoilt = new Set<number>();

  constructor(sectorsOfBank: number) {
    const bank = { size: 0x20000, count: sectorsOfBank };
    this.array = new FlashArray([
      { start: 0x08000000, ...bank },
      { start: 0x08100000, ...bank },
    ]);
    const flash = this.array.memory(
      (offset, value, width) => this.#store(offset, value, width),
      (offset) => {
        if (this.#spoilt.has(Math.floor(offset / 32))) throw new Error("a bus error: two bits wrong in a flash word");
        return this.array.view.getUint32(offset, true);
      },
    );
    const controller = registers(0x52002000, 0x200, {
      load: (offset) => this.#load(this.#bank(offset), offset & 0xff),
      store: (offset, value) => this.#write(offset < 0x100 ? 0 : 1, offset & 0xff, value),
    });
    const systemControl = registers(0xe000e000, 0x1000, {
      load: (offset) => {
        if (offset !== 0xd14) throw new Error(`system register ${offset.toString(16)} is read`);
        return 0;
      },
      store: (offset) => {
        throw new Error(`system register ${offset.toString(16)} is written`);
      },
    });
    this.memories = [flash, controller, systemControl, this.#watchdog.memory];
  }

  get isClosed(): boolean {
    return this.#banks.every(({ lock, control }) => !lock.isOpen && (control & 6) === 0);
  }

  get feeds(): number {
    return this.#watchdog.feeds;
  }

  leaveErrors(): void {
    for (const bank of this.#banks) bank.flags = ERRORS | 0x1e010000;
  }

  #bank(offset: number): Bank {
    return this.#banks[offset < 0x100 ? 0 : 1];
  }

  #load(bank: Bank, offset: number): number {
    if (offset === 0x0c) return bank.control | Number(!bank.lock.isOpen);
    if (offset !== 0x10) throw new Error(`register ${offset.toString(16)} is read`);
    const isUnfinished = bank.word !== undefined;
    return bank.flags | (this.array.poll() ? 5 : 0) | (isUnfinished ? 2 : 0);
  }

  #write(index: 0 | 1, offset: number, value: number): void {
    const bank = this.#banks[index];
    if (offset === 0x04) bank.lock.key(value);
    else if (offset === 0x14) bank.flags &= ~value;
    else if (offset === 0x0c) this.#command(bank, index, value);
    else throw new Error(`register ${offset.toString(16)} is written`);
  }

  #command(bank: Bank, index: 0 | 1, value: number): void {
    bank.lock.check();
    if (this.array.isBusy || bank.word !== undefined) throw new Error("CR is written while the bank is busy");
    if (value & 1) {
      bank.lock.close();
      bank.control = 0;
      return;
    }
    if (value & ~0x7ff) throw new Error(`CR is given ${value.toString(16)}`);
    if ((value & 6) === 6) throw new Error("PG and SER at once");
    if (value & 0x80 && (bank.control & 0x77c) !== (value & 0x77c))
      throw new Error("START before the sector is selected");
    bank.control = value & ~0x80;
    if ((value & 0x84) !== 0x84) return;
    const start = 0x08000000 + index * BANK_BYTES + ((value >>> 8) & 7) * 0x20000;
    if (bank.flags & ERRORS) bank.flags |= PGSERR;
    else if (this.array.isGuarded(start)) bank.flags |= WRPERR;
    else {
      const unit = this.array.unitAt(start);
      for (let at = 0; at < unit.size; at += 32) this.#spoilt.delete((start - 0x08000000 + at) / 32);
      this.array.erase(unit);
    }
  }

  #store(offset: number, value: number, width: Width): void {
    const bank = this.#banks[offset < BANK_BYTES ? 0 : 1];
    if (width !== 4) throw new Error("the driver stores words");
    if ((bank.control & 6) !== 2) bank.flags |= PGSERR;
    else if (bank.flags & ERRORS) bank.flags |= PGSERR;
    else if (this.array.isGuarded(0x08000000 + offset)) bank.flags |= WRPERR;
    else {
      bank.word ??= { offset: offset & ~31, values: [] };
      const { offset: start, values } = bank.word;
      if (offset !== start + 4 * values.length) {
        bank.flags |= INCERR;
        bank.word = undefined;
      } else if (values.push(value) === 8) this.#program(bank, start, values);
    }
  }

  #program(bank: Bank, offset: number, values: readonly number[]): void {
    bank.word = undefined;
    const { view } = this.array;
    const isFf = values.every((_, index) => view.getUint32(offset + 4 * index, true) === 0xffffffff);
    if (!isFf) this.#spoilt.add(offset / 32);
    for (const [index, value] of values.entries()) this.array.clearBits(offset + 4 * index, value, 4);
    this.array.begin();
  }
}
