/**
 * A debug probe between a server and a chip: what each access costs, as generators that yield the milliseconds to let pass.
 * Effects take place when the time is over. Knows no protocol of either side.
 */
import type { FaultPlan } from "../faults.ts";
import type { RegisterName } from "./cpu.ts";
import type { Machine } from "./machine.ts";

/** Yields how long to wait, in milliseconds, as often as it needs; returns the result. */
export type Work<T> = Generator<number, T>;

export interface ProbeLink {
  /** From the server to the probe, each way, ms: a USB transaction. */
  readonly latencyMs: number;
  /** Between server and probe, both directions. */
  readonly bytesPerSecond: number;
  /** The wire clock between probe and chip. */
  readonly clockHz: number;
}

/** One word over SWD: request, acknowledge, data, parity, turn-rounds and idle clocks (ADIv5, chapter B4). */
const CLOCKS_PER_WORD = 50;

export class Probe {
  readonly machine: Machine;
  clockHz: number;
  /** Round trips to the probe. */
  roundTrips = 0;
  readonly #link: ProbeLink;
  readonly #faults: FaultPlan;
  #now: () => number;

  constructor(parts: { machine: Machine; link: ProbeLink; faults: FaultPlan; nowMs: () => number }) {
    this.machine = parts.machine;
    this.clockHz = parts.link.clockHz;
    this.#link = parts.link;
    this.#faults = parts.faults;
    this.#now = parts.nowMs;
  }

  get nowMs(): number {
    return this.#now();
  }

  /** What moving so many bytes takes beyond the latency. */
  transferMs(bytes: number): number {
    const wireMs = (Math.ceil(bytes / 4) * CLOCKS_PER_WORD * 1000) / this.clockHz;
    return Math.max(wireMs, (bytes * 1000) / this.#link.bytesPerSecond);
  }

  *roundTrip(count = 1): Work<void> {
    this.roundTrips += count;
    yield count * (2 * this.#link.latencyMs + this.transferMs(8));
  }

  /** undefined where no memory answers. */
  *read(address: number, length: number): Work<Uint8Array | undefined> {
    this.roundTrips++;
    yield 2 * this.#link.latencyMs + this.transferMs(length);
    const data = this.machine.readMemory(address, length);
    yield* this.#untilChipIsThere();
    return data;
  }

  /** @returns false where no memory answers */
  *write(address: number, data: Uint8Array): Work<boolean> {
    this.roundTrips++;
    yield 2 * this.#link.latencyMs + this.transferMs(data.length);
    if (this.#faults.begun("lost-write")) return true;
    const done = this.machine.writeMemory(address, data);
    yield* this.#untilChipIsThere();
    return done;
  }

  *readRegister(name: RegisterName): Work<number> {
    yield* this.roundTrip();
    return this.machine.cpu.readRegister(name);
  }

  *writeRegister(name: RegisterName, value: number): Work<void> {
    yield* this.roundTrip();
    this.machine.cpu.writeRegister(name, value);
  }

  /** Request, and a look whether it was heard. */
  *halt(): Work<void> {
    yield* this.roundTrip(2);
    if (!this.#faults.begun("no-halt")) this.machine.cpu.halt();
  }

  *resume(): Work<void> {
    yield* this.roundTrip();
    this.machine.cpu.resume();
  }

  *step(): Work<void> {
    yield* this.roundTrip(2);
    this.machine.cpu.step();
  }

  /** @param holdMs how long this server takes over a reset, beyond the probe's round trips */
  *reset(then: "run" | "halt", holdMs: number): Work<void> {
    yield* this.roundTrip(2);
    yield holdMs;
    this.machine.reset(then);
    yield* this.roundTrip();
  }

  /** The access itself may have had to wait for the chip. */
  *#untilChipIsThere(): Work<void> {
    const lateMs = this.machine.nowMs - this.#now();
    if (lateMs > 0.001) yield lateMs;
  }
}
