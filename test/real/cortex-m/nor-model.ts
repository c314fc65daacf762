/**
 * A serial NOR flash of 2 MB (W25Q16JV by its id) as a debugger's and a loader's driver see it, byte by byte. Strict where the simulated boards'
 * flash is kind: it counts what real flash would have ignored. Written from the datasheet's table of commands, not from src/sim.
 */

export const norBytes = 2 * 1024 * 1024;
const pageBytes = 256;
const id = [0xef, 0x40, 0x15];

/** Milliseconds on the wall clock; 0 = at once. */
export interface NorTimes {
  readonly page: number;
  readonly sector: number;
  readonly block: number;
}

export interface NorCounters {
  /** Erases of 4 KB, 32 KB, 64 KB and of the chip. */
  erases: number;
  erasedBytes: number;
  pages: number;
  /** Erases and programs without a write enable before them. */
  missingEnables: number;
  /** Commands other than a status read while an erase or a program runs. */
  whileBusy: number;
  /** Commands that this flash does not know, and bytes sent to nobody. */
  strange: number;
}

export class NorModel {
  readonly bytes: Uint8Array;
  counters: NorCounters = noCounts();
  times: NorTimes = { page: 0, sector: 0, block: 0 };
  #isSelected = false;
  #sent: number[] = [];
  #isEnabled = false;
  #busyUntilMs = 0;

  /** @param bytes as the board reads them by address */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** @returns the counts up to now, which start anew */
  takeCounters(): NorCounters {
    const taken = this.counters;
    this.counters = noCounts();
    return taken;
  }

  /** An erase or a program runs: nothing but the status can be read. */
  get isBusy(): boolean {
    if (this.#busyUntilMs > 0 && performance.now() >= this.#busyUntilMs) this.#busyUntilMs = 0;
    return this.#busyUntilMs > 0;
  }

  /** Chip select, low or high; a command that changes something is carried out when it goes high. */
  select(isLow: boolean): void {
    if (this.#isSelected && !isLow) this.#finish();
    if (!this.#isSelected && isLow) this.#sent = [];
    this.#isSelected = isLow;
  }

  /** One byte out, one byte in. */
  exchange(out: number): number {
    if (!this.#isSelected) {
      this.counters.strange++;
      return 0xff;
    }
    this.#sent.push(out);
    const at = this.#sent.length - 1;
    if (at === 0) return 0xff;
    const [command = 0] = this.#sent;
    switch (command) {
      case 0x05:
        return (this.isBusy ? 1 : 0) | (this.#isEnabled ? 2 : 0);
      case 0x35:
        return 0;
      case 0x9f:
        return id[at - 1] ?? 0xff;
      case 0x03:
        return at < 4 ? 0xff : this.#read(at - 4);
      case 0x0b:
        return at < 5 ? 0xff : this.#read(at - 5);
      default:
        return 0xff;
    }
  }

  #address(): number {
    const [, high = 0, middle = 0, low = 0] = this.#sent;
    return ((high << 16) | (middle << 8) | low) % norBytes;
  }

  #read(index: number): number {
    return this.bytes[(this.#address() + index) % norBytes] ?? 0xff;
  }

  #finish(): void {
    const [command] = this.#sent;
    if (command === undefined) return;
    if (command !== 0x05 && this.isBusy) {
      this.counters.whileBusy++;
      return;
    }
    switch (command) {
      case 0x03:
      case 0x05:
      case 0x0b:
      case 0x35:
      case 0x9f:
        return;
      case 0x06:
        this.#isEnabled = true;
        return;
      case 0x04:
        this.#isEnabled = false;
        return;
      case 0x20: {
        this.#erase(0x1000, this.times.sector);
        return;
      }
      case 0x52: {
        this.#erase(0x8000, this.times.block);
        return;
      }
      case 0xd8: {
        this.#erase(0x10000, this.times.block);
        return;
      }
      case 0xc7: {
        this.#erase(norBytes, this.times.block);
        return;
      }
      case 0x02: {
        this.#program();
        return;
      }
      default:
        this.counters.strange++;
    }
  }

  #mayChange(ms: number): boolean {
    if (!this.#isEnabled) this.counters.missingEnables++;
    const may = this.#isEnabled;
    this.#isEnabled = false;
    if (may && ms > 0) this.#busyUntilMs = performance.now() + ms;
    return may;
  }

  #erase(bytes: number, ms: number): void {
    if (!this.#mayChange(ms)) return;
    const start = Math.floor(this.#address() / bytes) * bytes;
    this.bytes.fill(0xff, start, start + bytes);
    this.counters.erases++;
    this.counters.erasedBytes += bytes;
  }

  /** Beyond the end of its page the address begins anew at the page's start; bits only fall. */
  #program(): void {
    if (!this.#mayChange(this.times.page)) return;
    const address = this.#address();
    const page = address - (address % pageBytes);
    this.#sent.slice(4).forEach((value, index) => {
      const at = page + ((address + index) % pageBytes);
      this.bytes[at] = (this.bytes[at] ?? 0xff) & value;
    });
    this.counters.pages++;
  }
}

function noCounts(): NorCounters {
  return { erases: 0, erasedBytes: 0, pages: 0, missingEnables: 0, whileBusy: 0, strange: 0 };
}
