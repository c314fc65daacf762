/**
 * An Xtensa processor as far as call0 code without options uses it: core and density instructions, shifts, MUL16 and MULL, by the ISA reference manual
 * (Tensilica 2010), little-endian. Register windows stand still: what would turn them is an Error, but for CALLX8, which turns nothing by
 * itself. Everything else that it does not know, and every unaligned access, is an Error too.
 */
import type { Bus, Processor } from "./bus.ts";
import { arithmetic, shift } from "./xtensa-arithmetic.ts";

const WINDOW_BASE = 2;
const comparedWith = [-1, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 32, 64, 128, 256];
const comparedUnsigned = [32768, 65536, ...comparedWith.slice(2)];
const special = { sar: 3, windowBase: 72, windowStart: 73, ps: 230, ccount: 234 } as const;
export const PS_WOE = 1 << 18;

const PROGRAM_OFFSET = 4;

export class Xtensa implements Processor {
  pc = 0;
  ps = 0;
  sar = 0;
  windowStart = 0;
  /** The 16 registers in sight. */
  readonly a: Int32Array = new Int32Array(new ArrayBuffer(64 * 4), WINDOW_BASE * 16, 16);
  readonly #bus: Bus;
  readonly #cycles: () => number;
  readonly #hasWindows: boolean;

  constructor(bus: Bus, options: { cycles: () => number; hasWindows: boolean }) {
    this.#bus = bus;
    this.#cycles = options.cycles;
    this.#hasWindows = options.hasWindows;
  }

  step(): void {
    const { pc } = this;
    const low = this.#bus.fetchByte(pc) | (this.#bus.fetchByte(pc + 1) << 8);
    if ((low & 0xf) >= 0xe) this.#refuse(low);
    if ((low & 0xf) >= 8) this.pc = this.#narrow(low, pc + 2) >>> 0;
    else this.pc = this.#wide(low | (this.#bus.fetchByte(pc + 2) << 16), pc + 3) >>> 0;
  }

