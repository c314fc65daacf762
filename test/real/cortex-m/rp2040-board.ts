/**
 * An RP2040 of the package rp2040js with what that package leaves out: a flash chip behind the SSI, and the three registers that a start from
 * flash looks at. Knows nothing of debuggers.
 */
import { BasePeripheral, Simulator, type RP2040 } from "rp2040js";
import { Console } from "./console.ts";
import { norBytes, NorModel } from "./nor-model.ts";

const flashStart = 0x10000000;
const flashEnd = 0x14000000;
const romBytes = 0x4000;
const fifoEntries = 16;
/** SYSm of CONTROL. */
const control = 20;
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

export class Rp2040Board {
  readonly rp2040: RP2040;
  /** Of its timers; it goes on as whoever runs the core says. */
  readonly clock: Simulator["clock"];
  readonly nor: NorModel;
  readonly uart = new Console();
  /** Writes to the flash's window, which real flash does not take. */
  strayWrites = 0;
  /** Reads of that window while the SSI is not set up for them, as after power-up, or the flash is busy; they give 0. */
  blindReads = 0;
  readonly #ssi: Ssi;
  readonly #qspi: QspiPins;

  /** @param rom bytes from address 0; without it nothing runs after a reset */
  constructor(rom: Uint8Array = new Uint8Array(0)) {
    const { rp2040, clock } = new Simulator();
    rp2040.logger = quiet;
    this.clock = clock;
    this.rp2040 = rp2040;
    this.nor = new NorModel(rp2040.flash.subarray(0, norBytes));
    this.#ssi = new Ssi(rp2040, this.nor);
    this.#qspi = new QspiPins(rp2040, this.nor);
    Object.assign(rp2040.peripherals, {
      0x14000: new ReadsAs(rp2040, "XIP_CTRL", 0),
      0x18000: this.#ssi,
      0x40018: this.#qspi,
      0x40064: new ReadsAs(rp2040, "VREG_AND_CHIP_RESET", 0),
    });
    this.#guard();
    const uart = rp2040.uart[0];
    if (uart !== undefined) uart.onByte = (value) => this.uart.push(String.fromCharCode(value));
    new Uint8Array(rp2040.bootrom.buffer).set(rom);
    this.reset();
  }

  /** As SYSRESETREQ does it, on this chip: the core and its interrupts; peripherals, RAM and flash stay as they are (datasheet, 2.4.2.9). */
  reset(): void {
    const { core } = this.rp2040;
    const thread = 0;
    Object.assign(core, { VTOR: 0, PM: false, IPSR: 0, currentMode: thread, waiting: false, eventRegistered: false });
    Object.assign(core, { pendingSystick: false, pendingPendSV: false, pendingSVCall: false });
    core.enabledInterrupts = 0;
    core.pendingInterrupts = 0;
    core.writeSpecialRegister(control, 0);
    this.rp2040.ppb.reset();
    core.reset();
  }

  /** ROM and flash are read by address, and not written so; flash not while its controller does something else. */
  #guard(): void {
    const { rp2040 } = this;
    const isFlash = (address: number): boolean => address >>> 0 >= flashStart && address >>> 0 < flashEnd;
    for (const name of ["readUint8", "readUint16", "readUint32"] as const) {
      const read = rp2040[name].bind(rp2040);
      rp2040[name] = (address) => {
        if (!isFlash(address) || (this.#ssi.readsByAddress && !this.#qspi.isOverridden && !this.nor.isBusy))
          return read(address);
        this.blindReads++;
        return 0;
      };
    }
    for (const name of ["writeUint8", "writeUint16", "writeUint32"] as const) {
      const write = rp2040[name].bind(rp2040);
      rp2040[name] = (address, value) => {
        if (isFlash(address)) this.strayWrites++;
        else if (address >>> 0 >= romBytes) write(address, value);
      };
    }
  }
}

class ReadsAs extends BasePeripheral {
  readonly #value: number;

  constructor(rp2040: RP2040, name: string, value: number) {
    super(rp2040, name);
    this.#value = value;
  }

  override readUint32(): number {
    return this.#value;
  }

  override writeUint32(): void {
    // It stays as it is.
  }
}

/** DW_apb_ssi as the RP2040 has it, bytes only. */
class Ssi extends BasePeripheral {
  readonly #nor: NorModel;
  readonly #registers = new Map<number, number>();
  #received: number[] = [];

  constructor(rp2040: RP2040, nor: NorModel) {
    super(rp2040, "SSI");
    this.#nor = nor;
  }

  /** Enabled, and in the mode in which each read sends command and address first. */
  get readsByAddress(): boolean {
    return this.#registers.get(8) === 1 && (((this.#registers.get(0) ?? 0) >>> 8) & 3) === 3;
  }

  override readUint32(offset: number): number {
    switch (offset) {
      case 0x20:
        return 0;
      case 0x24:
        return this.#received.length;
      case 0x28: // TFNF, TFE, RFNE
        return 6 | (this.#received.length > 0 ? 8 : 0) | (this.#received.length === fifoEntries ? 16 : 0);
      case 0x60:
        return this.#received.shift() ?? 0;
      default:
        return this.#registers.get(offset) ?? 0;
    }
  }

  override writeUint32(offset: number, value: number): void {
    const isEnabled = this.#registers.get(8) === 1;
    if (offset === 0x60) {
      if (!isEnabled) this.#nor.counters.strange++;
      else if (this.#received.length < fifoEntries) this.#received.push(this.#nor.exchange(value & 0xff));
      else this.#nor.counters.strange++;
      return;
    }
    this.#registers.set(offset, value);
    if (offset === 8) this.#received = [];
  }
}

/** IO_QSPI: of all its pins only chip select's override, bits 9:8 of its control register, is looked at. */
class QspiPins extends BasePeripheral {
  readonly #nor: NorModel;
  readonly #registers = new Map<number, number>();

  constructor(rp2040: RP2040, nor: NorModel) {
    super(rp2040, "IO_QSPI");
    this.#nor = nor;
  }

  get isOverridden(): boolean {
    return (((this.#registers.get(0x0c) ?? 0) >>> 8) & 3) !== 0;
  }

  override readUint32(offset: number): number {
    return this.#registers.get(offset) ?? 0;
  }

  override writeUint32(offset: number, value: number): void {
    this.#registers.set(offset, value);
    if (offset === 0x0c) this.#nor.select(((value >>> 8) & 3) === 2);
  }
}
