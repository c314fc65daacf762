/**
 * The way from an RP2040's core to its flash chip: the SSI with its chip select override in IO_QSPI, and the window through
 * which code runs (RP2040 data sheet, 2.6.3 and 4.10). Quad modes are taken for plain ones.
 */
import type { Peripheral, Window } from "./bus.ts";
import type { ChipTime } from "./chip-time.ts";
import type { SerialNor } from "./serial-nor.ts";

const CTRLR0 = 0x00;
const SSIENR = 0x08;
const BAUDR = 0x14;
const TXFLR = 0x20;
const RXFLR = 0x24;
const SR = 0x28;
const DR0 = 0x60;
const DR35 = 0xec;
const SPI_CTRLR0 = 0xf4;

const SR_TFNF = 1 << 1;
const SR_TFE = 1 << 2;
const SR_RFNE = 1 << 3;
const SR_RFF = 1 << 4;
const FIFO_BYTES = 16;

/** TMOD 3, "EEPROM read": what the window needs. */
const TMOD_SHIFT = 8;
const TMOD_EEPROM = 3;
const ADDRESS_LENGTH = 0xf << 2;
/** GPIO_QSPI_SS_CTRL, OUTOVER: 0 the SSI decides, 2 low, 3 high. */
const SS_CTRL = 0x0c;
const OVERRIDE_LOW = 2;
const OVERRIDE_HIGH = 3;
/** The SSI runs at the system clock over BAUDR. */
const BITS = 8;

export class Rp2040Flash implements Window {
  readonly bytes: Uint8Array;
  readonly ssi: Peripheral = {
    read: (offset) => this.#read(offset),
    write: (offset, value) => this.#write(offset, value),
  };
  readonly ioQspi: Peripheral = {
    read: (offset) => (offset === SS_CTRL ? this.#override << 8 : 0),
    write: (offset, value) => {
      if (offset === SS_CTRL) this.setOverride((value >>> 8) & 3);
    },
  };
  readonly #nor: SerialNor;
  readonly #time: ChipTime;
  readonly #cyclesMs: (cycles: number) => number;
  readonly #registers = new Map<number, number>();
  #override = 0;
  #isOpen = false;
  #received: number[] = [];

  constructor(nor: SerialNor, time: ChipTime, cyclesMs: (cycles: number) => number) {
    this.#nor = nor;
    this.#time = time;
    this.#cyclesMs = cyclesMs;
    this.bytes = nor.flash.bytes;
  }

  reset(): void {
    this.#registers.clear();
    this.#override = 0;
    this.#received = [];
    this.#nor.deselect(this.#time.nowMs());
    this.#look();
  }

  /** True when reads of the window reach the flash chip. */
  get isWindowOpen(): boolean {
    return this.#isOpen;
  }

  #look(): void {
    const mode = ((this.#registers.get(CTRLR0) ?? 0) >>> TMOD_SHIFT) & 3;
    const isEnabled = (this.#registers.get(SSIENR) ?? 0) === 1;
    const hasAddress = ((this.#registers.get(SPI_CTRLR0) ?? 0) & ADDRESS_LENGTH) !== 0;
    const isFree = this.#override === 0 && !this.#nor.isSelected;
    this.#isOpen = isEnabled && mode === TMOD_EEPROM && hasAddress && isFree;
  }

  /** What the boot ROM does to be able to read by address. */
  openWindow(): void {
    this.setOverride(0);
    this.#registers.set(CTRLR0, (31 << 16) | (TMOD_EEPROM << TMOD_SHIFT));
    this.#registers.set(SPI_CTRLR0, (0x03 << 24) | (2 << 8) | (6 << 2));
    this.#registers.set(SSIENR, 1);
    this.#look();
  }

  /** What the boot ROM does to be able to send commands. */
  closeWindow(): void {
    this.#registers.set(CTRLR0, 7 << 16);
    this.#registers.set(SSIENR, 1);
    this.setOverride(OVERRIDE_HIGH);
  }

  setOverride(value: number): void {
    this.#override = value;
    if (value === OVERRIDE_LOW) this.#nor.select();
    else this.#nor.deselect(this.#time.nowMs());
    this.#look();
  }

  /** Whoever reads while the window is shut, or while the flash chip is busy, gets rubbish on silicon and zeros here. */
  mayRead(): boolean {
    if (!this.#isOpen) return false;
    return this.#nor.flash.readyAtMs() === -Infinity || !this.#nor.flash.isBusy(this.#time.nowMs());
  }

  store(): void {
    this.#time.busFault();
  }

  #read(offset: number): number {
    if (offset === SR) {
      const waiting = this.#received.length;
      return SR_TFNF | SR_TFE | (waiting > 0 ? SR_RFNE : 0) | (waiting >= FIFO_BYTES ? SR_RFF : 0);
    }
    if (offset === RXFLR) return this.#received.length;
    if (offset === TXFLR) return 0;
    if (offset >= DR0 && offset <= DR35) return this.#received.shift() ?? 0;
    return this.#registers.get(offset) ?? 0;
  }

  #write(offset: number, value: number): void {
    if (offset < DR0 || offset > DR35) {
      if (offset === SSIENR) this.#received = [];
      this.#registers.set(offset, value);
      this.#look();
      return;
    }
    const nowMs = this.#time.nowMs();
    if ((this.#registers.get(SSIENR) ?? 0) !== 1) {
      this.#nor.violates("a byte to an SSI that is off");
      return;
    }
    const answer = this.#nor.exchange(value & 0xff, nowMs);
    if (this.#received.length < FIFO_BYTES) this.#received.push(answer);
    else this.#nor.violates("the receive FIFO overflows");
    const divider = Math.max(2, this.#registers.get(BAUDR) ?? 2);
    this.#time.stallUntil(nowMs + this.#cyclesMs(BITS * divider));
  }
}
