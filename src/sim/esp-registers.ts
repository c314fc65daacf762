/**
 * A chip's registers as far as flashing programs touch them: the flash controller's command engine, the UART's divider, the
 * watchdog that resets the chip, eFuses. Everything else reads as it was last written, at first as 0.
 */
import type { EspChip } from "./esp-chip-parts.ts";
import type { EspMemory } from "./esp-memory.ts";
import type { NorCommands } from "./nor-commands.ts";

const MAGIC_REGISTER = 0x40001000;
/** Mask ROM, readable like a register. */
const ROM_RANGE = [0x40000000, 0x40070000] as const;
const COMMAND_USER = 1 << 18;
const USER_ADDRESS_PHASE = 1 << 30;
/** The built-in commands of the controller's first register, by bit. */
const builtIn: readonly (readonly [bit: number, opcode: number])[] = [
  [30, 0x06],
  [29, 0x04],
  [28, 0x9f],
  [27, 0x05],
  [26, 0x01],
  [24, 0x20],
  [23, 0xd8],
  [22, 0xc7],
];

export interface RegisterHooks {
  nowMs(): number;
  baud(): number;
  setBaud(baud: number): void;
  /** The watchdog was set to reset the chip. */
  watchdogReset(afterMs: number): void;
}

export class EspRegisters {
  readonly #chip: EspChip;
  readonly #memory: EspMemory;
  readonly #nor: NorCommands;
  readonly #hooks: RegisterHooks;
  readonly #values = new Map<number, number>();
  readonly #fuses: Readonly<Record<number, number>>;

  constructor(parts: {
    chip: EspChip;
    memory: EspMemory;
    nor: NorCommands;
    hooks: RegisterHooks;
    /** Registers that survive every reset: eFuses. */
    fuses: Readonly<Record<number, number>>;
  }) {
    this.#chip = parts.chip;
    this.#memory = parts.memory;
    this.#nor = parts.nor;
    this.#hooks = parts.hooks;
    this.#fuses = parts.fuses;
    this.reset();
  }

