/** Flash and NVMC of an nRF51 for tests of machine code: counts erases and words, and throws at what the manual does not allow. */
import { viewOf } from "../../../src/core/struct.ts";
import { loadFrom, registers, type Memory } from "./machine.ts";

const READY = 0x400;
const CONFIG = 0x504;
const ERASEPAGE = 0x508;

export class Nvmc {
  readonly bytes: Uint8Array;
  readonly memories: readonly Memory[];
  readonly erased: number[] = [];
  programmedWords = 0;
  /** Addresses of words that do not take what they are given. */
  readonly stuck = new Set<number>();
  /** Reads of READY that say no, after each erase and each word; Infinity: it hangs. */
  busyReads = 0;
  #busy = 0;
  #config = 0;

  constructor(pages: number, pageBytes = 0x400) {
    this.bytes = new Uint8Array(pages * pageBytes).fill(0xff);
    const view = viewOf(this.bytes);
    const flash: Memory = {
      start: 0,
      size: this.bytes.length,
      load: (at, width) => {
        if (this.#busy > 0) throw new Error("a read while busy");
        return loadFrom(view, at, width);
      },
      store: (at, value, width) => {
        if (width !== 4 || this.#config !== 1 || this.#busy > 0)
          throw new Error(`a store to flash at ${at.toString(16)}`);
        if (value === view.getUint32(at, true)) throw new Error(`the same again at ${at.toString(16)}`);
        if (!this.stuck.has(at)) view.setUint32(at, view.getUint32(at, true) & value, true);
        this.programmedWords++;
        this.#busy = this.busyReads;
      },
    };
    const controller = registers(0x4001e000, 0x1000, {
      load: (offset) => {
        if (offset === CONFIG) return this.#config;
        if (offset !== READY) throw new Error(`NVMC register ${offset.toString(16)}`);
        return this.#busy > 0 ? (this.#busy--, 0) : 1;
      },
      store: (offset, value) => {
        if (this.#busy === Infinity) return;
        if (this.#busy > 0) throw new Error("a register is written while busy");
        if (offset === CONFIG) this.#config = value;
        else if (offset === ERASEPAGE && this.#config === 2 && value % pageBytes === 0) {
          this.bytes.fill(0xff, value, value + pageBytes);
          this.erased.push(value / pageBytes);
          this.#busy = this.busyReads;
        } else throw new Error(`NVMC register ${offset.toString(16)} is given ${value.toString(16)}`);
      },
    });
    this.memories = [flash, controller];
  }

  /** Controller left as it was found. */
  get isClosed(): boolean {
    return this.#config === 0;
  }
}
