/** Seeded pseudo-random numbers (mulberry32), so that every garbled bit of a simulated board can be had again. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 … 2^32 - 1. */
  u32(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** 0 … 255. */
  byte(): number {
    return this.u32() >>> 24;
  }

  /** 0 … 1, without 1. */
  unit(): number {
    return this.u32() / 0x1_0000_0000;
  }
}
