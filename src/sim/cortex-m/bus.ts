/**
 * The address space of a simulated Cortex-M: memories that are plain bytes, and peripherals behind 1 KiB slots. Knows no chip
 * and no time. An access that nobody answers, or that is not aligned, is noted: see `takeFault`.
 */

/** Registers of one kind. Offsets are multiples of 4; narrower accesses are cut out of, or merged into, the word. */
export interface Peripheral {
  read(offset: number): number;
  /** @param bytes how wide the store was: 1, 2 or 4; `value` stands in its lane and the other lanes are 0 */
  write(offset: number, value: number, bytes: number): void;
}

/** Bytes that may be written only by their owner: a flash window. */
export interface Window {
  readonly bytes: Uint8Array;
  /** Asked before each read; may make the core wait. @returns false if all there reads as 0 now */
  mayRead(): boolean;
  /** A store into the window, at a byte offset. */
  store(offset: number, value: number, width: 1 | 2 | 4): void;
}

export interface Memory {
  readonly start: number;
  readonly bytes: Uint8Array;
}

interface WindowAt {
  readonly start: number;
  readonly size: number;
  readonly window: Window;
  readonly view: DataView;
}

const SLOT_SHIFT = 10;

export class Bus {
  /** Counts stores into RAM that changed something: a loop during which it stands still only waits. */
  ramChanges = 0;
  readonly #ramStart: number;
  readonly #ram: Uint8Array;
  readonly #ram16: Uint16Array;
  readonly #ram32: Uint32Array;
  readonly #windows: WindowAt[] = [];
  /** The window that was added first: code runs there. */
  #code: WindowAt | undefined;
  #hasFailed = false;
  readonly #more: { readonly start: number; readonly bytes: Uint8Array; readonly view: DataView }[] = [];
  readonly #slots = new Map<number, { readonly peripheral: Peripheral; readonly start: number }>();
  readonly #wide: { readonly start: number; readonly end: number; readonly peripheral: Peripheral }[] = [];

  /** @param ram the main RAM, the fastest to reach; its size is a multiple of 4 */
  constructor(ram: Memory) {
    this.#ramStart = ram.start;
    this.#ram = ram.bytes;
    this.#ram16 = new Uint16Array(ram.bytes.buffer, ram.bytes.byteOffset, ram.bytes.length >> 1);
    this.#ram32 = new Uint32Array(ram.bytes.buffer, ram.bytes.byteOffset, ram.bytes.length >> 2);
  }

  /** Whether an access has failed since this was asked last. */
  takeFault(): boolean {
    const hasFailed = this.#hasFailed;
    this.#hasFailed = false;
    return hasFailed;
  }

  /** The access under way fails, because what it reached says so. */
  fail(): void {
    this.#hasFailed = true;
  }

  addWindow(start: number, window: Window): void {
    const at = { start, size: window.bytes.length, window, view: viewOf(window.bytes) };
    this.#code ??= at;
    this.#windows.push(at);
  }

  addMemory(memory: Memory): void {
    this.#more.push({ ...memory, view: viewOf(memory.bytes) });
  }

  /** @param size a multiple of 1 KiB */
  addPeripheral(start: number, size: number, peripheral: Peripheral): void {
    for (let at = start; at < start + size; at += 1 << SLOT_SHIFT) {
      this.#slots.set(at >>> SLOT_SHIFT, { peripheral, start });
    }
  }

  /** Answers where nothing else does. */
  addBackground(start: number, size: number, peripheral: Peripheral): void {
    this.#wide.push({ start, end: start + size, peripheral });
  }

