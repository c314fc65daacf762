/**
 * An ESP chip around the stub's own machine code: RAM at its addresses, UART and USB-Serial-JTAG with FIFOs that lose bytes like real ones, flash
 * controller and flash of the simulated boards, system timer, watchdogs. Written from the register headers (esp-idf, esp-stub-lib), not
 * from the stub. The wire has no speed: bytes come as fast as the FIFO takes them.
 */
import type { EspChip } from "../../../src/sim/esp-chip-parts.ts";
import { EspMemory } from "../../../src/sim/esp-memory.ts";
import { EspRegisters } from "../../../src/sim/esp-registers.ts";
import { NorCommands } from "../../../src/sim/nor-commands.ts";
import { NorFlash } from "../../../src/sim/nor-flash.ts";
import type { Device } from "./bus.ts";
import { readOverTwoLines } from "./dual-read.ts";
import { flashBytes } from "./script.ts";

/** What the simulated boards' table does not have. */
export interface EspParts {
  readonly fsm?: number;
  /** Where the UART is told to take its divider over; `isNeeded`: without that it does not. */
  readonly update?: { readonly at: number; readonly bit: number; readonly isNeeded: boolean };
  /** The ESP32's FIFO pointers, and where its transmit FIFO is written. */
  readonly pointers?: number;
  readonly writeFifo?: number;
  readonly countMask: number;
  readonly systimer?: number;
  readonly usb?: number;
  readonly superWatchdog?: {
    readonly at: number;
    readonly protect: number;
    readonly key: number;
    readonly bit: number;
  };
}

const fifoBytes = 128;
const usbPacket = 64;
/** Virtual time of an instruction, and of a byte on its way out at some 921600 baud. */
const instructionUs = 0.25;
const byteUs = 11;
/** The host asks for a packet after this time. */
const usbPollUs = 40;

export class EspBoard implements Device {
  readonly flash = new NorFlash(new Uint8Array(flashBytes).fill(0xff), { profile: "measured" });
  readonly nor = new NorCommands(this.flash);
  readonly toStub: number[] = [];
  readonly fromStub: number[] = [];
  instructions = 0;
  /** Most instructions between two looks at the receiver, the start left out. */
  longestUnwatched = 0;
  watchedAt: number | undefined;
  dualReads = 0;
  /** Of the UART, as it works. */
  divider = 0x15b;
  readonly #chip: EspChip;
  readonly #parts: EspParts;
  readonly #registers: EspRegisters;
  /** Writes to registers that are neither UART, USB nor flash controller. */
  readonly log: [address: number, value: number][] = [];
  readonly #written = new Map<number, number>();
  #pendingDivider: number | undefined;
  /** Moments at which bytes will have left the UART. */
  readonly #leaving: number[] = [];
  #readAddress = 5;
  #snapshotUs = 0;
  #snapshotReads = 0;
  readonly #packet: number[] = [];
  #packetGoneUs = 0;
  readonly #inTransfer: number[] = [];

  constructor(chip: EspChip, parts: EspParts) {
    this.#chip = chip;
    this.#parts = parts;
    const hooks = {
      nowMs: () => this.us / 1000,
      baud: () => 115200,
      setBaud: () => undefined,
      watchdogReset: () => undefined,
    };
    this.#registers = new EspRegisters({ chip, memory: new EspMemory(chip), nor: this.nor, hooks, fuses: {} });
  }

  get us(): number {
    return this.instructions * instructionUs;
  }

  /** As last written, 0 if never. */
  written(address: number): number {
    return this.#written.get(address) ?? 0;
  }

