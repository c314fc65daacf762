/**
 * The stub's core on a bench: its wasm build, a flash of bytes that only obeys what a NOR flash would, and a clock that runs as the
 * stub works. Speaks frames, and has no opinion on the protocol.
 */
import { readFileSync } from "node:fs";
import { decodeFrame, encodeFrame, textOf, u32, type Frame } from "./frames.ts";

const module = new WebAssembly.Module(readFileSync(new URL("../../../stubs/blobs/core.wasm", import.meta.url)));

interface StubExports {
  readonly memory: WebAssembly.Memory;
  readonly stub_start: () => void;
  readonly stub_step: () => number;
  readonly stub_deadline: () => number;
}

const sectorBytes = 0x1000;
const blockBytes = 0x10000;

const flashTimes = { sectorUs: 45_000, blockUs: 150_000, programUs: 125, readUs: 25.6, readDualUs: 13.2 };

/**
 * Of a byte at 40 MHz and one cycle for each instruction, in the order of `enum hw_work`: frames that come, CRC, copying, comparing,
 * inflating, digests, coding of frames that go; and of a step of nothing. CRC and copying are counted in the RISC-V code of COMMIT and COPY: 6 and 2.5 instructions a byte.
 */
const workUs = [1.45, 0.15, 0.065, 0.1, 0.8, 0.37, 0.85];
const stepUs = 5;

export class StubBoard {
  readonly flash: Uint8Array;
  /** What the flash was told and other things worth seeing, in order. */
  readonly log: string[] = [];
  us = 0;
  divider = 100;
  /** Of the host; bytes at another rate arrive as rubbish. */
  hostDivider = 100;
  /** Status bits beside busy and write enabled. */
  protection = 0;
  stuckBusy = false;
  refusesWrites = false;
  /** Bits: inflate, write. */
  loaded = 3;
  /** Addresses whose bit 0 never programs. */
  readonly weak = new Set<number>();
  readonly toStub: number[] = [];
  readonly fromStub: number[] = [];
  readonly ram = new Uint8Array(0x1000);
  readonly #stub: StubExports;
  /** The second data line gives rubbish. */
  brokenDual = false;
  #dual = false;
  #coming: { readonly address: number; readonly readyUs: number } | undefined;
  #busyUntilUs = 0;
  #writeEnabled = false;
  #partial: number[] = [];
  #streamSeq = 0;

  constructor(flashBytes = 0x40000) {
    this.flash = new Uint8Array(flashBytes).fill(0xff);
    this.#stub = new WebAssembly.Instance(module, { hw: this.#hardware() }).exports as unknown as StubExports;
    this.#stub.stub_start();
  }

  get #memory(): Uint8Array {
    return new Uint8Array(this.#stub.memory.buffer);
  }

  get busy(): boolean {
    return this.stuckBusy || this.us < this.#busyUntilUs;
  }