  readUint16(address: number): number {
    const at = (address >>> 0) - this.#ramStart;
    if (at >= 0 && at < this.#ram.length && (at & 1) === 0) return this.#ram16[at >> 1] ?? 0;
    return this.#readSlow(address >>> 0, 2);
  }

  readUint32(address: number): number {
    const at = (address >>> 0) - this.#ramStart;
    if (at >= 0 && at < this.#ram.length && (at & 3) === 0) return this.#ram32[at >> 2] ?? 0;
    return this.#readSlow(address >>> 0, 4);
  }

  readUint8(address: number): number {
    const at = (address >>> 0) - this.#ramStart;
    if (at >= 0 && at < this.#ram.length) return this.#ram[at] ?? 0;
    return this.#readSlow(address >>> 0, 1);
  }

  writeUint32(address: number, value: number): void {
    const at = (address >>> 0) - this.#ramStart;
    if (at >= 0 && at < this.#ram.length && (at & 3) === 0) {
      if (this.#ram32[at >> 2] !== value >>> 0) this.ramChanges++;
      this.#ram32[at >> 2] = value;
    } else this.#writeSlow(address >>> 0, value >>> 0, 4);
  }

  writeUint16(address: number, value: number): void {
    const at = (address >>> 0) - this.#ramStart;
    if (at >= 0 && at < this.#ram.length && (at & 1) === 0) {
      this.ramChanges++;
      this.#ram16[at >> 1] = value;
    } else this.#writeSlow(address >>> 0, value & 0xffff, 2);
  }

  writeUint8(address: number, value: number): void {
    const at = (address >>> 0) - this.#ramStart;
    if (at >= 0 && at < this.#ram.length) {
      this.ramChanges++;
      this.#ram[at] = value;
    } else this.#writeSlow(address >>> 0, value & 0xff, 1);
  }

  #readSlow(address: number, width: 1 | 2 | 4): number {
    if ((address & (width - 1)) !== 0) return this.#fail();
    const code = this.#code;
    if (code !== undefined && address >= code.start && address < code.start + code.size) {
      return code.window.mayRead() ? readFrom(code.view, address - code.start, width) : 0;
    }
    for (const { start, size, window, view } of this.#windows) {
      if (address < start || address >= start + size) continue;
      return window.mayRead() ? readFrom(view, address - start, width) : 0;
    }
    for (const { start, bytes, view } of this.#more) {
      if (address >= start && address < start + bytes.length) return readFrom(view, address - start, width);
    }
    const found = this.#peripheral(address);
    if (found === undefined) return this.#fail();
    const word = found.peripheral.read((address - found.start) & ~3) >>> 0;
    if (width === 4) return word;
    return (word >>> ((address & 3) * 8)) & (width === 2 ? 0xffff : 0xff);
  }

  #writeSlow(address: number, value: number, width: 1 | 2 | 4): void {
    if ((address & (width - 1)) !== 0) {
      this.#fail();
      return;
    }
    for (const { start, size, window } of this.#windows) {
      if (address < start || address >= start + size) continue;
      window.store(address - start, value, width);
      return;
    }
    for (const { start, bytes, view } of this.#more) {
      if (address < start || address >= start + bytes.length) continue;
      writeTo(view, address - start, { value, width });
      return;
    }
    const found = this.#peripheral(address);
    if (found === undefined) this.#fail();
    else found.peripheral.write((address - found.start) & ~3, (value << ((address & 3) * 8)) >>> 0, width);
  }

  #peripheral(address: number): { readonly peripheral: Peripheral; readonly start: number } | undefined {
    const slot = this.#slots.get(address >>> SLOT_SHIFT);
    return slot ?? this.#wide.find(({ start, end }) => address >= start && address < end);
  }

  #fail(): number {
    this.#hasFailed = true;
    return 0;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function readFrom(view: DataView, at: number, width: 1 | 2 | 4): number {
  if (width === 4) return view.getUint32(at, true);
  return width === 2 ? view.getUint16(at, true) : view.getUint8(at);
}

function writeTo(view: DataView, at: number, what: { readonly value: number; readonly width: 1 | 2 | 4 }): void {
  if (what.width === 4) view.setUint32(at, what.value, true);
  else if (what.width === 2) view.setUint16(at, what.value, true);
  else view.setUint8(at, what.value);
}
