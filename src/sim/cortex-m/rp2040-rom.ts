/**
 * A boot ROM of our own for the simulated RP2040: the entry points that flash tools use, at addresses found as in the real one
 * (RP2040 data sheet, 2.8.3). Each is a `udf`, on which the core calls us; what it has not finished is kept in the core's
 * registers, so that whoever halts the core in the middle finds it like a real one.
 */
import type { Cpu } from "./cpu.ts";
import type { Bus } from "./bus.ts";
import type { Rp2040Flash } from "./rp2040-flash.ts";
import type { SerialNor } from "./serial-nor.ts";
import { PAGE_BYTES, SECTOR_BYTES } from "../nor-flash.ts";

export const ROM_BYTES = 16 * 1024;
const STACK_TOP = 0x2004_1f00;
const FLASH_START = 0x1000_0000;
/** Behind the second-stage loader, which is not run here: it would only switch the window on. */
const VECTORS = FLASH_START + 0x100;
const RAM = { start: 0x2000_0000, end: 0x2004_2000 };

const LOOKUP = 7;
const BOOT = 8;
const calls = { IF: 1, EX: 2, RE: 3, RP: 4, FC: 5, CX: 6 } as const;
const functions: readonly (readonly [name: string, address: number])[] = [
  ...Object.entries(calls).map(([name, number]) => [name, 0x100 + number * 4] as const),
  ["DT", 0x140],
  ["DE", 0x142],
];
const TABLE = 0x180;
const HANG = 0x150;

/** Sector and block erases by their opcode. */
const blockBytes: Readonly<Record<number, number>> = { 0x20: 4096, 0x52: 32 * 1024, 0xd8: 64 * 1024 };
/** The ROM clocks the flash chip at an eighth of the system clock or so (model); a byte is 8 bits. */
const SPI_CYCLES_PER_BYTE = 8 * 6;
const PAGE_COMMAND_BYTES = PAGE_BYTES + 4;
/** From reset to the program's first instruction: checks of the flash chip's first 256 bytes (model). */
const BOOT_CYCLES = 32_500;

export function romImage(): Uint8Array {
  const rom = new Uint8Array(ROM_BYTES);
  const view = new DataView(rom.buffer);
  const half = (at: number, value: number) => view.setUint16(at, value, true);
  view.setUint32(0, STACK_TOP, true);
  view.setUint32(4, entryOf(BOOT) | 1, true);
  view.setUint32(8, HANG | 1, true);
  view.setUint32(12, HANG | 1, true);
  rom.set([0x4d, 0x75, 0x01, 0x03], 0x10); // M u 1, third release
  half(0x14, TABLE);
  half(0x16, TABLE + functions.length * 4);
  half(0x18, entryOf(LOOKUP) | 1);
  for (let number = 1; number <= BOOT; number++) {
    half(entryOf(number), 0xde00 | number); // udf
    half(entryOf(number) + 2, 0x4770); // bx lr
  }
  half(0x140, 0x47b8); // blx r7
  half(0x142, 0xbe00); // bkpt
  half(HANG, 0xe7fe); // b .
  for (const [index, [name, address]] of functions.entries()) {
    rom.set(new TextEncoder().encode(name), TABLE + index * 4);
    half(TABLE + index * 4 + 2, address | 1);
  }
  return rom;
}

function entryOf(number: number): number {
  return 0x100 + number * 4;
}

export class Rp2040Rom {
  readonly #bus: Bus;
  readonly #flash: Rp2040Flash;
  readonly #nor: SerialNor;
  readonly #cyclesUntil: (ms: number) => number;
  readonly #nowMs: () => number;
  #phase: "boot" | "runs" = "boot";
  #pageSent = false;

  constructor(parts: {
    readonly bus: Bus;
    readonly flash: Rp2040Flash;
    readonly nor: SerialNor;
    readonly nowMs: () => number;
    /** Cycles from now to a moment. */
    readonly cyclesUntil: (ms: number) => number;
  }) {
    this.#bus = parts.bus;
    this.#flash = parts.flash;
    this.#nor = parts.nor;
    this.#nowMs = parts.nowMs;
    this.#cyclesUntil = parts.cyclesUntil;
  }

  reset(): void {
    this.#phase = "boot";
    this.#pageSent = false;
  }

