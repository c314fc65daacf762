/**
 * A Cortex-M board behind a debug probe and a GDB server, as whoever connects to the server sees it. Joins chip, probe, server
 * and socket on one time line; all that happens is worked on in the order of its time.
 */
import { concat } from "../../core/bytes.ts";
import { FlashError } from "../../core/errors.ts";
import type { SimBoard, SimCounters } from "../board.ts";
import type { FaultPlan } from "../faults.ts";
import type { SimChip } from "./chips.ts";
import { GdbServer } from "./gdb-server.ts";
import { Machine } from "./machine.ts";
import type { Personality } from "./personalities.ts";
import { Probe, type ProbeLink } from "./probe.ts";

export interface CortexBoardParts {
  readonly chip: SimChip;
  readonly flash: Uint8Array;
  readonly personality: Personality;
  readonly probe: ProbeLink;
  readonly socket: SocketLink;
  readonly faults: FaultPlan;
  readonly seed: number;
  readonly isLocked: boolean;
  readonly packsReplies: boolean;
}

/** Between client and server. */
export interface SocketLink {
  /** Each way, ms. */
  readonly latencyMs: number;
  /** In each direction. Infinity for a server on the same machine. */
  readonly bytesPerSecond: number;
}

export interface CortexCounters extends SimCounters {
  /** How often the core came to a halt. */
  readonly halts: number;
  /** Round trips between server and probe. */
  readonly probeRoundTrips: number;
  /** Instructions that the core has executed. */
  readonly instructions: number;
  /** What a flash driver must not do, by name. */
  readonly violations: Readonly<Record<string, number>>;
}

/** Bytes on their way. */
interface Parcel {
  readonly bytes: Uint8Array;
  readonly atMs: number;
}

const nothing = new Uint8Array(0);

