/** The flash chip's own commands (opcode, address, bytes out, bytes in), as a bus controller sends them. */
import { jedecId, SECTOR_BYTES, type NorFlash } from "./nor-flash.ts";

const STATUS_BUSY = 0x01;
const STATUS_WRITE_ENABLED = 0x02;
const STATUS_PROTECT = 0x1c;
const STATUS_2_QUAD = 0x02;

export class NorCommands {
  readonly #flash: NorFlash;
  #writeEnabled = false;
  #status = 0;
  #status2 = STATUS_2_QUAD;
  #asleep = false;

  constructor(flash: NorFlash) {
    this.#flash = flash;
  }

  /** Power goes: protect bits stay, write enable and sleep do not. */
  cutPower(): void {
    this.#writeEnabled = false;
    this.#asleep = false;
  }

  /** One transaction. @returns `inBytes` bytes; 0xff where the chip drives nothing */
  transact(opcode: number, address: number, out: Uint8Array, bus: { inBytes: number; nowMs: number }): Uint8Array {
    const answer = new Uint8Array(bus.inBytes).fill(0xff);
    if (this.#asleep && opcode !== 0xab) return answer;
    if (this.#flash.isBusy(bus.nowMs) && opcode !== 0x05 && opcode !== 0x35 && opcode !== 0x15) return answer;
    switch (opcode) {
      case 0x9f:
        return fillFrom(answer, Uint8Array.from(jedecId(this.#flash.bytes.length)), 0);
      case 0x5a:
        return fillFrom(answer, sfdpTable(this.#flash.bytes.length), address);
      case 0x05:
        return answer.fill(this.#readStatus(bus.nowMs));
      case 0x35:
        return answer.fill(this.#status2);
      case 0x15:
        return answer.fill(0x60);
      case 0x03:
        return fillFrom(answer, this.#flash.bytes, address);
      case 0xab:
        this.#asleep = false;
        return answer;
      case 0xb9:
        this.#asleep = true;
        return answer;
      case 0x06:
      case 0x50:
        this.#writeEnabled = true;
        return answer;
      case 0x04:
        this.#writeEnabled = false;
        return answer;
      default:
        this.#change(opcode, address, out, bus.nowMs);
        return answer;
    }
  }

  /** Commands that need write enable, and use it up. */
  #change(opcode: number, address: number, out: Uint8Array, nowMs: number): void {
    if (!this.#writeEnabled) return;
    this.#writeEnabled = false;
    if (opcode === 0x01) this.#writeStatus(out);
    else if (opcode === 0x31) this.#status2 = out[0] ?? this.#status2;
    else if (opcode === 0x20) this.#flash.startErase(address, SECTOR_BYTES, nowMs);
    else if (opcode === 0x52) this.#flash.startErase(address, 32 * 1024, nowMs);
    else if (opcode === 0xd8) this.#flash.startErase(address, 64 * 1024, nowMs);
    else if (opcode === 0xc7 || opcode === 0x60) this.#flash.startErase(0, this.#flash.bytes.length, nowMs);
    else if (opcode === 0x02) {
      const style = out.length < 64 ? "32-byte commands" : "64 bytes or more";
      this.#flash.startProgram(address, out.slice(), style, nowMs);
    } else this.#writeEnabled = true;
  }

  #readStatus(nowMs: number): number {
    const busy = this.#flash.isBusy(nowMs) ? STATUS_BUSY : 0;
    return this.#status | busy | (this.#writeEnabled ? STATUS_WRITE_ENABLED : 0);
  }

  #writeStatus(out: Uint8Array): void {
    this.#status = (out[0] ?? 0) & 0xfc;
    if (out.length > 1) this.#status2 = out[1] ?? 0;
    this.#flash.isProtected = (this.#status & STATUS_PROTECT) !== 0;
  }
}

function fillFrom(answer: Uint8Array, source: Uint8Array, from: number): Uint8Array {
  answer.set(source.subarray(from, from + answer.length));
  return answer;
}

/** Serial flash discoverable parameters (JESD216): signature, one parameter header, density, 4 KiB erase. */
function sfdpTable(flashBytes: number): Uint8Array {
  const table = new Uint8Array(0x100).fill(0xff);
  const view = new DataView(table.buffer);
  view.setUint32(0x00, 0x50444653, true);
  view.setUint32(0x04, 0xff00_0105, true);
  view.setUint32(0x08, 0x1001_0500, true); // the basic table: id 00, 16 words
  view.setUint32(0x0c, 0xff00_0080, true); // at 0x80
  view.setUint32(0x10, 0, true); // no XMC part
  view.setUint32(0x80, 0xfff9_20e5, true);
  view.setUint32(0x84, flashBytes * 8 - 1, true);
  return table;
}