  #hardware(): WebAssembly.ModuleImports {
    return {
      hw_receive: (to: number, most: number) => {
        const bytes = this.toStub.splice(0, most);
        this.#memory.set(this.divider === this.hostDivider ? bytes : bytes.map((byte) => byte ^ 0x55), to);
        return bytes.length;
      },
      hw_transmit: (from: number, count: number) => {
        const taken = Math.min(count, 64);
        for (const byte of this.#memory.subarray(from, from + taken))
          this.fromStub.push(this.divider === this.hostDivider ? byte : byte ^ 0x55);
        this.us += taken * 11;
        return taken;
      },
      hw_transmitter_idle: () => 1,
      hw_divider: () => this.divider,
      hw_set_divider: (divider: number) => {
        this.log.push(`divider ${divider}`);
        this.divider = divider;
      },
      hw_micros: () => Math.floor(this.us) | 0,
      hw_flash_id: () => 0x1640ef,
      hw_flash_status: () => {
        this.#mustBeQuiet();
        this.us += 2;
        return (this.busy ? 1 : 0) | (this.#writeEnabled ? 2 : 0) | this.protection;
      },
      hw_flash_write_enable: () => {
        this.#mustBeQuiet();
        this.us += 2;
        this.#writeEnabled = !this.refusesWrites && !this.busy;
      },
      hw_flash_unprotect: () => {
        this.log.push("unprotect");
        this.protection &= 0x40;
      },
      hw_flash_read_begin: (address: number) => {
        this.#mustFit(address, 64, 64);
        this.#mustBeQuiet();
        if (this.busy || address % 64 !== 0) throw new Error("read while busy or from within a piece");
        this.#coming = { address, readyUs: this.us + (this.#dual ? flashTimes.readDualUs : flashTimes.readUs) };
      },
      hw_flash_read_end: (to: number) => {
        if (this.#coming === undefined || to % 4 !== 0) throw new Error("the end of no read");
        const { address, readyUs } = this.#coming;
        this.us = Math.max(this.us, readyUs);
        this.#memory.set(this.flash.subarray(address, address + 64), to);
        if (this.#dual && this.brokenDual) this.#memory.fill(0x5a, to + 9, to + 10);
        this.#coming = undefined;
      },
      hw_flash_read_dual: (on: number) => {
        this.#mustBeQuiet();
        this.#dual = on !== 0;
      },
      hw_flash_erase_sector: (address: number) => this.#erase(address, sectorBytes, flashTimes.sectorUs),
      hw_flash_erase_block: (address: number) => this.#erase(address, blockBytes, flashTimes.blockUs),
      hw_flash_program: (address: number, from: number, count: number) => {
        this.#mustFit(address, count, 64);
        this.#begin(flashTimes.programUs);
        for (let at = 0; at < count; at++) {
          const old = this.flash[address + at] ?? 0;
          const wanted = this.#memory[from + at] ?? 0;
          if ((wanted & ~old) !== 0) throw new Error(`0 to 1 at ${(address + at).toString(16)}`);
          this.flash[address + at] = wanted | (this.weak.has(address + at) ? old & 1 : 0);
        }
        this.log.push(`program ${address.toString(16)}`);
      },
      hw_ram_writable: (address: number, count: number) => (address + count <= this.ram.length ? 1 : 0),
      hw_ram_write: (address: number, from: number, count: number) =>
        this.ram.set(this.#memory.subarray(from, from + count), address),
      hw_register: (_address: number, value: number, mask: number) => (0x12345678 & ~mask) | (value & mask),
      hw_call: (address: number, from: number) =>
        [0, 1, 2, 3].reduce(
          (sum, at) => sum + new DataView(this.#stub.memory.buffer).getUint32(from + 4 * at, true),
          address,
        ),
      hw_run: (address: number) => this.log.push(`run ${address.toString(16)}`),
      hw_part_loaded: (part: number) => (this.loaded & (part === 1 ? 2 : 1)) >> (part === 1 ? 1 : 0),
      hw_chip: () => 5,
      hw_work: (kind: number, count: number) => {
        if (count > 1100) throw new Error(`${count} bytes of work in one piece`);
        this.us += count * (workUs[kind] ?? 0);
      },
    };
  }

  #mustBeQuiet(): void {
    if (this.#coming !== undefined) throw new Error("the flash is asked for something while a read is under way");
  }

  #mustFit(address: number, count: number, most: number): void {
    if (address % 4 !== 0 || count % 4 !== 0 || count > most || address + count > this.flash.length || address < 0)
      throw new Error(`${count} bytes at ${address.toString(16)}`);
  }

  #begin(us: number): void {
    this.#mustBeQuiet();
    this.us += 2;
    if (!this.#writeEnabled || this.busy) throw new Error("written while busy or without write enable");
    this.#writeEnabled = false;
    this.#busyUntilUs = this.us + us;
  }

  #erase(address: number, size: number, us: number): void {
    if (address % size !== 0 || address + size > this.flash.length) throw new Error(`erase ${address.toString(16)}`);
    this.#begin(us);
    this.flash.fill(0xff, address, address + size);
    this.log.push(`erase ${size === sectorBytes ? "sector" : "block"} ${address.toString(16)}`);
  }

  /** One step; then the clock runs to where the stub wants to go on, but not beyond `untilUs`. */
  step(untilUs = Infinity): number {
    const wait = this.#stub.stub_step();
    this.us += stepUs;
    if (wait === 0) return wait;
    const dueUs = this.us + ((this.#stub.stub_deadline() - this.us) | 0);
    const readyUs = wait === 2 && this.busy && !this.stuckBusy ? this.#busyUntilUs : Infinity;
    if (this.toStub.length === 0) this.us = Math.max(this.us, Math.min(dueUs, readyUs, untilUs));
    return wait;
  }

  /** Runs for so long. */
  runFor(ms: number): void {
    const untilUs = this.us + ms * 1000;
    while (this.us < untilUs) this.step(untilUs);
  }

  /** Frames that have come from the stub until it waits for the host, for 5 ms and with an idle flash. */
  settle(): Frame[] {
    for (let quietUs = this.us, heard = 0; this.us - quietUs < 5_000; heard = this.fromStub.length)
      if (this.step(quietUs + 5_000) !== 1 || this.toStub.length > 0 || this.fromStub.length > heard) quietUs = this.us;
    return this.frames();
  }

  /** Frames that have come so far. @throws Error about a damaged one */
  frames(): Frame[] {
    const frames: Frame[] = [];
    for (const byte of this.fromStub.splice(0)) {
      if (byte !== 0) this.#partial.push(byte);
      else frames.push(decodeFrame(this.#partial.splice(0)));
    }
    return frames;
  }

  send(...frames: readonly Frame[]): void {
    for (const frame of frames) this.toStub.push(...encodeFrame(frame));
  }

  control(op: number, args: readonly number[] = [], seq = 7): void {
    this.send({ type: 2, seq, payload: Uint8Array.of(op, ...args) });
  }

  /** HELLO until its answer. */
  hello(flashBytes = this.flash.length): Frame {
    this.#streamSeq = 0;
    this.control(1, [...u32(0xc0ffee), ...u32(flashBytes)]);
    const answer = this.settle().find(({ type, payload }) => type === 0x84 && payload[0] === 1 && payload[2] === 0xee);
    if (answer === undefined) throw new Error("no answer to HELLO");
    return answer;
  }

  /** Sends operations in frames of at most 1024 bytes. */
  stream(bytes: Iterable<number>, frameBytes = 1024): void {
    const all = Uint8Array.from(bytes);
    for (let at = 0; at < all.length; at += frameBytes)
      this.send({ type: 1, seq: this.#streamSeq++ & 0xff, payload: all.subarray(at, at + frameBytes) });
  }

  /** Carries out operations as text: replies and the last ACK. */
  perform(...operations: readonly (readonly number[])[]): string {
    this.stream(operations.flat());
    const frames = this.settle();
    const acks = frames.filter(({ type }) => type === 0x81 || type === 0x82);
    return [...frames.filter(({ type }) => type === 0x83), ...acks.slice(-1)].map(textOf).join("\n");
  }
}