  reset(): void {
    this.#values.clear();
    this.#values.set(MAGIC_REGISTER, this.#chip.magic);
    for (const [address, value] of Object.entries(this.#chip.presets ?? {})) this.#values.set(Number(address), value);
    for (const [address, value] of Object.entries(this.#fuses)) this.#values.set(Number(address), value);
  }

  /** @returns undefined where a read ends in an exception */
  read(address: number): number | undefined {
    if (address === this.#chip.uartBase + 0x14) return this.#divider();
    const inRam = address % 4 === 0 ? this.#memory.view(address, 4) : undefined;
    if (inRam !== undefined) return new DataView(inRam.buffer, inRam.byteOffset, 4).getUint32(0, true);
    return this.#isRegister(address) ? (this.#values.get(address) ?? 0) : undefined;
  }

  /** @returns false where a write ends in an exception */
  write(address: number, value: number): boolean {
    const word = value >>> 0;
    if (address % 4 === 0 && this.#memory.holds(address, 4)) {
      return this.#memory.write(address, Uint8Array.of(word, word >>> 8, word >>> 16, word >>> 24));
    }
    if (!this.#isRegister(address) || inRange(address, ROM_RANGE)) return false;
    const unlocked = this.#watchdogUnlocked();
    this.#values.set(address, word);
    if (address === this.#chip.uartBase + 0x14) this.#hooks.setBaud(this.#baudOf(word));
    else if (address === this.#chip.spiBase) this.#runCommand(word);
    else if (address === this.#chip.watchdog?.config0 && unlocked) this.#startWatchdog(word);
    return true;
  }

  #isRegister(address: number): boolean {
    if (address % 4 !== 0) return false;
    return inRange(address, ROM_RANGE) || this.#chip.peripherals.some((range) => inRange(address, range));
  }

  #at(offset: number): number {
    return this.#values.get(this.#chip.spiBase + offset) ?? 0;
  }

  /** Integer part, and a fraction of 4 bits at bit 20 from the ESP32 on. */
  #divider(): number {
    const clock = this.#chip.crystalHz ?? 40e6;
    const sixteenths = Math.floor((clock * 16) / this.#hooks.baud());
    if (this.#chip.id === "esp8266") return Math.floor(sixteenths / 16);
    return (sixteenths >>> 4) | ((sixteenths & 15) << 20);
  }

  #baudOf(divider: number): number {
    const sixteenths = (divider & 0xfffff) * 16 + ((divider >>> 20) & 15);
    return ((this.#chip.crystalHz ?? 40e6) * 16) / Math.max(sixteenths, 16);
  }

  #watchdogUnlocked(): boolean {
    const { watchdog } = this.#chip;
    return watchdog !== undefined && this.#values.get(watchdog.protect) === watchdog.key;
  }

  /** Bit 31 is enable; the time is in ticks of the slow clock of about 136 kHz. */
  #startWatchdog(config0: number): void {
    const { watchdog } = this.#chip;
    if (watchdog === undefined || (config0 & 0x8000_0000) === 0) return;
    this.#hooks.watchdogReset((this.#values.get(watchdog.config1) ?? 0) / 136);
  }

  /** A command bit in the first register starts a transaction, and reads as 0 again when it is done: at once, here. */
  #runCommand(command: number): void {
    this.#values.set(this.#chip.spiBase, 0);
    const nowMs = this.#hooks.nowMs();
    if ((command & COMMAND_USER) !== 0) {
      this.#runUserCommand(nowMs);
      return;
    }
    const plain = builtIn.find(([bit]) => (command & (1 << bit)) !== 0);
    const address = this.#at(0x04) & 0xffffff;
    if (plain !== undefined) {
      const [, opcode] = plain;
      const answer = this.#nor.transact(opcode, address, this.#words(opcode === 0x01 ? 1 : 0), { inBytes: 4, nowMs });
      if (opcode === 0x9f) this.#setWord(0, word32(answer) & 0xffffff);
      if (opcode === 0x05) this.#values.set(this.#chip.spiBase + this.#chip.spi.readStatus, answer[0] ?? 0);
    } else if ((command & (1 << 25)) !== 0) {
      const length = Math.min(this.#at(0x04) >>> 24, 64);
      this.#nor.transact(0x02, address, this.#words(length), { inBytes: 0, nowMs });
    }
  }

  #runUserCommand(nowMs: number): void {
    const { spi } = this.#chip;
    const user = this.#at(spi.user);
    const user1 = this.#at(spi.user1);
    const opcode = this.#at(spi.user2) & 0xff;
    const outBits = spi.outLength === undefined ? (user1 >>> 17) & 0x1ff : this.#at(spi.outLength) & 0x1ff;
    const inBits = spi.inLength === undefined ? (user1 >>> 8) & 0x1ff : this.#at(spi.inLength) & 0x1ff;
    const raw = this.#at(0x04);
    const address = (user & USER_ADDRESS_PHASE) === 0 ? 0 : spi.addressIsLeftAligned ? raw >>> 8 : raw & 0xffffff;
    const outBytes = (user & (1 << 27)) === 0 ? 0 : (outBits + 1) >>> 3;
    const inBytes = (user & (1 << 28)) === 0 ? 0 : Math.min((inBits + 8) >>> 3, 64);
    const answer = this.#nor.transact(opcode, address, this.#words(outBytes), { inBytes, nowMs });
    for (let at = 0; at < inBytes; at += 4) {
      const left = Math.min(32, inBits + 1 - at * 8);
      this.#setWord(at / 4, left >= 32 ? word32(answer.subarray(at)) : word32(answer.subarray(at)) & ((1 << left) - 1));
    }
  }

  #setWord(index: number, value: number): void {
    this.#values.set(this.#chip.spiBase + this.#chip.spi.words + 4 * index, value >>> 0);
  }

  /** The first `length` bytes of the data words. */
  #words(length: number): Uint8Array {
    const out = new Uint8Array(length);
    for (let at = 0; at < length; at++) out[at] = this.#at(this.#chip.spi.words + (at & ~3)) >>> (8 * (at & 3));
    return out;
  }
}

function inRange(address: number, [start, end]: readonly [number, number]): boolean {
  return address >= start && address < end;
}

function word32(bytes: Uint8Array): number {
  return (((bytes[3] ?? 0) << 24) | ((bytes[2] ?? 0) << 16) | ((bytes[1] ?? 0) << 8) | (bytes[0] ?? 0)) >>> 0;
}
