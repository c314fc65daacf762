/**
 * The flash interface of STM32F4 and F7: unlock by keys, sector erase, programming at a set width (RM0090 chapter 3, RM0410 chapter 3).
 * Both have the same registers at the same place; bit 7 of SR is called PGSERR there and ERSERR here.
 */
import type { Peripheral, Window } from "./bus.ts";
import type { InternalFlash } from "./internal-flash.ts";
import type { ChipTime } from "./chip-time.ts";

const ACR = 0x00;
const KEYR = 0x04;
const SR = 0x0c;
const CR = 0x10;
const OPTCR = 0x14;

const KEY1 = 0x4567_0123;
const KEY2 = 0xcdef_89ab;

const EOP = 1;
const WRPERR = 1 << 4;
const PGAERR = 1 << 5;
const PGPERR = 1 << 6;
const PGSERR = 1 << 7;
const BSY = 1 << 16;
const SR_ERRORS = 0x1f2;

const PG = 1;
const SER = 1 << 1;
const MER = 1 << 2;
const STRT = 1 << 16;
const EOPIE = 1 << 24;
const LOCK = 0x8000_0000;

const RDP_LEVEL_1 = 0x55;

export interface Stm32FlashOptions {
  readonly massEraseMs: number;
  /** Read protection level 1: with a debugger on the chip, nobody reaches its flash memory. */
  readonly isLocked: boolean;
  /** OPTCR with all protection off. */
  readonly optionBytes: number;
  /** Sectors that are write-protected by option bytes. */
  readonly protectedSectors: readonly number[];
}

export class Stm32Flash implements Peripheral, Window {
  readonly bytes: Uint8Array;
  readonly #flash: InternalFlash;
  readonly #time: ChipTime;
  readonly #options: Stm32FlashOptions;
  #keys: "locked" | "first key" | "open" | "shut till reset" = "locked";
  #control = 0;
  #status = 0;
  #acr = 0;

  constructor(flash: InternalFlash, time: ChipTime, options: Stm32FlashOptions) {
    this.bytes = flash.bytes;
    this.#flash = flash;
    this.#time = time;
    this.#options = options;
  }

  reset(): void {
    this.#keys = "locked";
    this.#control = 0;
    this.#status = 0;
    this.#acr = 0;
  }

  read(offset: number): number {
    switch (offset) {
      case ACR:
        return this.#acr;
      case SR:
        return this.#readStatus();
      case CR:
        return this.#control | (this.#keys === "open" ? 0 : LOCK);
      case OPTCR: {
        const locked = this.#options.protectedSectors.reduce((bits, sector) => bits | (1 << (16 + sector)), 0);
        const option = this.#options.optionBytes & ~locked;
        return this.#options.isLocked ? (option & ~0xff00) | (RDP_LEVEL_1 << 8) : option;
      }
      default:
        return 0;
    }
  }

  write(offset: number, value: number): void {
    if (offset === ACR) this.#acr = value;
    else if (offset === KEYR) this.#key(value >>> 0);
    else if (offset === SR) this.#status &= ~(value & (SR_ERRORS | EOP));
    else if (offset === CR) this.#writeControl(value >>> 0);
  }

  mayRead(): boolean {
    if (this.#options.isLocked) this.#time.busFault();
    if (this.#flash.isAtWork) this.#time.stallUntil(this.#flash.busyUntilMs(this.#time.nowMs()));
    return true;
  }

  store(offset: number, value: number, width: 1 | 2 | 4): void {
    const nowMs = this.#time.nowMs();
    if (this.#options.isLocked) this.#time.busFault();
    if (this.#flash.isBusy(nowMs)) this.#flash.violates("a store while busy");
    this.#time.stallUntil(this.#flash.busyUntilMs(nowMs));
    const error = this.#storeError(offset, width);
    if (error !== 0) {
      this.#status |= error;
      return;
    }
    const data = new Uint8Array(4);
    new DataView(data.buffer).setUint32(0, value, true);
    this.#flash.startProgram(offset, data.slice(0, width), this.#time.nowMs());
  }

  #storeError(offset: number, width: number): number {
    const size = 1 << ((this.#control >>> 8) & 3);
    if (this.#keys !== "open" || (this.#control & PG) === 0) {
      this.#flash.violates("a store without PG");
      return PGSERR;
    }
    if (size !== width) {
      this.#flash.violates("a store of another width than PSIZE");
      return PGPERR;
    }
    if (offset % width !== 0) return PGAERR;
    return this.#isWriteProtected(offset) ? WRPERR : 0;
  }

  #isWriteProtected(offset: number): boolean {
    if (this.#options.isLocked) return true;
    const sector = this.#flash.units.findIndex((unit) => offset >= unit.start && offset < unit.start + unit.bytes);
    return this.#options.protectedSectors.includes(sector);
  }

  #readStatus(): number {
    const nowMs = this.#time.nowMs();
    if (!this.#flash.isBusy(nowMs)) {
      if ((this.#control & STRT) !== 0) this.#end();
      return this.#status;
    }
    this.#time.readsBusyUntil(this.#flash.busyUntilMs(nowMs));
    return this.#status | BSY;
  }

  #end(): void {
    this.#control &= ~STRT;
    if ((this.#control & EOPIE) !== 0) this.#status |= EOP;
  }

  #key(value: number): void {
    if (this.#keys === "locked" && value === KEY1) this.#keys = "first key";
    else if (this.#keys === "first key" && value === KEY2) this.#keys = "open";
    else {
      this.#keys = "shut till reset";
      this.#flash.violates("a wrong key");
      this.#time.busFault();
    }
  }

  #writeControl(value: number): void {
    if (this.#keys !== "open") {
      if (value !== LOCK) this.#flash.violates("CR written while locked");
      return;
    }
    if ((value & LOCK) !== 0) {
      this.#keys = "locked";
      this.#control = 0;
      return;
    }
    const nowMs = this.#time.nowMs();
    if (this.#flash.isBusy(nowMs)) {
      this.#flash.violates("CR written while busy");
      this.#time.stallUntil(this.#flash.busyUntilMs(nowMs));
    }
    this.#control = value & ~STRT;
    if ((value & STRT) !== 0) this.#start(value);
  }

  #start(control: number): void {
    const nowMs = this.#time.nowMs();
    if ((control & SER) !== 0 && (control & MER) === 0) {
      const unit = this.#flash.units[(control >>> 3) & 0x1f];
      if (unit === undefined) this.#flash.violates("erase of a sector that there is not");
      else if (this.#isWriteProtected(unit.start)) this.#status |= WRPERR;
      else {
        this.#control |= STRT;
        this.#flash.startErase(unit, nowMs);
      }
    } else if ((control & MER) !== 0 && (control & SER) === 0) {
      if (this.#options.protectedSectors.length > 0) this.#status |= WRPERR;
      else {
        this.#control |= STRT;
        this.#flash.startChipErase(this.#options.massEraseMs, nowMs);
      }
    } else this.#flash.violates("STRT without SER or MER");
  }
}