  #get(register: number): number {
    return this.a[register] ?? 0;
  }

  #refuse(word: number): never {
    throw new Error(`instruction ${(word >>> 0).toString(16)} at ${this.pc.toString(16)}`);
  }

  /** @returns where it goes on */
  #narrow(word: number, next: number): number {
    const { a } = this;
    const t = (word >>> 4) & 15;
    const s = (word >>> 8) & 15;
    const r = (word >>> 12) & 15;
    switch (word & 15) {
      case 8:
        a[t] = this.#bus.load(this.#get(s) + 4 * r, 4);
        return next;
      case 9:
        this.#bus.store(this.#get(s) + 4 * r, 4, this.#get(t));
        return next;
      case 10:
        a[r] = this.#get(s) + this.#get(t);
        return next;
      case 11:
        a[r] = this.#get(s) + (t === 0 ? -1 : t);
        return next;
      case 12: {
        const immediate = r | ((t & 7) << 4);
        if (t < 8) {
          a[s] = immediate >= 96 ? immediate - 128 : immediate;
          return next;
        }
        const isTaken = (this.#get(s) === 0) === ((t & 4) === 0);
        return isTaken ? this.pc + PROGRAM_OFFSET + (immediate & 63) : next;
      }
      default:
        if (r === 0) a[t] = this.#get(s);
        else if (r === 15 && t === 0) return this.#get(0);
        else if (r !== 15 || t !== 3) this.#refuse(word);
        return next;
    }
  }

  #wide(word: number, next: number): number {
    const { a } = this;
    const t = (word >>> 4) & 15;
    switch (word & 15) {
      case 0:
        return this.#registers(word, next);
      case 1:
        a[t] = this.#bus.load((next & ~3) + (((word >>> 8) | 0xffff0000) << 2), 4);
        return next;
      case 2:
        this.#memory(word);
        return next;
      case 5:
        if ((t & 3) !== 0) this.#refuse(word);
        a[0] = next;
        return (this.pc & ~3) + 4 + (((word << 8) >> 14) << 2);
      case 6:
        return this.#branchesWithImmediate(word) ?? next;
      case 7:
        return this.#isTaken(word) ? this.pc + PROGRAM_OFFSET + ((word << 8) >> 24) : next;
      default:
        return this.#refuse(word);
    }
  }

  #memory(word: number): void {
    const { a } = this;
    const t = (word >>> 4) & 15;
    const s = (word >>> 8) & 15;
    const immediate = word >>> 16;
    const signed = (immediate << 24) >> 24;
    const base = this.#get(s);
    switch ((word >>> 12) & 15) {
      case 0:
        a[t] = this.#bus.load(base + immediate, 1);
        break;
      case 1:
        a[t] = this.#bus.load(base + immediate * 2, 2);
        break;
      case 2:
        a[t] = this.#bus.load(base + immediate * 4, 4);
        break;
      case 4:
        this.#bus.store(base + immediate, 1, this.#get(t));
        break;
      case 5:
        this.#bus.store(base + immediate * 2, 2, this.#get(t));
        break;
      case 6:
        this.#bus.store(base + immediate * 4, 4, this.#get(t));
        break;
      case 9:
        a[t] = (this.#bus.load(base + immediate * 2, 2) << 16) >> 16;
        break;
      case 10:
        a[t] = ((immediate | (s << 8)) << 20) >> 20;
        break;
      case 12:
        a[t] = base + signed;
        break;
      case 13:
        a[t] = base + (signed << 8);
        break;
      default:
        this.#refuse(word);
    }
  }

  #branchesWithImmediate(word: number): number | undefined {
    const value = this.#get((word >>> 8) & 15);
    const constant = (word >>> 12) & 15;
    const kind = (word >>> 4) & 15;
    if ((kind & 3) === 0) return this.pc + PROGRAM_OFFSET + ((word << 8) >> 14);
    const far = this.pc + PROGRAM_OFFSET + ((word << 8) >> 20);
    const near = this.pc + PROGRAM_OFFSET + ((word << 8) >> 24);
    const signed = comparedWith[constant] ?? 0;
    const unsigned = comparedUnsigned[constant] ?? 0;
    switch (kind) {
      case 1:
        return value === 0 ? far : undefined;
      case 5:
        return value !== 0 ? far : undefined;
      case 9:
        return value < 0 ? far : undefined;
      case 13:
        return value >= 0 ? far : undefined;
      case 2:
        return value === signed ? near : undefined;
      case 6:
        return value !== signed ? near : undefined;
      case 10:
        return value < signed ? near : undefined;
      case 14:
        return value >= signed ? near : undefined;
      case 11:
        return value >>> 0 < unsigned ? near : undefined;
      case 15:
        return value >>> 0 >= unsigned ? near : undefined;
      default:
        return this.#refuse(word);
    }
  }

  #isTaken(word: number): boolean {
    const s = this.#get((word >>> 8) & 15);
    const field = (word >>> 4) & 15;
    const t = this.#get(field);
    const r = (word >>> 12) & 15;
    const bit = 1 << ((r & 6) === 6 ? field | ((r & 1) << 4) : t & 31);
    const isPositive = [
      (s & t) === 0,
      s === t,
      s < t,
      s >>> 0 < t >>> 0,
      (~s & t) === 0,
      (s & bit) === 0,
      (s & bit) === 0,
      (s & bit) === 0,
    ][r & 7];
    return isPositive === r < 8;
  }

  #registers(word: number, next: number): number {
    const { a } = this;
    const t = (word >>> 4) & 15;
    const s = (word >>> 8) & 15;
    const r = (word >>> 12) & 15;
    const high = word >>> 20;
    switch ((word >>> 16) & 15) {
      case 0:
        if (high === 0) return this.#control(word, next);
        if (high === 4) this.#setShift(word);
        else a[r] = arithmetic(word, this.#get(s), this.#get(t));
        return next;
      case 1:
        a[r] = shift(word, this.sar, { s: this.#get(s), t: this.#get(t) });
        return next;
      case 2:
        if (high !== 8) this.#refuse(word);
        a[r] = Math.imul(this.#get(s), this.#get(t));
        return next;
      case 3:
        if (high === 0) a[t] = this.#readSpecial((word >>> 8) & 0xff);
        else if (high === 1) this.#writeSpecial((word >>> 8) & 0xff, this.#get(t));
        else if (high < 8 || high > 11) this.#refuse(word);
        else if (this.#moves(high, this.#get(t))) a[r] = this.#get(s);
        return next;
      case 4:
      case 5:
        a[r] = (this.#get(t) >>> (s | ((word >>> 12) & 16))) & ((2 << high) - 1);
        return next;
      default:
        return this.#refuse(word);
    }
  }

  #moves(kind: number, value: number): boolean {
    if (kind < 10) return (value === 0) === (kind === 8);
    return value < 0 === (kind === 10);
  }

  #control(word: number, next: number): number {
    const t = (word >>> 4) & 15;
    const s = (word >>> 8) & 15;
    switch ((word >>> 12) & 15) {
      case 0:
        if (t === 8) return this.#get(0);
        if (t === 10) return this.#get(s);
        if (t === 12) {
          const to = this.#get(s);
          this.a[0] = next;
          return to;
        }
        if (t === 14 && this.#hasWindows && (this.ps & PS_WOE) !== 0) {
          const to = this.#get(s);
          this.ps = (this.ps & ~(3 << 16)) | (2 << 16);
          this.a[8] = (2 << 30) | (next & 0x3fffffff);
          return to;
        }
        return this.#refuse(word);
      case 2:
        return next;
      case 6:
        this.a[t] = this.ps;
        this.ps = (this.ps & ~15) | s;
        return next;
      default:
        return this.#refuse(word);
    }
  }

  #setShift(word: number): void {
    const value = this.#get((word >>> 8) & 15);
    const kind = (word >>> 12) & 15;
    if (kind > 4) this.#refuse(word);
    this.sar =
      [value & 31, 32 - (value & 31), (value & 3) * 8, 32 - (value & 3) * 8, ((word >>> 8) & 15) | (word & 16)][kind] ??
      0;
  }

  #readSpecial(number: number): number {
    if (number === special.sar) return this.sar;
    if (number === special.ps) return this.ps;
    if (number === special.ccount) return this.#cycles() | 0;
    if (number === special.windowBase && this.#hasWindows) return WINDOW_BASE;
    throw new Error(`special register ${number} read at ${this.pc.toString(16)}`);
  }

  #writeSpecial(number: number, value: number): void {
    if (number === special.sar) this.sar = value & 63;
    else if (number === special.ps) this.ps = value;
    else if (number === special.windowStart && this.#hasWindows) this.windowStart = value;
    else throw new Error(`special register ${number} written at ${this.pc.toString(16)}`);
  }
}
