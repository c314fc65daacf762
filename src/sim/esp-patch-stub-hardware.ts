/** What the stub's core asks of a chip, answered by the simulated one; see `stubs/core/hw.h`. Counts the time that it takes. */
import type { FifoReceiver } from "./esp-fifo.ts";
import type { Ending, Machine } from "./esp-machine.ts";
import type { PatchStubUpload } from "./esp-patch-stub-uploads.ts";

const TRANSMIT_FIFO_BYTES = 128;
const BITS_PER_BYTE = 10;
const UART_DIVIDER = 0x14;
/**
 * A command that reads 64 bytes: 2.5 MB/s over one data line (model, as for the official stub's 16). At that clock of 20 MHz two data
 * lines take 256 clocks less for the data and 8 more for the dummy cycles.
 */
const READ_MS = { single: 0.0256, dual: 0.0132 } as const;
const READ_BYTES = 64;
/** A command without data: eight bits on the bus and the registers around it (model). */
const COMMAND_MS = 0.002;
const READ_DATA = 0x03;
/** `enum hw_part`; the other one inflates. */
const PART_WRITE = 1;
/**
 * Microseconds per byte of the processor, in the order of `enum hw_work`: frames that come in, COMMIT's CRC, copying, comparing, inflating,
 * digests (frames that go out have one, too), coding of frames that go out. Counted in instructions of the RISC-V code, one a cycle at
 * 40 MHz; inflating is a model.
 */
const WORK_US_PER_BYTE = [1.45, 0.15, 0.065, 0.1, 0.8, 0.37, 0.85];

export class PatchStubHardware {
  memory: WebAssembly.Memory | undefined;
  readonly #machine: Machine;
  readonly #receiver: FifoReceiver;
  readonly #upload: PatchStubUpload;
  #workMs = 0;
  /** The read that travels: where from, and when it is there. */
  #reading = { address: 0, untilMs: 0 };
  #readsDual = false;
  #ending: Ending | "crash" | undefined;

  constructor(machine: Machine, receiver: FifoReceiver, upload: PatchStubUpload) {
    this.#machine = machine;
    this.#receiver = receiver;
    this.#upload = upload;
  }

  /** How the program ended in the step before, if it did. */
  ending(): Ending | "crash" | undefined {
    return this.#ending;
  }

  /** The time that the last step took, milliseconds. */
  takeWorkMs(): number {
    const workMs = this.#workMs;
    this.#workMs = 0;
    return workMs;
  }

  /** When `hw_micros` will be `micros`; the nearest such moment. */
  momentOf(micros: number): number {
    return this.#nowMs + ((micros - this.#micros()) | 0) / 1000;
  }

  imports(): Record<string, (...values: number[]) => number | undefined> {
    return { ...this.#wire(), ...this.#flash(), ...this.#chip() };
  }

  get #nowMs(): number {
    return this.#machine.nowMs() + this.#workMs;
  }

  #micros(): number {
    return Math.floor(this.#nowMs * 1000) >>> 0;
  }

