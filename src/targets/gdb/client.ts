/** A GDB server that was recognised, and what can be asked of it: memory, registers, commands. Knows no chip and no loader. */
import { hex } from "../../core/bytes.ts";
import type { Address, Range } from "../../core/image.ts";
import { ask, askOk, askText, monitor, nonsense, readObject, ServerRefusal, UnknownRequest } from "./ask.ts";
import type { Features } from "./detect.ts";
import { readRanges, writeBlocks, type Block, type MemoryTraits } from "./memory.ts";
import { parseMemoryMap, type MemoryMap } from "./memory-map.ts";
import {
  readAllRegisters,
  readRegisterByNumber,
  writeRegisterAsk,
  writeRegisters,
  type RegisterName,
  type RegisterSet,
} from "./registers.ts";
import type { ServerTraits } from "./servers.ts";
import type { GdbContext, GdbCounters, GdbWire } from "./wire.ts";

export interface ServerFacts {
  readonly traits: ServerTraits;
  readonly features: Features;
  readonly memory: MemoryTraits;
  readonly registers: RegisterSet;
}

/** Longest wait for the goodbye's answer. */
const goodbyeMs = 100;
/** Instruction bytes under a breakpoint in Thumb code. */
const thumbBytes = 2;

/** One caller at a time. Closing the transport is its owner's business. */
export class GdbClient {
  readonly wire: GdbWire;
  readonly traits: ServerTraits;
  readonly features: Features;
  readonly memory: MemoryTraits;
  readonly registers: RegisterSet;
  #map: MemoryMap | undefined;

  constructor(wire: GdbWire, facts: ServerFacts) {
    this.wire = wire;
    this.traits = facts.traits;
    this.features = facts.features;
    this.memory = facts.memory;
    this.registers = facts.registers;
  }

  /** The server as messages call it. */
  get name(): string {
    return `${this.traits.title} on ${this.wire.transport.name}`;
  }

  get counters(): Readonly<GdbCounters> {
    return this.wire.counters;
  }

  /** The connection outlives a job: each job brings its own clock, cancel signal and log. */
  useContext(context: GdbContext): void {
    this.wire.context = context;
  }

  /** For what sets the target right after a cancel: `work` is deaf to it. */
  evenIfCancelled<T>(work: () => Promise<T>): Promise<T> {
    return this.wire.evenIfCancelled(work);
  }

  /** A command to the server, as `monitor` in GDB; gives its text. @throws ServerRefusal, UnknownRequest */
  monitor(command: string, timeoutMs?: number): Promise<string> {
    return monitor(this.wire, command, timeoutMs);
  }

  /** In order of the blocks and, inside of them, of the addresses. @throws ServerRefusal naming the address that failed */
  async write(blocks: readonly Block[]): Promise<void> {
    await writeBlocks(this.wire, this.memory, blocks);
  }

  /** One array for each range. @throws ServerRefusal naming the address that failed */
  read(ranges: readonly Range[]): Promise<readonly Uint8Array[]> {
    return readRanges(this.wire, this.memory, ranges);
  }

  /** Little-endian words. */
  async readWords(address: Address, count: number): Promise<Uint32Array> {
    const [bytes = new Uint8Array()] = await this.read([{ address, size: 4 * count }]);
    const words = new Uint32Array(count);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < count; at++) words[at] = view.getUint32(4 * at, true);
    return words;
  }

  async writeWords(address: Address, words: readonly number[]): Promise<void> {
    const data = new Uint8Array(4 * words.length);
    const view = new DataView(data.buffer);
    words.forEach((word, index) => view.setUint32(4 * index, word >>> 0, true));
    await this.write([{ address, data }]);
  }

  /** Of a halted core. */
  async writeRegisters(values: Readonly<Partial<Record<RegisterName, number>>>): Promise<void> {
    const entries = Object.entries(values) as [RegisterName, number][];
    await writeRegisters(
      this.wire,
      entries.map(([name, value]) => writeRegisterAsk(this.registers, name, value)),
    );
  }

  /** Of a halted core; those that the server cannot tell are left out. */
  async readRegisters(names: readonly RegisterName[]): Promise<ReadonlyMap<RegisterName, number>> {
    const values = new Map<RegisterName, number>();
    const all = this.traits.readsRegisters === "all" ? await readAllRegisters(this.wire, this.registers) : undefined;
    for (const name of names) {
      const value = all === undefined ? await this.#readRegister(name) : all.get(name);
      if (value !== undefined) values.set(name, value);
    }
    return values;
  }

  async #readRegister(name: RegisterName): Promise<number | undefined> {
    return unlessRefused(() => readRegisterByNumber(this.wire, this.registers, name));
  }

  /** The server's map, asked for once; undefined when it has none. @throws FlashError `protocol` when it makes no sense */
  async memoryMap(): Promise<MemoryMap | undefined> {
    if (this.features.get("qXfer:memory-map:read") !== "+") return undefined;
    this.#map ??= parseMemoryMap(await readObject(this.wire, "memory-map:read:", this.#sliceBytes));
    return this.#map;
  }

  get #sliceBytes(): number {
    return Math.min(this.traits.xmlSliceBytes, this.memory.packetBytes);
  }

  /** @returns false when the server would not */
  async setBreakpoint(address: Address): Promise<boolean> {
    return (await unlessRefused(() => this.#breakpoint("Z0", address))) !== undefined;
  }

  async clearBreakpoint(address: Address): Promise<void> {
    await unlessRefused(() => this.#breakpoint("z0", address));
  }

  async #breakpoint(letters: "Z0" | "z0", address: Address): Promise<true> {
    await askOk(
      this.wire,
      ask(`${letters},${address.toString(16)},${thumbBytes}`, { name: `${letters} ${hex(address)}` }),
    );
    return true;
  }

  /**
   * The server's own checksum of target memory (see `gdbCrc32`), which it lets the core work out.
   * @throws UnknownRequest, ServerRefusal
   */
  async crc({ address, size }: Range): Promise<number> {
    const asked = ask(`qCRC:${address.toString(16)},${size.toString(16)}`, { timeoutMs: 5_000 + size / 20 });
    const text = await askText(this.wire, asked);
    if (!/^C[0-9a-f]{1,8}$/i.test(text)) throw nonsense(this.wire, asked, text);
    return Number.parseInt(text.slice(1), 16);
  }

  /** Says goodbye, after which most servers let the core run. Never waits longer than 100 ms, and never fails. */
  async disconnect(): Promise<void> {
    if (this.wire.isRunning) return; // a server that hears a byte now would stop the core
    await this.wire.farewell("D", goodbyeMs);
  }
}

async function unlessRefused<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UnknownRequest || error instanceof ServerRefusal) return undefined;
    throw error;
  }
}
