/**
 * A Cortex-M0 that executes a loader's machine code, with memories and registers that a test gives it. Whatever the code must not do is
 * an error: an unaligned access, an address where nothing is, an instruction that the core does not have.
 */
import { CortexM0Core } from "../../../node_modules/rp2040js/dist/esm/cortex-m0-core.js";
import { encodeMailbox, type LoaderJob } from "../../../src/targets/gdb/loader-abi.ts";
import { viewOf } from "../../../src/core/struct.ts";
import { readFileSync } from "node:fs";

export interface Blob {
  readonly code: string;
  readonly codeBytes: number;
  readonly coreBytes: number;
  readonly stateBytes: number;
  readonly programUnit: number;
  readonly driverId: number;
  readonly build: number;
  readonly sourceHash: string;
}

export function readBlob(driver: string): Blob {
  return JSON.parse(readFileSync(`stubs/blobs/cortex-m-${driver}.json`, "utf8")) as Blob;
}

/** Something at addresses from `start` on; offsets are bytes from there. Without `store`, stores are errors. */
export interface Memory {
  readonly start: number;
  readonly size: number;
  load(offset: number, width: 1 | 2 | 4): number;
  store?(offset: number, value: number, width: 1 | 2 | 4): void;
}

export function ram(start: number, size: number): Memory & { readonly bytes: Uint8Array } {
  const bytes = new Uint8Array(size).fill(0xa5);
  const view = viewOf(bytes);
  return {
    start,
    size,
    bytes,
    load: (at, width) => loadFrom(view, at, width),
    store: (at, value, width) => {
      if (width === 4) view.setUint32(at, value, true);
      else if (width === 2) view.setUint16(at, value, true);
      else view.setUint8(at, value);
    },
  };
}

export function loadFrom(view: DataView, at: number, width: 1 | 2 | 4): number {
  return width === 4 ? view.getUint32(at, true) : width === 2 ? view.getUint16(at, true) : view.getUint8(at);
}

/** Registers of 32 bits. */
export function registers(
  start: number,
  size: number,
  on: { load(offset: number): number; store(offset: number, value: number): void },
): Memory {
  const check = (width: number) => {
    if (width !== 4) throw new Error(`a register access of ${width} bytes`);
  };
  return {
    start,
    size,
    load: (at, width) => {
      check(width);
      return on.load(at);
    },
    store: (at, value, width) => {
      check(width);
      on.store(at, value);
    },
  };
}

type Chip = ConstructorParameters<typeof CortexM0Core>[0];

export class Machine {
  readonly core: CortexM0Core;
  readonly #memories: readonly Memory[];
  #last: Memory;
  #stopped = false;
  /** By address: what is done instead of the code there, which then returns. */
  readonly traps = new Map<number, () => void>();
  /** Called every now and then while the core runs. */
  onSlice: () => void = () => undefined;
  instructions = 0;
  cycles = 0;
  /** The lowest the stack came. */
  lowestSp = 0;

