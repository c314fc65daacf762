/** STM32F1: PM0075 rev. 2. One error makes no further ones; flags are cleared by writing 1. */
import { registers, type Memory } from "../machine.ts";
import { FlashArray, Iwdg, KeyLock, type FlashModel } from "./array.ts";

const KEYR = 0x04;
const SR = 0x0c;
const CR = 0x10;
const AR = 0x14;
const PGERR = 4;
const WRPRTERR = 16;
const EOP = 32;

export class Fpec implements FlashModel {
  readonly array: FlashArray;
  readonly memories: readonly Memory[];
  readonly #lock = new KeyLock();
  readonly #watchdog = new Iwdg();
  #flags = 0;
  #control = 0;
  #address = 0;

  constructor(pages: number, pageBytes: number) {
    this.array = new FlashArray([{ start: 0x08000000, size: pageBytes, count: pages }]);
    const flash = this.array.memory((offset, value, width) => {
      if (width !== 2) throw new Error(`a bus error: a store of ${width} bytes to flash`);
      if (this.#control !== 1) throw new Error("a bus error: a store to flash without PG");
      this.#program(offset, value);
    });
    const controller = registers(0x40022000, 0x24, {
      load: (offset) => {
        if (offset === SR) return this.#flags | Number(this.array.poll());
        if (offset === CR) return this.#control | (this.#lock.isOpen ? 0 : 0x80);
        throw new Error(`FPEC register ${offset.toString(16)} is read`);
      },
      store: (offset, value) => {
        if (offset === KEYR) this.#lock.key(value);
        else if (offset === SR) this.#flags &= ~value;
        else if (offset === AR) this.#address = value;
        else if (offset === CR) this.#command(value);
        else throw new Error(`FPEC register ${offset.toString(16)} is written`);
      },
    });
    this.memories = [flash, controller, this.#watchdog.memory];
  }

  get isClosed(): boolean {
    return !this.#lock.isOpen && this.#control === 0;
  }

  get feeds(): number {
    return this.#watchdog.feeds;
  }

  leaveErrors(): void {
    this.#flags = PGERR | WRPRTERR;
  }

  #program(offset: number, value: number): void {
    const { array } = this;
    if (array.isGuarded(array.start + offset)) this.#flags |= WRPRTERR;
    else if (array.view.getUint16(offset, true) !== 0xffff && value !== 0) this.#flags |= PGERR;
    else {
      array.clearBits(offset, value, 2);
      array.begin();
      this.#flags |= EOP;
    }
  }

  #command(value: number): void {
    this.#lock.check();
    if (this.array.isBusy) throw new Error("CR is written while the flash is busy");
    if (value & 0x80) {
      this.#lock.close();
      this.#control = 0;
      return;
    }
    if ((value & 3) === 3) throw new Error("PG and PER at once");
    this.#control = value & ~0x40;
    if ((value & 0x42) !== 0x42) return;
    const unit = this.array.unitAt(this.#address);
    if (this.array.isGuarded(this.#address)) this.#flags |= WRPRTERR;
    else {
      this.array.erase(unit);
      this.#flags |= EOP;
    }
  }
}