export class CortexBoard implements SimBoard {
  readonly #parts: CortexBoardParts;
  readonly #machine: Machine;
  readonly #probe: Probe;
  readonly #server: GdbServer;
  #toServer: Parcel[] = [];
  #toClient: Parcel[] = [];
  #inFreeMs = 0;
  #outFreeMs = 0;
  #nowMs = 0;
  #isConnected = false;
  #isGone = false;
  #goneAtMs = Infinity;
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(parts: CortexBoardParts) {
    this.#parts = parts;
    const { chip, flash, faults, seed, isLocked } = parts;
    const mayStop = () => !faults.begun("no-end");
    this.#machine = new Machine({ chip, flash, faults, seed, isLocked, mayStop });
    const nowMs = () => this.#nowMs;
    this.#probe = new Probe({ machine: this.#machine, link: parts.probe, faults, nowMs });
    this.#server = new GdbServer({
      probe: this.#probe,
      personality: parts.personality,
      faults,
      packsReplies: parts.packsReplies,
      send: (bytes) => this.#send(bytes),
    });
    faults.isArmed = true;
  }

  get chip(): SimChip {
    return this.#parts.chip;
  }

  /** The contents of the whole flash memory, live. */
  get flash(): Uint8Array {
    return this.#machine.flash.bytes;
  }

  /** Erases of each erase unit. */
  get wear(): Uint32Array {
    return this.#machine.flash.wear;
  }

  /** What the firmware printed, the last 64 Ki characters or more. */
  get bootLog(): string {
    return this.#machine.console;
  }

  get running(): string {
    return this.#machine.cpu.state;
  }

  get isUnplugged(): boolean {
    return this.#isGone;
  }

  /** The chip and the probe, for who measures without a server: see baseline.ts. */
  get bench(): { readonly machine: Machine; readonly probe: Probe; readonly advance: (ms: number) => void } {
    return {
      machine: this.#machine,
      probe: this.#probe,
      advance: (ms) => this.#settle(this.#nowMs + ms),
    };
  }

  hostConnects(atMs: number): void {
    this.#settle(atMs);
    this.#toServer = [];
    this.#toClient = [];
    this.#isConnected = true;
    this.#server.connect(this.#nowMs);
  }

  hostLeaves(atMs: number): void {
    this.#settle(atMs);
    this.#toServer = [];
    this.#toClient = [];
    this.#isConnected = false;
    this.#server.disconnect();
  }

  receive(bytes: Uint8Array, atMs: number): void {
    if (!this.#isConnected) this.hostConnects(atMs);
    this.#settle(atMs);
    if (this.#isGone || bytes.length === 0) return;
    const { bytes: changed, unplugAfter } = this.#parts.faults.onWire("in", bytes.slice());
    const through = unplugAfter === undefined ? changed : changed.subarray(0, unplugAfter);
    this.#inFreeMs = Math.max(atMs, this.#inFreeMs) + this.#wireMs(through.length);
    const arrivesMs = this.#inFreeMs + this.#parts.socket.latencyMs;
    this.#toServer.push({ bytes: through, atMs: arrivesMs });
    if (unplugAfter !== undefined) this.#goneAtMs = arrivesMs;
  }

  /** A socket has no modem lines. */
  setSignals(): void {
    return;
  }

  /** Nor has it a rate. */
  setBaudRate(): void {
    return;
  }

  /** Somebody presses the board's reset button. */
  pressReset(atMs: number): void {
    this.#settle(atMs);
    this.#machine.reset("run");
  }

  nextEventMs(): number | undefined {
    const arrival = this.#toClient[0]?.atMs ?? Infinity;
    const next = Math.min(this.#nextMs(), arrival, this.#server.nextMs());
    return next === Infinity ? undefined : Math.max(next, this.#nowMs);
  }

  advance(toMs: number): Uint8Array {
    this.#settle(toMs);
    const due = this.#toClient.filter((parcel) => parcel.atMs <= this.#nowMs);
    this.#toClient = this.#toClient.slice(due.length);
    if (due.length === 0 && this.#isGone) {
      throw new FlashError("disconnected", `the GDB server of the simulated ${this.chip.title} has gone`);
    }
    return due.length === 0 ? nothing : concat(due.map((parcel) => parcel.bytes));
  }

  counters(): CortexCounters {
    const flash = this.#machine.flash.counters();
    return {
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      erases: flash.erases,
      pagesProgrammed: flash.programs,
      flashBusyMs: flash.busyMs,
      commands: { ...this.#server.packets },
      resets: this.#machine.resets,
      halts: this.#machine.cpu.halts,
      probeRoundTrips: this.#probe.roundTrips,
      instructions: this.#machine.cpu.instructions,
      violations: flash.violations,
    };
  }

  #nextMs(): number {
    const power = this.#parts.faults.nextPower();
    const powerMs = power === undefined ? Infinity : power.atMs;
    return Math.min(this.#toServer[0]?.atMs ?? Infinity, powerMs, this.#goneAtMs);
  }

  #settle(toMs: number): void {
    while (!this.#isGone) {
      const atMs = Math.min(this.#nextMs(), this.#server.nextMs());
      if (atMs > toMs) break;
      this.#moveTo(atMs);
      this.#happen();
    }
    this.#moveTo(toMs);
  }

  #moveTo(atMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, atMs);
    this.#machine.runUntil(this.#nowMs);
  }

  #happen(): void {
    if (this.#goneAtMs <= this.#nowMs) {
      this.#isGone = true;
      return;
    }
    const power = this.#parts.faults.nextPower();
    if (power !== undefined && power.atMs <= this.#nowMs) {
      this.#parts.faults.dropPower(power);
      if (power.kind === "unplug") this.#isGone = true;
      this.#machine.cutPower();
      return;
    }
    const [parcel] = this.#toServer;
    if (parcel !== undefined && parcel.atMs <= this.#nowMs) {
      this.#toServer.shift();
      this.#bytesIn += parcel.bytes.length;
      this.#server.receive(parcel.bytes, this.#nowMs);
      return;
    }
    this.#server.proceed(this.#nowMs);
  }

  #send(bytes: Uint8Array): void {
    const { bytes: changed, unplugAfter } = this.#parts.faults.onWire("out", bytes);
    const through = unplugAfter === undefined ? changed : changed.subarray(0, unplugAfter);
    this.#bytesOut += through.length;
    this.#outFreeMs = Math.max(this.#nowMs, this.#outFreeMs) + this.#wireMs(through.length);
    this.#toClient.push({ bytes: through, atMs: this.#outFreeMs + this.#parts.socket.latencyMs });
    if (unplugAfter !== undefined) this.#goneAtMs = this.#nowMs;
  }

  #wireMs(bytes: number): number {
    return (bytes * 1000) / this.#parts.socket.bytesPerSecond;
  }
}
