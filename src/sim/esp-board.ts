/**
 * A board with an ESP chip as a serial port sees it: joins the chip, the wire, the lines, the power and the faults. All that
 * happens is worked on in the order of its time, when the board is told that the time has come.
 */
import { concat } from "../core/bytes.ts";
import { FlashError } from "../core/errors.ts";
import type { SimBoard, SimCounters } from "./board.ts";
import type { EspChip } from "./esp-chip-parts.ts";
import { EspCore } from "./esp-core.ts";
import { EspLines, type LineTimes } from "./esp-lines.ts";
import type { MachineSettings, Running } from "./esp-machine.ts";
import type { StubRelease } from "./esp-stub-uploads.ts";
import type { FaultPlan } from "./faults.ts";
import type { NorFlash } from "./nor-flash.ts";
import { Wire, type WireOptions } from "./wire.ts";

/** Power is away this long in a power cut. */
const POWER_CUT_MS = 100;
/** What a ROM that measures the rate takes a host without one for. */
const RATELESS_BAUD = 115_200;
/** Boards have been under power for this long when time begins. */
const WARM_UP_MS = 3000;

export interface EspBoardParts {
  readonly chip: EspChip;
  readonly flash: NorFlash;
  readonly mac: Uint8Array;
  readonly faults: FaultPlan;
  readonly settings: MachineSettings;
  readonly wire: WireOptions;
  readonly lineTimes: LineTimes;
  readonly linesConnected: boolean;
  readonly startInLoader: boolean;
  /** A stub that an earlier session left running. */
  readonly leftover: StubRelease | undefined;
}

/** What happens next by itself. */
type Happening = "power returns" | "cable" | "power" | "line" | "wake" | "input";

const nothing = new Uint8Array(0);

