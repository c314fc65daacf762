/**
 * A RISC-V processor of the kind in ESP chips, RV32IMC in machine mode, by its unprivileged specification 20191213. Everything that it does not know, and every
 * unaligned access, is an Error.
 */
import type { Bus, Processor } from "./bus.ts";
import { branchOffset, jumpOffset, multiply, smallOffset } from "./rv32-parts.ts";

export class Rv32 implements Processor {
  pc = 0;
  mstatus = 0;
  readonly x = new Int32Array(32);
  readonly #bus: Bus;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  step(): void {
    const low = this.#bus.fetchHalf(this.pc);
    if ((low & 3) !== 3) this.#compressed(low);
    else this.#full(low | (this.#bus.fetchHalf(this.pc + 2) << 16));
    this.x[0] = 0;
  }

  #get(register: number): number {
    return this.x[register] ?? 0;
  }

  #refuse(word: number): never {
    throw new Error(`instruction ${(word >>> 0).toString(16)} at ${this.pc.toString(16)}`);
  }

  #jump(to: number): void {
    this.pc = to >>> 0;
  }

  #full(word: number): void {
    const { x } = this;
    const rd = (word >>> 7) & 31;
    const rs1 = this.#get((word >>> 15) & 31);
    const rs2 = this.#get((word >>> 20) & 31);
    const funct = (word >>> 12) & 7;
    const immediate = word >> 20;
    const next = this.pc + 4;
    switch (word & 0x7f) {
      case 0x37:
        x[rd] = word & 0xfffff000;
        break;
      case 0x17:
        x[rd] = this.pc + (word & 0xfffff000);
        break;
      case 0x6f: {
        const offset = ((word >> 31) << 20) | (word & 0xff000) | ((word >>> 9) & 0x800) | ((word >>> 20) & 0x7fe);
        x[rd] = next;
        this.#jump(this.pc + offset);
        return;
      }
      case 0x67:
        x[rd] = next;
        {
          this.#jump((rs1 + immediate) & ~1);
          return;
        }
      case 0x63: {
        const offset = ((word >> 31) << 12) | ((word << 4) & 0x800) | ((word >>> 20) & 0x7e0) | ((word >>> 7) & 0x1e);
        if (this.#branches(funct, rs1, rs2, word)) {
          this.#jump(this.pc + offset);
          return;
        }
        break;
      }
      case 0x03:
        x[rd] = this.#load(funct, rs1 + immediate, word);
        break;
      case 0x23:
        this.#store(funct, rs1 + (((word >> 25) << 5) | ((word >>> 7) & 31)), rs2, word);
        break;
      case 0x13: {
        const alternate = funct === 5 && (word & 0x40000000) !== 0;
        x[rd] = this.#compute(funct, alternate, rs1, funct === 1 || funct === 5 ? immediate & 31 : immediate);
        break;
      }
      case 0x33:
        if (word >>> 25 === 1) x[rd] = multiply(funct, rs1, rs2);
        else x[rd] = this.#compute(funct, (word & 0x40000000) !== 0, rs1, rs2);
        break;
      case 0x0f:
        break;
      case 0x73:
        x[rd] = this.#system(funct, word);
        break;
      default:
        this.#refuse(word);
    }
    this.pc = next >>> 0;
  }

  #branches(funct: number, a: number, b: number, word: number): boolean {
    switch (funct) {
      case 0:
        return a === b;
      case 1:
        return a !== b;
      case 4:
        return a < b;
      case 5:
        return a >= b;
      case 6:
        return a >>> 0 < b >>> 0;
      case 7:
        return a >>> 0 >= b >>> 0;
      default:
        return this.#refuse(word);
    }
  }

  #load(funct: number, address: number, word: number): number {
    switch (funct) {
      case 0:
        return (this.#bus.load(address, 1) << 24) >> 24;
      case 1:
        return (this.#bus.load(address, 2) << 16) >> 16;
      case 2:
        return this.#bus.load(address, 4);
      case 4:
        return this.#bus.load(address, 1);
      case 5:
        return this.#bus.load(address, 2);
      default:
        return this.#refuse(word);
    }
  }

  #store(funct: number, address: number, value: number, word: number): void {
    if (funct > 2) this.#refuse(word);
    this.#bus.store(address, funct === 0 ? 1 : funct === 1 ? 2 : 4, value);
  }

  #compute(funct: number, alternate: boolean, a: number, b: number): number {
    switch (funct) {
      case 0:
        return alternate ? a - b : a + b;
      case 1:
        return a << (b & 31);
      case 2:
        return a < b ? 1 : 0;
      case 3:
        return a >>> 0 < b >>> 0 ? 1 : 0;
      case 4:
        return a ^ b;
      case 5:
        return alternate ? a >> (b & 31) : a >>> (b & 31);
      case 6:
        return a | b;
      default:
        return a & b;
    }
  }

  /** mstatus alone. */
  #system(funct: number, word: number): number {
    const old = this.mstatus;
    if (word >>> 20 !== 0x300 || (funct & 3) === 0) return this.#refuse(word);
    const field = (word >>> 15) & 31;
    const value = funct >= 4 ? field : this.#get(field);
    this.mstatus = (funct & 3) === 1 ? value : (funct & 3) === 2 ? old | value : old & ~value;
    return old;
  }

  #compressed(word: number): void {
    const { x } = this;
    const next = this.pc + 2;
    const rd = (word >>> 7) & 31;
    const rs2 = (word >>> 2) & 31;
    const small1 = 8 + ((word >>> 7) & 7);
    const small2 = 8 + ((word >>> 2) & 7);
    const signed = (((word << 19) >> 31) << 5) | rs2;
    if (word === 0) this.#refuse(word);
    switch (((word & 3) << 3) | (word >>> 13)) {
      case 0: // addi4spn
        x[small2] =
          this.#get(2) + (((word >>> 7) & 0x30) | ((word >>> 1) & 0x3c0) | ((word >>> 4) & 4) | ((word >>> 2) & 8));
        break;
      case 2: // lw
        x[small2] = this.#bus.load(this.#get(small1) + smallOffset(word), 4);
        break;
      case 6: // sw
        this.#bus.store(this.#get(small1) + smallOffset(word), 4, this.#get(small2));
        break;
      case 8: // addi
        x[rd] = this.#get(rd) + signed;
        break;
      case 9: // jal
        x[1] = next;
        {
          this.#jump(this.pc + jumpOffset(word));
          return;
        }
      case 10: // li
        x[rd] = signed;
        break;
      case 11: // lui, addi16sp
        if (rd === 2) {
          x[2] =
            this.#get(2) +
            ((((word << 19) >> 31) << 9) |
              ((word >>> 2) & 0x10) |
              ((word << 1) & 0x40) |
              ((word << 4) & 0x180) |
              ((word << 3) & 0x20));
        } else x[rd] = signed << 12;
        break;
      case 12:
        x[small1] = this.#compressedArithmetic(word, this.#get(small1), this.#get(small2), signed);
        break;
      case 13: {
        // j
        this.#jump(this.pc + jumpOffset(word));
        return;
      }
      case 14: // beqz
      case 15: // bnez
        if ((this.#get(small1) === 0) === (word >>> 13 === 6)) {
          this.#jump(this.pc + branchOffset(word));
          return;
        }
        break;
      case 16: // slli
        x[rd] = this.#get(rd) << rs2;
        break;
      case 18: // lwsp
        x[rd] = this.#bus.load(
          this.#get(2) + (((word >>> 7) & 0x20) | ((word >>> 2) & 0x1c) | ((word << 4) & 0xc0)),
          4,
        );
        break;
      case 20:
        if (rs2 === 0) {
          if (rd === 0) this.#refuse(word);
          const to = this.#get(rd);
          if ((word & 0x1000) !== 0) x[1] = next; // jalr
          this.#jump(to & ~1);
          return;
        }
        x[rd] = ((word & 0x1000) !== 0 ? this.#get(rd) : 0) + this.#get(rs2); // add, mv
        break;
      case 22: // swsp
        this.#bus.store(this.#get(2) + (((word >>> 7) & 0x3c) | ((word >>> 1) & 0xc0)), 4, this.#get(rs2));
        break;
      default:
        this.#refuse(word);
    }
    this.pc = next >>> 0;
  }

  #compressedArithmetic(word: number, a: number, b: number, signed: number): number {
    switch ((word >>> 10) & 3) {
      case 0:
        return a >>> (signed & 31);
      case 1:
        return a >> (signed & 31);
      case 2:
        return a & signed;
      default:
        if ((word & 0x1000) !== 0) this.#refuse(word);
        return [a - b, a ^ b, a | b, a & b][(word >>> 5) & 3] ?? 0;
    }
  }
}
