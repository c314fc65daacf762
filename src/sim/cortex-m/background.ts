/**
 * All the peripherals that are not modelled: registers that keep what they are told, and the few bits that start-up code waits for.
 */
import type { Peripheral } from "./bus.ts";

/** Reading `at` gives `ready` bits as soon as the `asked` bits of the register `from` are set. */
export interface ReadyRule {
  readonly at: number;
  readonly from: number;
  readonly asked: number;
  readonly ready: number;
}

/** Clocks that are on as soon as somebody asks for them. Addresses are whole ones. */
export const readyRules: Readonly<Record<"nrf51" | "stm32" | "rp2040", readonly ReadyRule[]>> = {
  // EVENTS_HFCLKSTARTED and EVENTS_LFCLKSTARTED after the tasks that start them
  nrf51: [
    { at: 0x4000_0100, from: 0x4000_0000, asked: 1, ready: 1 },
    { at: 0x4000_0104, from: 0x4000_0008, asked: 1, ready: 1 },
  ],
  // RCC_CR: HSION, HSEON and PLLON with their RDY bits; RCC_CFGR: SW and SWS
  stm32: [
    { at: 0x4002_3800, from: 0x4002_3800, asked: 1, ready: 1 << 1 },
    { at: 0x4002_3800, from: 0x4002_3800, asked: 1 << 16, ready: 1 << 17 },
    { at: 0x4002_3800, from: 0x4002_3800, asked: 1 << 24, ready: 1 << 25 },
    { at: 0x4002_3808, from: 0x4002_3808, asked: 1, ready: 1 << 2 },
    { at: 0x4002_3808, from: 0x4002_3808, asked: 2, ready: 1 << 3 },
  ],
  // XOSC STATUS, the LOCK bits of both PLLs
  rp2040: [
    { at: 0x4002_4004, from: 0x4002_4000, asked: 0x00fa_b000, ready: 0x8000_0000 },
    { at: 0x4002_8000, from: 0x4002_8000, asked: 0, ready: 0x8000_0000 },
    { at: 0x4002_c000, from: 0x4002_c000, asked: 0, ready: 0x8000_0000 },
  ],
};

export class Background implements Peripheral {
  readonly #values = new Map<number, number>();
  readonly #start: number;
  readonly #rules: readonly ReadyRule[];
  readonly #resetValues: ReadonlyMap<number, number>;

  /** @param resetValues by whole address */
  constructor(start: number, rules: readonly ReadyRule[], resetValues: ReadonlyMap<number, number>) {
    this.#start = start;
    this.#rules = rules;
    this.#resetValues = resetValues;
  }

  reset(): void {
    this.#values.clear();
  }

  read(offset: number): number {
    const address = this.#start + offset;
    const ready = this.#rules
      .filter((rule) => rule.at === address && (this.#value(rule.from) & rule.asked) === rule.asked)
      .reduce((bits, rule) => bits | rule.ready, 0);
    return (this.#value(address) | ready) >>> 0;
  }

  write(offset: number, value: number): void {
    this.#values.set(this.#start + offset, value);
  }

  #value(address: number): number {
    return this.#values.get(address) ?? this.#resetValues.get(address) ?? 0;
  }
}

/** RP2040: each register has three more addresses, at which a write flips, sets or clears bits (data sheet, 2.1.2). */
export function withAtomicAliases(inner: Peripheral): Peripheral {
  return {
    read: (offset) => inner.read(offset & ~0x3000),
    write: (offset, value, bytes) => {
      const at = offset & ~0x3000;
      const kind = (offset >>> 12) & 3;
      const old = kind === 0 ? 0 : inner.read(at);
      const next = [value, old ^ value, old | value, old & ~value][kind] ?? value;
      inner.write(at, next >>> 0, bytes);
    },
  };
}

/** RP2040 RESETS: what is let out of reset is ready at once. */
export class Rp2040Resets implements Peripheral {
  #held = 0x01ff_ffff;

  read(offset: number): number {
    if (offset === 0) return this.#held;
    return offset === 8 ? ~this.#held & 0x01ff_ffff : 0;
  }

  write(offset: number, value: number): void {
    if (offset === 0) this.#held = value & 0x01ff_ffff;
  }

  reset(): void {
    this.#held = 0x01ff_ffff;
  }
}

/** Registers that only tell what chip this is. */
export function identityRegisters(values: ReadonlyMap<number, number>, start: number): Peripheral {
  return { read: (offset) => values.get(start + offset) ?? 0xffff_ffff, write: () => undefined };
}