export class EspBoard implements SimBoard {
  readonly chip: EspChip;
  readonly #core: EspCore;
  readonly #flash: NorFlash;
  readonly #wire: Wire;
  readonly #lines: EspLines;
  readonly #faults: FaultPlan;
  readonly #linesConnected: boolean;
  #nowMs = -WARM_UP_MS;
  #plugged = true;
  #powerReturns: { readonly atMs: number; readonly intoLoader: boolean } | undefined;
  #unplugAtMs = Infinity;
  /** What `#look` found; Infinity: nothing happens by itself. */
  #nextAtMs = Infinity;
  #next: Happening = "wake";
  /** What comes behind the input, when that is what happens next. */
  #afterInputMs = Infinity;
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(parts: EspBoardParts) {
    this.chip = parts.chip;
    this.#flash = parts.flash;
    this.#faults = parts.faults;
    this.#linesConnected = parts.linesConnected;
    this.#wire = new Wire(parts.wire);
    this.#lines = new EspLines(parts.lineTimes);
    this.#core = new EspCore({
      ...parts,
      host: {
        send: (bytes, nowMs) => this.#send(bytes, nowMs),
        transmitterIdleMs: () => this.#wire.deviceIdleMs(),
        setDeviceBaud: (baud) => this.#setDeviceBaud(baud),
        commandFate: (name) => this.#faults.commandFate(name),
        bootStrapIsLow: () => this.#linesConnected && this.#lines.bootStrapIsLow,
      },
    });
    this.#core.start("power-on", parts.startInLoader, this.#nowMs);
    if (parts.leftover !== undefined) this.#core.startStub(parts.leftover, -WARM_UP_MS / 2);
    this.#settle(0);
    this.#wire.takeForHost();
    this.#core.resets = 0;
    this.#bytesOut = 0;
    this.#faults.isArmed = true;
  }

  /** The flash chip's contents, live. */
  get flash(): Uint8Array {
    return this.#flash.bytes;
  }

  /** Erases of each 4 KiB sector. */
  get wear(): Uint32Array {
    return this.#flash.wear;
  }

  /** What the chip printed since it was made, the last 64 Ki characters, whoever listened. */
  get bootLog(): string {
    return this.#core.bootLog;
  }

  get running(): Running {
    return this.#core.running;
  }

  get isUnplugged(): boolean {
    return !this.#plugged;
  }

  /** The chip's rate, bits per second, as it is. */
  get deviceBaud(): number {
    return this.#wire.deviceBaud;
  }

  receive(bytes: Uint8Array, atMs: number): void {
    this.#settle(atMs);
    if (!this.#plugged) return;
    const { bytes: changed, unplugAfter } = this.#faults.onWire("in", bytes.slice());
    const through = unplugAfter === undefined ? changed : changed.subarray(0, unplugAfter);
    this.#wire.sendFromHost(through, atMs);
    if (unplugAfter !== undefined) this.#unplugAtMs = Math.max(this.#wire.hostIdleMs(), atMs);
  }

  setSignals(lines: { readonly dtr: boolean; readonly rts: boolean }, atMs: number): void {
    this.#settle(atMs);
    if (this.#plugged && this.#linesConnected) this.#lines.set(lines, atMs);
  }

  setBaudRate(baud: number, atMs: number): void {
    this.#settle(atMs);
    this.#wire.hostBaud = baud;
  }

  nextEventMs(): number | undefined {
    const arrival = this.#wire.nextToHostMs() ?? Infinity;
    this.#look();
    const first = Math.min(this.#nextAtMs, arrival);
    return first === Infinity ? undefined : Math.max(first, this.#nowMs);
  }

  advance(toMs: number): Uint8Array {
    this.#settle(toMs);
    const arrived = this.#wire.hasForHost ? concat(this.#wire.takeForHost()) : nothing;
    if (arrived.length === 0 && !this.#plugged) {
      throw new FlashError("disconnected", `the simulated ${this.chip.title} was unplugged`);
    }
    return arrived;
  }

  counters(): SimCounters {
    return {
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      erases: { ...this.#flash.erases },
      pagesProgrammed: this.#flash.pagesProgrammed,
      flashBusyMs: this.#flash.busyMs,
      commands: { ...this.#core.commands },
      resets: this.#core.resets,
    };
  }

  /** Pulls the cable: the board loses power, and `advance` fails until it is plugged in again. */
  unplug(atMs: number): void {
    this.#settle(atMs);
    this.#pull(atMs);
  }

  /** Plugs the cable in: power comes back, both lines not asserted, the port at 115200. */
  plug(atMs: number): void {
    this.#settle(atMs);
    if (this.#plugged) return;
    this.#plugged = true;
    this.#unplugAtMs = Infinity;
    this.#wire.hostBaud = 115_200;
    this.#lines.forget();
    this.#powerReturns = { atMs, intoLoader: false };
    this.#settle(atMs);
  }

  /** Somebody presses the reset button, with or without holding the boot button. For connections that have no lines. */
  pressReset(atMs: number, buttons: { readonly boot: boolean }): void {
    this.#settle(atMs);
    if (!this.#plugged) return;
    this.#wire.silenceDevice(atMs);
    this.#core.start("pin", buttons.boot, atMs);
  }

  #settle(toMs: number): void {
    for (;;) {
      this.#look();
      if (this.#nextAtMs > toMs) break;
      this.#nowMs = Math.max(this.#nowMs, this.#nextAtMs);
      this.#happen(toMs);
    }
    this.#nowMs = Math.max(this.#nowMs, toMs);
    this.#flash.settle(this.#nowMs);
    this.#wire.settle(this.#nowMs);
  }

  /** Finds the earliest thing that happens by itself; of several at once power goes first, then lines, then the chip, then input. */
  #look(): void {
    this.#nextAtMs = Infinity;
    this.#afterInputMs = Infinity;
    this.#lookAtPower();
    this.#sooner("line", this.#lines.nextEventMs());
    this.#sooner("wake", this.#core.wakeMs());
    this.#afterInputMs = this.#nextAtMs;
    this.#sooner("input", this.#wire.nextToDeviceMs());
  }

  #sooner(what: Happening, atMs: number | undefined): void {
    if (atMs === undefined || atMs >= this.#nextAtMs) return;
    this.#nextAtMs = atMs;
    this.#next = what;
  }

  #lookAtPower(): void {
    this.#sooner("power returns", this.#powerReturns?.atMs);
    if (this.#powerReturns !== undefined || !this.#plugged) return;
    this.#sooner("power", this.#faults.nextPower()?.atMs);
    this.#sooner("cable", this.#unplugAtMs);
  }

  #happen(toMs: number): void {
    switch (this.#next) {
      case "power returns":
        this.#powerOn(this.#powerReturns?.intoLoader === true);
        return;
      case "cable":
        this.#pull(this.#nowMs);
        return;
      case "power":
        this.#losePower();
        return;
      case "line":
        this.#lineEvent();
        return;
      case "wake":
        this.#core.wake(this.#nowMs);
        return;
      case "input":
        this.#deliver(Math.min(toMs, this.#afterInputMs));
        return;
    }
  }

  #losePower(): void {
    const event = this.#faults.nextPower();
    if (event === undefined) return;
    this.#faults.dropPower(event);
    if (event.kind === "unplug") this.#pull(this.#nowMs);
    else this.#brownOut();
  }

  #powerOn(intoLoader: boolean): void {
    this.#powerReturns = undefined;
    this.#core.start("power-on", intoLoader, this.#nowMs);
  }

  #pull(nowMs: number): void {
    this.#plugged = false;
    this.#powerReturns = undefined;
    this.#unplugAtMs = Infinity;
    this.#wire.cut(nowMs);
    this.#core.cutPower(nowMs);
  }

  /** The bridge keeps its power, the chip loses it for a moment. */
  #brownOut(): void {
    this.#wire.silenceDevice(this.#nowMs);
    this.#core.cutPower(this.#nowMs);
    this.#powerReturns = { atMs: this.#nowMs + POWER_CUT_MS, intoLoader: false };
  }

  #lineEvent(): void {
    const event = this.#lines.take(this.#nowMs);
    if (event === undefined || this.#core.running === "off") return;
    if (event.kind === "release") {
      this.#core.start("pin", event.intoLoader, this.#nowMs);
      return;
    }
    this.#wire.silenceDevice(this.#nowMs);
    this.#core.stop("held-in-reset", this.#nowMs);
  }

  /** Bytes reach the chip, as many as come before anything else happens and as the receiver takes at once. */
  #deliver(limitMs: number): void {
    const input = this.#wire.peekToDevice(Math.max(limitMs, this.#nowMs));
    if (input === undefined) return;
    const { receiver } = this.#core;
    let count = input.bytes.length;
    if (receiver === undefined) this.#consume(count);
    else if (!input.sameRate && this.#core.adoptsRate) {
      this.#consume(count);
      this.#core.baud = input.baud;
    } else {
      if (this.#wire.hostBaud === 0 && this.#core.adoptsRate) this.#core.baud = RATELESS_BAUD;
      if (this.#wire.comesAfterPause()) receiver.lineWasIdle();
      count = receiver.take(input.bytes);
      const atMs = this.#consume(count);
      if (receiver.isReady) {
        this.#nowMs = Math.max(this.#nowMs, atMs);
        this.#core.wake(this.#nowMs);
      }
    }
  }

  /** @returns the arrival time of the last byte */
  #consume(count: number): number {
    this.#bytesIn += count;
    return this.#wire.consume(count);
  }

  #send(bytes: Uint8Array, nowMs: number): void {
    const { bytes: changed, unplugAfter } = this.#faults.onWire("out", bytes);
    const through = unplugAfter === undefined ? changed : changed.subarray(0, unplugAfter);
    this.#bytesOut += through.length;
    this.#wire.sendFromDevice(through, nowMs);
    if (unplugAfter !== undefined) this.#unplugAtMs = Math.max(this.#wire.deviceIdleMs(), nowMs);
  }

  #setDeviceBaud(baud: number): void {
    this.#wire.settle(this.#nowMs);
    this.#wire.deviceBaud = baud * this.#faults.clockFactor;
  }
}