  /** One step of a call. @returns cycles to wait before the next; undefined when it is done */
  call(number: number, cpu: Cpu): number | undefined {
    if (number === calls.EX) this.#flash.closeWindow();
    else if (number === calls.FC) this.#flash.setOverride(0);
    else if (number === calls.CX) this.#flash.openWindow();
    else if (number === calls.RE) return this.#erase(cpu);
    else if (number === calls.RP) return this.#program(cpu);
    else if (number === LOOKUP) this.#lookUp(cpu);
    else if (number === BOOT) return this.#boot(cpu);
    return undefined;
  }

  /** r0 offset, r1 bytes, r2 bytes of a block, r3 its opcode. */
  #erase(cpu: Cpu): number | undefined {
    const wait = this.#wait();
    if (wait !== undefined) return wait;
    const [offset, left, block] = [cpu.readRegister("r0"), cpu.readRegister("r1"), cpu.readRegister("r2")];
    if (left === 0) return undefined;
    const usesBlock = block > SECTOR_BYTES && offset % block === 0 && left >= block;
    const size = usesBlock ? (blockBytes[cpu.readRegister("r3") & 0xff] ?? SECTOR_BYTES) : SECTOR_BYTES;
    if (!this.#nor.flash.startErase(offset, size, this.#nowMs())) return undefined;
    cpu.writeRegister("r0", offset + size);
    cpu.writeRegister("r1", Math.max(0, left - size));
    return this.#wait() ?? 1;
  }

  /** r0 offset, r1 address of the data, r2 bytes. */
  #program(cpu: Cpu): number | undefined {
    const wait = this.#wait();
    if (wait !== undefined) return wait;
    const [offset, from, left] = [cpu.readRegister("r0"), cpu.readRegister("r1"), cpu.readRegister("r2")];
    if (left === 0) return undefined;
    this.#pageSent = !this.#pageSent;
    if (this.#pageSent) return PAGE_COMMAND_BYTES * SPI_CYCLES_PER_BYTE;
    const data = Uint8Array.from({ length: PAGE_BYTES }, (_, at) => this.#bus.readUint8(from + at));
    if (!this.#nor.flash.startProgram(offset, data, "64 bytes or more", this.#nowMs())) return undefined;
    cpu.writeRegister("r0", offset + PAGE_BYTES);
    cpu.writeRegister("r1", from + PAGE_BYTES);
    cpu.writeRegister("r2", Math.max(0, left - PAGE_BYTES));
    return this.#wait() ?? 1;
  }

  #wait(): number | undefined {
    if (this.#flash.isWindowOpen) this.#nor.violates("a ROM call to change flash before EX");
    if (!this.#nor.flash.isBusy(this.#nowMs())) return undefined;
    return Math.max(1, this.#cyclesUntil(this.#nor.flash.readyAtMs()));
  }

  /** r0 table, r1 two letters. */
  #lookUp(cpu: Cpu): void {
    const code = cpu.readRegister("r1") & 0xffff;
    let at = cpu.readRegister("r0");
    for (; this.#bus.readUint16(at) !== 0; at += 4) {
      if (this.#bus.readUint16(at) !== code) continue;
      cpu.writeRegister("r0", this.#bus.readUint16(at + 2));
      return;
    }
    cpu.writeRegister("r0", 0);
  }

  #boot(cpu: Cpu): number | undefined {
    if (this.#phase === "boot") {
      this.#phase = "runs";
      return BOOT_CYCLES;
    }
    this.#flash.openWindow();
    const [stack, entry] = [this.#bus.readUint32(VECTORS), this.#bus.readUint32(VECTORS + 4)];
    const end = FLASH_START + this.#nor.flash.bytes.length;
    const hasStack = stack > RAM.start && stack <= RAM.end && stack % 4 === 0;
    const hasEntry =
      (entry & 1) === 1 && ((entry > FLASH_START && entry < end) || (entry > RAM.start && entry < RAM.end));
    if (hasStack && hasEntry) {
      cpu.vectorTable = VECTORS;
      cpu.writeRegister("sp", stack);
      cpu.writeRegister("pc", entry);
    } else cpu.writeRegister("pc", HANG); // waits for its USB port, as a blank board does
    return undefined;
  }
}
