/**
 * An ARM debug port with one memory access port, as OpenOCD talks to it through JTAG scans. Written from the Debug Interface Architecture
 * Specification ADIv5; answers OK at once, whatever is asked.
 */
import type { CoreDebug } from "./core-debug.ts";
import type { RP2040 } from "rp2040js";

export class DebugPort {
  readonly #memory: RP2040;
  readonly #core: CoreDebug;
  #select = 0;
  #power = 0;
  /** Size and increment; the rest reads as fixed. */
  #csw = 2;
  #tar = 0;
  /** Result of the last read of the access port. */
  #posted = 0;
  /** What the next scan captures. */
  result = 0;

  constructor(memory: RP2040, core: CoreDebug) {
    this.#memory = memory;
    this.#core = core;
  }

  /** @param address 0, 4, 8 or 12 */
  debugAccess(isRead: boolean, address: number, data: number): void {
    if (isRead) this.result = this.#readDebugPort(address);
    else if (address === 4) this.#power = data & 0x50000000;
    else if (address === 8) this.#select = data;
  }

  accessAccess(isRead: boolean, address: number, data: number): void {
    const isPresent = this.#select >>> 24 === 0;
    const register = (this.#select & 0xf0) | address;
    if (!isRead) {
      if (isPresent) this.#writeAccessPort(register, data);
      return;
    }
    this.#posted = (isPresent ? this.#readAccessPort(register) : 0) >>> 0;
    this.result = this.#posted;
  }

  #readDebugPort(address: number): number {
    switch (address) {
      case 0:
        return 0x0bc11477;
      case 4:
        return (this.#power | (this.#power << 1)) >>> 0;
      case 8:
        return this.#select;
      default:
        return this.#posted;
    }
  }

  #readAccessPort(register: number): number {
    switch (register) {
      case 0x00:
        return 0x23000040 | this.#csw;
      case 0x04:
        return this.#tar;
      case 0x0c:
        return this.#transfer((address) => this.#read(address));
      case 0x10:
      case 0x14:
      case 0x18:
      case 0x1c:
        return this.#readWord(this.#banked(register));
      case 0xf8:
        return 0xe00ff003;
      case 0xfc:
        return 0x04770031;
      default:
        return 0;
    }
  }

  #writeAccessPort(register: number, data: number): void {
    switch (register) {
      case 0x00: {
        const increment = (data & 0x30) === 0 ? 0 : 0x10;
        this.#csw = Math.min(data & 7, 2) | increment;
        return;
      }
      case 0x04:
        this.#tar = data >>> 0;
        return;
      case 0x0c:
        this.#transfer((address) => {
          this.#write(address, data);
          return 0;
        });
        return;
      case 0x10:
      case 0x14:
      case 0x18:
      case 0x1c:
        this.#writeWord(this.#banked(register), data);
    }
  }

  #banked(register: number): number {
    return ((this.#tar & ~0xf) | (register & 0xc)) >>> 0;
  }

  /** The address goes on within 1 KB. */
  #transfer(access: (address: number) => number): number {
    const address = this.#tar;
    const value = access(address);
    if ((this.#csw & 0x30) !== 0) {
      const next = address + (1 << (this.#csw & 7));
      this.#tar = ((address & ~0x3ff) | (next & 0x3ff)) >>> 0;
    }
    return value;
  }

  #read(address: number): number {
    const size = this.#csw & 7;
    if (size === 2 || address >= 0xe0000000) return this.#readWord((address & ~3) >>> 0);
    // Bytes and halfwords stand in the lanes that their addresses say.
    if (size === 1) return this.#memory.readUint16((address & ~1) >>> 0) << ((address & 2) * 8);
    return this.#memory.readUint8(address) << ((address & 3) * 8);
  }

  #write(address: number, data: number): void {
    const size = this.#csw & 7;
    if (size === 2 || address >= 0xe0000000) this.#writeWord((address & ~3) >>> 0, data);
    else if (size === 1) this.#memory.writeUint16((address & ~1) >>> 0, (data >>> ((address & 2) * 8)) & 0xffff);
    else this.#memory.writeUint8(address, (data >>> ((address & 3) * 8)) & 0xff);
  }

  #readWord(address: number): number {
    return this.#core.read(address) ?? this.#memory.readUint32(address);
  }

  #writeWord(address: number, data: number): void {
    if (!this.#core.write(address, data >>> 0)) this.#memory.writeUint32(address, data);
  }
}