  /** Time of the processor; its settings may speed it up. */
  #work(ms: number): void {
    this.#workMs += ms * this.#machine.settings.cpuTimeFactor;
  }

  #bytes(at = 0, count = 0): Uint8Array {
    return new Uint8Array(this.memory?.buffer ?? new ArrayBuffer(0), at >>> 0, count >>> 0);
  }

  #wire(): Record<string, (...values: number[]) => number | undefined> {
    const machine = this.#machine;
    const divider = machine.chip.uartBase + UART_DIVIDER;
    return {
      hw_receive: (to, most) => this.#receiver.drain(this.#bytes(to, most)),
      hw_transmit: (from, count = 0) => {
        const taken = Math.min(count, this.#transmitRoom());
        if (taken > 0) machine.send(this.#bytes(from, taken).slice());
        return taken;
      },
      hw_transmitter_idle: () => Number(machine.transmitterIdleMs() <= this.#nowMs),
      hw_divider: () => (machine.settings.link === "uart" ? (machine.registers.read(divider) ?? 0) : 0) | 0,
      hw_set_divider: (value = 0) => void machine.registers.write(divider, value),
      hw_micros: () => this.#micros() | 0,
    };
  }

  #transmitRoom(): number {
    const machine = this.#machine;
    if (machine.settings.link === "usb") return TRANSMIT_FIFO_BYTES;
    const byteMs = (BITS_PER_BYTE * 1000) / machine.baud;
    const waiting = Math.max(0, Math.ceil((machine.transmitterIdleMs() - this.#nowMs) / byteMs));
    return Math.max(0, TRANSMIT_FIFO_BYTES - waiting);
  }

  #flash(): Record<string, (...values: number[]) => number | undefined> {
    const machine = this.#machine;
    const { nor } = machine;
    const send = (opcode: number, address = 0, out = new Uint8Array(0), inBytes = 0) => {
      this.#work(COMMAND_MS);
      return this.#machine.nor.transact(opcode, address >>> 0, out, { inBytes, nowMs: this.#nowMs });
    };
    const nothing = new Uint8Array(0);
    return {
      hw_flash_id: () => {
        const [a = 0, b = 0, c = 0] = send(0x9f, 0, nothing, 3);
        return a | (b << 8) | (c << 16);
      },
      hw_flash_status: () => send(0x05, 0, nothing, 1)[0] ?? 0,
      hw_flash_write_enable: () => void send(0x06),
      hw_flash_unprotect: () => {
        const [status = 0] = send(0x05, 0, nothing, 1);
        send(0x06);
        send(0x01, 0, Uint8Array.of(status & 0x83));
        return undefined;
      },
      hw_flash_read_begin: (address = 0) => {
        const takesMs = this.#readsDual ? READ_MS.dual : READ_MS.single;
        this.#reading = { address: address >>> 0, untilMs: this.#nowMs + takesMs };
        return undefined;
      },
      hw_flash_read_end: (to) => {
        const { address, untilMs } = this.#reading;
        this.#workMs = Math.max(this.#workMs, untilMs - machine.nowMs());
        this.#bytes(to, READ_BYTES).set(
          nor.transact(READ_DATA, address, nothing, { inBytes: READ_BYTES, nowMs: this.#nowMs }),
        );
        return undefined;
      },
      hw_flash_read_dual: (on) => {
        this.#readsDual = on !== 0;
        return undefined;
      },
      hw_flash_erase_sector: (address) => void send(0x20, address),
      hw_flash_erase_block: (address) => void send(0xd8, address),
      hw_flash_program: (address, from, count) => void send(0x02, address, this.#bytes(from, count).slice()),
    };
  }

  #chip(): Record<string, (...values: number[]) => number | undefined> {
    const { memory, registers, chip } = this.#machine;
    const own = this.#upload.segments;
    return {
      hw_ram_writable: (address = 0, count = 0) => {
        const from = address >>> 0;
        const isOwn = own.some((part) => from < part.address + part.data.length && from + count > part.address);
        return Number(memory.holds(from, count) && !isOwn);
      },
      hw_ram_write: (address = 0, from, count) => void memory.write(address >>> 0, this.#bytes(from, count)),
      hw_register: (address = 0, value = 0, mask = 0) => {
        const old = registers.read(address >>> 0);
        if (old === undefined) return this.#crash();
        if (mask === 0) return old | 0;
        if (!registers.write(address >>> 0, (old & ~mask) | (value & mask))) return this.#crash();
        return (registers.read(address >>> 0) ?? 0) | 0;
      },
      // There is no processor that could run other code than the core.
      hw_call: () => this.#crash(),
      hw_run: (address = 0) => {
        this.#ending = { kind: "jump", entry: address >>> 0 };
        return undefined;
      },
      hw_part_loaded: (part) => this.#isLoaded(part === PART_WRITE ? this.#upload.write : this.#upload.inflate),
      hw_chip: () => (chip.id === "esp8266" ? 0xff : (chip.imageChipId ?? 0)),
      hw_work: (kind = 0, bytes = 0) => {
        this.#work(((WORK_US_PER_BYTE[kind] ?? 0) * bytes) / 1000);
        return undefined;
      },
    };
  }

  #isLoaded(pieces: PatchStubUpload["write"]): number {
    const { memory } = this.#machine;
    const isThere = ({ address, data }: PatchStubUpload["write"][number]) =>
      holds(memory.view(address, data.length), data);
    return Number(pieces.length > 0 && pieces.every(isThere));
  }

  #crash(): number {
    this.#ending = "crash";
    return 0;
  }
}

function holds(found: Uint8Array | undefined, data: Uint8Array): boolean {
  return found !== undefined && Buffer.compare(found, data) === 0;
}