  read(address: number): number {
    const { uartBase } = this.#chip;
    const { fsm, update, pointers, systimer, usb, countMask } = this.#parts;
    switch (address) {
      case uartBase:
        this.#readAddress++;
        return this.toStub.shift() ?? 0;
      case uartBase + 0x14:
        return this.#pendingDivider ?? this.divider;
      case uartBase + 0x1c:
        this.#isWatched();
        return this.#uartStatus(countMask);
      case uartBase + (fsm ?? 0x1c):
        return this.#stillLeaving() > 0 ? 2 << 4 : 0;
      case uartBase + (update?.at ?? 0x1c):
        return this.written(address) & ~(1 << (update?.bit ?? 0));
      case uartBase + (pointers ?? 0x1c): {
        this.#isWatched();
        const here = Math.min(this.toStub.length, fifoBytes);
        return ((this.#readAddress % fifoBytes) << 2) | (((this.#readAddress + here) % fifoBytes) << 13);
      }
      case (systimer ?? 0) + 0x04:
        return this.#snapshotReads++ > 1 ? 1 << 29 : 0;
      case (systimer ?? 0) + 0x40:
        return Math.floor((this.#snapshotUs * 16) / 2 ** 32);
      case (systimer ?? 0) + 0x44:
        return (this.#snapshotUs * 16) % 2 ** 32;
      case usb:
        return this.toStub.shift() ?? 0;
      case (usb ?? 0) + 4:
        this.#isWatched();
        return (this.#packetIsFree() ? 2 : 0) | (this.toStub.length > 0 ? 4 : 0);
      default: {
        const value = this.#registers.read(address);
        if (value === undefined) throw new Error(`nothing to read at ${address.toString(16)}`);
        return value;
      }
    }
  }

  write(address: number, value: number): void {
    const { uartBase } = this.#chip;
    const { update, systimer, usb, writeFifo } = this.#parts;
    this.#written.set(address, value);
    if (address === (writeFifo ?? uartBase)) this.#uartSend(value);
    else if (address === uartBase) throw new Error("a byte written where it may be lost");
    else if (address === uartBase + 0x14) this.#setDivider(value);
    else if (update !== undefined && address === uartBase + update.at) this.#takeOver(value, update.bit);
    else if (systimer !== undefined && address === systimer + 4) this.#takeSnapshot(value);
    else if (usb !== undefined && address === usb) this.#usbSend(value);
    else if (usb !== undefined && address === usb + 4) this.#usbFlush(value);
    else if (readOverTwoLines(this.#chip, this.#registers, { address, value }, this.flash.bytes)) this.dualReads++;
    else if (!this.#registers.write(address, value)) throw new Error(`nothing to write at ${address.toString(16)}`);
    else if (address < this.#chip.spiBase || address >= this.#chip.spiBase + 0x100) this.log.push([address, value]);
  }

  #isWatched(): void {
    if (this.watchedAt !== undefined) {
      this.longestUnwatched = Math.max(this.longestUnwatched, this.instructions - this.watchedAt);
    }
    this.watchedAt = this.instructions;
  }

  #stillLeaving(): number {
    while ((this.#leaving[0] ?? Infinity) <= this.us) this.#leaving.shift();
    return this.#leaving.length;
  }

  #uartStatus(mask: number): number {
    const received = Math.min(this.toStub.length, fifoBytes);
    const leaving = this.#stillLeaving();
    // The byte that is on its way is in no FIFO any more. Bits outside of the count's field must not matter.
    const state = leaving > 0 && this.#chip.id === "esp32" ? 2 << 24 : 0;
    return (received | (Math.max(0, leaving - 1) << 16) | state | (mask === 0xff ? 0x8000 : 0)) >>> 0;
  }

  #uartSend(value: number): void {
    if (this.#stillLeaving() > fifoBytes) throw new Error("the transmit FIFO overflows");
    this.#leaving.push(Math.max(this.us, this.#leaving.at(-1) ?? 0) + byteUs);
    this.fromStub.push(value & 0xff);
  }

  #setDivider(value: number): void {
    if (this.#stillLeaving() > 0) throw new Error("the rate changes under a byte");
    if (this.#parts.update?.isNeeded === true) this.#pendingDivider = value;
    else this.divider = value;
  }

  #takeOver(value: number, bit: number): void {
    if (((value >>> bit) & 1) === 0 || this.#pendingDivider === undefined) return;
    this.divider = this.#pendingDivider;
    this.#pendingDivider = undefined;
  }

  #takeSnapshot(value: number): void {
    if ((value & (1 << 30)) === 0) return;
    this.#snapshotUs = this.us + 4.0e9; // past 32 bits of microseconds soon
    this.#snapshotReads = 0;
  }

  #packetIsFree(): boolean {
    return this.us >= this.#packetGoneUs;
  }

  #usbSend(value: number): void {
    if (!this.#packetIsFree()) throw new Error("a byte written to a packet that waits for the host");
    this.#packet.push(value & 0xff);
    if (this.#packet.length === usbPacket) this.#usbGo();
  }

  #usbFlush(value: number): void {
    if ((value & 1) === 0) return;
    if (!this.#packetIsFree()) throw new Error("a flush while the packet waits for the host");
    this.#usbGo();
  }

  /** The host hands a transfer on when a packet is not full. */
  #usbGo(): void {
    const packet = this.#packet.splice(0);
    this.#packetGoneUs = this.us + usbPollUs;
    this.#inTransfer.push(...packet);
    if (packet.length < usbPacket) this.fromStub.push(...this.#inTransfer.splice(0));
  }
}
