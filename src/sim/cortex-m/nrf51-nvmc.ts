/** The NVMC of an nRF51: the registers in front of its flash memory (nRF51 Series Reference Manual, chapter 6). */
import type { Peripheral, Window } from "./bus.ts";
import type { InternalFlash } from "./internal-flash.ts";
import type { ChipTime } from "./chip-time.ts";

const READY = 0x400;
const CONFIG = 0x504;
const ERASEPAGE = 0x508;
const ERASEALL = 0x50c;
const WRITE_ENABLED = 1;
const ERASE_ENABLED = 2;

export interface Nrf51NvmcOptions {
  readonly chipEraseMs: number;
  /** Readback protection: whoever reads gets zeros, until everything has been erased. */
  readonly isLocked: boolean;
}

export class Nrf51Nvmc implements Peripheral, Window {
  readonly bytes: Uint8Array;
  readonly #flash: InternalFlash;
  readonly #time: ChipTime;
  readonly #chipEraseMs: number;
  #config = 0;
  #isLocked: boolean;

  constructor(flash: InternalFlash, time: ChipTime, options: Nrf51NvmcOptions) {
    this.bytes = flash.bytes;
    this.#flash = flash;
    this.#time = time;
    this.#chipEraseMs = options.chipEraseMs;
    this.#isLocked = options.isLocked;
  }

  reset(): void {
    this.#config = 0;
  }

  read(offset: number): number {
    if (offset === READY) return this.#isBusy() ? 0 : 1;
    return offset === CONFIG ? this.#config : 0;
  }

  write(offset: number, value: number): void {
    if (offset === CONFIG) this.#config = value & 3;
    else if (offset === ERASEPAGE) this.#erase(value);
    else if (offset === ERASEALL && value === 1 && this.#may("erase", ERASE_ENABLED)) {
      this.#isLocked = false;
      this.#flash.startChipErase(this.#chipEraseMs, this.#time.nowMs());
    }
  }

  /** The core waits while it fetches or reads from a memory that is at work. */
  mayRead(): boolean {
    if (this.#flash.isAtWork) this.#time.stallUntil(this.#flash.busyUntilMs(this.#time.nowMs()));
    return !this.#isLocked;
  }

  store(offset: number, value: number, width: 1 | 2 | 4): void {
    if (width !== 4) {
      this.#flash.violates("a store that is not of 32 bits");
      this.#time.busFault();
      return;
    }
    if (!this.#may("write", WRITE_ENABLED) || this.#isLocked) return;
    const data = new Uint8Array(4);
    new DataView(data.buffer).setUint32(0, value, true);
    this.#flash.startProgram(offset, data, this.#time.nowMs());
  }

  #erase(address: number): void {
    const unit = this.#flash.unitAt(address);
    if (!this.#may("erase", ERASE_ENABLED) || this.#isLocked) return;
    if (unit?.start !== address) this.#flash.violates("ERASEPAGE of what is no page");
    else this.#flash.startErase(unit, this.#time.nowMs());
  }

  #may(what: string, config: number): boolean {
    if (this.#config !== config) {
      this.#flash.violates(`${what} without CONFIG`);
      if (what === "write") this.#time.busFault();
      return false;
    }
    if (!this.#flash.isBusy(this.#time.nowMs())) return true;
    this.#flash.violates(`${what} while busy`);
    return false;
  }

  #isBusy(): boolean {
    const nowMs = this.#time.nowMs();
    if (!this.#flash.isBusy(nowMs)) return false;
    this.#time.readsBusyUntil(this.#flash.busyUntilMs(nowMs));
    return true;
  }
}
