/** A NOR flash chip on a serial bus, byte by byte: what a controller clocks out and in while chip select is low. Counts what drivers must not do. */
import type { NorFlash } from "../nor-flash.ts";
import { NorCommands } from "../nor-commands.ts";

const NOTHING = new Uint8Array(0);
const STATUS_WRITE_ENABLED = 2;
/** Opcode and three address bytes. */
const HEAD = 4;
const PAGE_BYTES = 256;
const UNIQUE_ID = 0x4b;
const needsWriteEnable = new Set([0x01, 0x31, 0x02, 0x20, 0x52, 0xd8, 0xc7, 0x60]);
const hasAddress = new Set([0x02, 0x20, 0x52, 0xd8, 0x03, 0x0b, 0x5a, UNIQUE_ID]);
const statusReads = new Set([0x05, 0x35, 0x15]);

export class SerialNor {
  readonly flash: NorFlash;
  readonly violations: Record<string, number> = {};
  readonly #commands: NorCommands;
  readonly #uniqueId: Uint8Array;
  #out: number[] = [];
  #selected = false;

  /** @param uniqueId eight bytes, which command 4B answers */
  constructor(flash: NorFlash, uniqueId: Uint8Array) {
    this.flash = flash;
    this.#commands = new NorCommands(flash);
    this.#uniqueId = uniqueId;
  }

  get isSelected(): boolean {
    return this.#selected;
  }

  select(): void {
    this.#selected = true;
    this.#out = [];
  }

  /** Chip select goes up: commands that change something begin now. */
  deselect(nowMs: number): void {
    if (!this.#selected) return;
    this.#selected = false;
    const [opcode] = this.#out;
    if (opcode === undefined || statusReads.has(opcode)) return;
    this.#end(opcode, nowMs);
  }

  /** One byte each way. */
  exchange(byte: number, nowMs: number): number {
    if (!this.#selected) {
      this.violates("a byte without chip select");
      return 0xff;
    }
    const place = this.#out.length;
    this.#out.push(byte);
    const opcode = this.#out[0] ?? 0;
    if (place === 0) return 0xff;
    if (statusReads.has(opcode)) return this.#ask(opcode, 0, nowMs);
    if (opcode === 0x9f) return this.#ask(opcode, place - 1, nowMs);
    if (opcode === 0x03) return place < HEAD ? 0xff : this.#ask(opcode, this.#address() + place - HEAD, nowMs);
    if (opcode === 0x0b || opcode === 0x5a) {
      return place <= HEAD ? 0xff : this.#ask(0x03, this.#address() + place - HEAD - 1, nowMs);
    }
    return opcode === UNIQUE_ID && place > HEAD ? (this.#uniqueId[place - HEAD - 1] ?? 0xff) : 0xff;
  }

  cutPower(): void {
    this.#selected = false;
    this.#commands.cutPower();
  }

  violates(rule: string): void {
    this.violations[rule] = (this.violations[rule] ?? 0) + 1;
  }

  #ask(opcode: number, at: number, nowMs: number): number {
    if (opcode === 0x9f) return this.#commands.transact(opcode, 0, NOTHING, { inBytes: 3, nowMs })[at] ?? 0xff;
    return this.#commands.transact(opcode, at, NOTHING, { inBytes: 1, nowMs })[0] ?? 0xff;
  }

  #address(): number {
    return ((this.#out[1] ?? 0) << 16) | ((this.#out[2] ?? 0) << 8) | (this.#out[3] ?? 0);
  }

  #end(opcode: number, nowMs: number): void {
    if (this.flash.isBusy(nowMs)) this.violates("a command while busy");
    else if (needsWriteEnable.has(opcode) && !this.#isWriteEnabled(nowMs)) this.violates("no write enable");
    const address = hasAddress.has(opcode) ? this.#address() : 0;
    // More than a page wraps: the last 256 bytes stay.
    const data = Uint8Array.from(this.#out.slice(hasAddress.has(opcode) ? HEAD : 1)).slice(-PAGE_BYTES);
    if (opcode === UNIQUE_ID || opcode === 0x03 || opcode === 0x0b || opcode === 0x5a || opcode === 0x9f) return;
    this.#commands.transact(opcode, address, data, { inBytes: 0, nowMs });
  }

  #isWriteEnabled(nowMs: number): boolean {
    return (this.#ask(0x05, 0, nowMs) & STATUS_WRITE_ENABLED) !== 0;
  }
}
