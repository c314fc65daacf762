/** The core's registers as a GDB server gives them: by number, in hex, and in some servers kept back until the core runs. */
import type { RegisterName } from "./cpu.ts";
import { registersOf, type NumberedRegister } from "./gdb-xml.ts";
import type { Personality } from "./personalities.ts";
import type { Probe, Work } from "./probe.ts";

const GENERAL_REGISTERS = 16;

export class RegisterCache {
  readonly numbered: readonly NumberedRegister[];
  readonly #probe: Probe;
  readonly #personality: Personality;
  /** Values that the core has not got yet. */
  readonly #dirty = new Map<RegisterName, number>();
  #isRead = false;

  constructor(probe: Probe, personality: Personality) {
    this.#probe = probe;
    this.#personality = personality;
    this.numbered = registersOf(personality);
  }

  forget(): void {
    this.#dirty.clear();
    this.#isRead = false;
  }

  /** Sets a register without taking time; it goes to the core with the rest. */
  set(name: RegisterName, value: number): void {
    this.#dirty.set(name, value);
  }

  *readNamed(name: RegisterName): Work<number> {
    const dirty = this.#dirty.get(name);
    if (dirty !== undefined) return dirty;
    if (this.#personality.cachesRegisters) {
      // All of them are fetched once per halt, in a few queued transactions.
      if (!this.#isRead) yield* this.#probe.roundTrip(2);
      this.#isRead = true;
      return this.#probe.machine.cpu.readRegister(name);
    }
    return yield* this.#probe.readRegister(name);
  }

  *writeNamed(name: RegisterName, value: number): Work<void> {
    if (this.#personality.cachesRegisters) this.#dirty.set(name, value);
    else yield* this.#probe.writeRegister(name, value);
  }

  /** @returns nothing for a number that is none, or from a server that never tells */
  *read(number: number): Work<string> {
    const register = this.#at(number);
    if (register === undefined || this.#personality.deafToRegisterReads) return "";
    return hexOfRegister(yield* this.readNamed(register.name), register.bits);
  }

  *write(number: number, hex: string): Work<boolean> {
    const register = this.#at(number);
    if (register === undefined) return false;
    yield* this.writeNamed(register.name, registerOfHex(hex));
    return true;
  }

  /** `g`: the general registers, and xPSR where it follows them. */
  *readAll(): Work<string> {
    let text = "";
    for (const { name, bits } of this.#general()) text += hexOfRegister(yield* this.#readQuickly(name), bits);
    yield* this.#probe.roundTrip(2);
    return text;
  }

  *writeAll(hex: string): Work<void> {
    for (const [index, { name }] of this.#general().entries()) {
      const value = hex.slice(index * 8, index * 8 + 8);
      if (value.length === 8) this.#dirty.set(name, registerOfHex(value));
    }
    yield* this.#probe.roundTrip(1);
    if (!this.#personality.cachesRegisters) yield* this.flush();
  }

  /** The core gets what was kept back. */
  *flush(): Work<void> {
    for (const [name, value] of this.#dirty) yield* this.#probe.writeRegister(name, value);
    this.forget();
  }

  *#readQuickly(name: RegisterName): Work<number> {
    return this.#dirty.get(name) ?? this.#probe.machine.cpu.readRegister(name);
  }

  #general(): readonly NumberedRegister[] {
    return this.numbered.filter(({ number }) => number < GENERAL_REGISTERS || number === GENERAL_REGISTERS);
  }

  #at(number: number): NumberedRegister | undefined {
    return this.numbered.find((one) => one.number === number);
  }
}

/** In the target's byte order. */
function hexOfRegister(value: number, bits: 8 | 32): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes.subarray(0, bits / 8).toString("hex");
}

function registerOfHex(hex: string): number {
  const bytes = Buffer.alloc(4);
  bytes.write(hex.slice(0, 8), "hex");
  return bytes.readUInt32LE();
}