  constructor(memories: readonly Memory[]) {
    const [first] = memories;
    if (first === undefined) throw new Error("no memory");
    this.#memories = memories;
    this.#last = first;
    const fail = (_: string, text: string) => {
      throw new Error(text);
    };
    const chip = {
      readUint32: (address: number) => this.load(address, 4),
      readUint16: (address: number) => this.load(address, 2),
      readUint8: (address: number) => this.load(address, 1),
      writeUint32: (address: number, value: number) => this.store(address, value, 4),
      writeUint16: (address: number, value: number) => this.store(address, value, 2),
      writeUint8: (address: number, value: number) => this.store(address, value, 1),
      onBreak: () => (this.#stopped = true),
      logger: { debug: () => undefined, info: () => undefined, warn: fail, error: fail },
    };
    this.core = new CortexM0Core(chip as unknown as Chip);
  }

  load(address: number, width: 1 | 2 | 4): number {
    return this.#at(address, width).load((address >>> 0) - this.#last.start, width);
  }

  store(address: number, value: number, width: 1 | 2 | 4): void {
    const memory = this.#at(address, width);
    if (memory.store === undefined) throw new Error(`a store to ${(address >>> 0).toString(16)}`);
    memory.store((address >>> 0) - memory.start, value >>> 0, width);
  }

  /** Runs from `pc` to a `bkpt`. @returns its address @throws Error when that takes more than `most` instructions */
  run(start: { pc: number; r0: number; sp: number }, most = 40_000_000): number {
    const { core } = this;
    const { registers: all } = core;
    all[0] = start.r0;
    all[13] = start.sp;
    all[14] = 0xffffffff;
    all[15] = start.pc;
    this.#stopped = false;
    this.instructions = 0;
    this.cycles = 0;
    this.lowestSp = start.sp;
    while (!this.#isStopped()) {
      const pc = core.PC & ~1;
      const trap = this.traps.get(pc);
      if (trap !== undefined) {
        trap();
        core.PC = core.LR & ~1;
        continue;
      }
      this.cycles += core.executeInstruction();
      if (core.SP < this.lowestSp) this.lowestSp = core.SP;
      if ((++this.instructions & 0xfff) === 0) this.onSlice();
      if (this.instructions > most) throw new Error(`still running at ${pc.toString(16)}`);
    }
    return (core.PC & ~1) - core.breakRewind;
  }

  #isStopped(): boolean {
    return this.#stopped;
  }

  #at(address: number, width: number): Memory {
    const at = address >>> 0;
    if (at % width !== 0) throw new Error(`an access of ${width} bytes at ${at.toString(16)}`);
    const isIn = (memory: Memory) => at >= memory.start && at < memory.start + memory.size;
    if (!isIn(this.#last)) {
      const memory = this.#memories.find(isIn);
      if (memory === undefined) throw new Error(`nothing at ${at.toString(16)}, pc ${this.core.PC.toString(16)}`);
      this.#last = memory;
    }
    return this.#last;
  }
}

/** Where `Rig` puts things, bytes from the beginning of its RAM. */
export const layout = { mailbox: 0x1400, stackTop: 0x1800, work: 0x2000, save: 0xa000, buffer: 0xc000 } as const;
export const saveBytes = layout.buffer - layout.save;

/** A chip with a loader in its RAM. */
export class Rig {
  readonly machine: Machine;
  readonly blob: Blob;
  readonly ram: Memory & { readonly bytes: Uint8Array };

  /** @param base where the code goes, a multiple of 8 */
  constructor(driver: string, memories: readonly Memory[], base = 0x20000000) {
    this.blob = readBlob(driver);
    this.ram = ram(base, 0x40000);
    this.machine = new Machine([this.ram, ...memories]);
    this.ram.bytes.set(Buffer.from(this.blob.code, "base64"), 0);
  }

  get bufferAddress(): number {
    return this.ram.start + layout.buffer;
  }

  /** The rest of the RAM. */
  get bufferBytes(): number {
    return this.ram.size - layout.buffer;
  }

  get mailbox(): Uint8Array {
    return this.ram.bytes.subarray(layout.mailbox);
  }

  get mailboxWords(): Uint32Array {
    const view = viewOf(this.mailbox);
    return Uint32Array.from({ length: 24 }, (_, word) => view.getUint32(4 * word, true));
  }

  put(job: Omit<LoaderJob, "buffer"> & { readonly bufferBytes?: number }, buffer: Uint8Array): void {
    const { start } = this.ram;
    const range = { address: this.bufferAddress, size: job.bufferBytes ?? this.bufferBytes };
    const work = { address: start + layout.work, size: layout.save - layout.work };
    this.ram.bytes.set(encodeMailbox({ work, saveBytes, ...job, buffer: range }), layout.mailbox);
    this.ram.bytes.set(buffer, layout.buffer);
  }

  /** @throws Error unless it ends where it should */
  go(most?: number): void {
    const { start } = this.ram;
    const end = this.machine.run({ pc: start, r0: start + layout.mailbox, sp: start + layout.stackTop }, most);
    if (end !== start + 4) throw new Error(`stopped at ${end.toString(16)}`);
  }
}
