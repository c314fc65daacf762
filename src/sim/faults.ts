/** Lets ordered faults happen: to bytes on the wire, to commands, to the flash chip, to the power. Seeded, so that a run can be had again. */
import type { Direction, Fault } from "./fault-spec.ts";
import type { NorFaults, NorWork } from "./nor-flash.ts";
import { Random } from "./random.ts";

export interface PowerEvent {
  readonly kind: "unplug" | "power-cut";
  readonly atMs: number;
}

type ByteFault = Extract<Fault, { place: unknown }>;

export class FaultPlan implements NorFaults {
  readonly badSectors: ReadonlySet<number>;
  readonly stuckBits: ReadonlyMap<number, number>;
  readonly clockFactor: number;
  readonly bootNoise: Uint8Array;
  /** Bytes are counted, and hit, from then on. */
  isArmed = false;
  readonly #faults: readonly Fault[];
  readonly #random: Random;
  readonly #power: PowerEvent[];
  readonly #commands = new Map<string, number>();
  readonly #position: Record<Direction, number> = { in: 0, out: 0 };

  constructor(faults: readonly Fault[], seed: number) {
    this.#faults = faults;
    this.#random = new Random(seed ^ 0x6661756c);
    this.badSectors = new Set(faults.flatMap((fault) => (fault.kind === "bad-sector" ? [fault.address] : [])));
    const bits = new Map<number, number>();
    for (const fault of faults) {
      if (fault.kind === "stuck-bit") bits.set(fault.address, (bits.get(fault.address) ?? 0) | (1 << fault.bit));
    }
    this.stuckBits = bits;
    this.#power = faults.flatMap((fault) => ("atMs" in fault ? [{ kind: fault.kind, atMs: fault.atMs }] : []));
    this.clockFactor = faults.reduce((factor, fault) => (fault.kind === "clock" ? factor * fault.factor : factor), 1);
    const noise = faults.reduce((sum, fault) => (fault.kind === "boot-noise" ? sum + fault.bytes : sum), 0);
    this.bootNoise = Uint8Array.from({ length: noise }, () => this.#random.byte());
  }

  begins(work: NorWork): boolean {
    let isStuck = false;
    for (const fault of this.#faults) {
      if (!("work" in fault) || fault.work !== work.kind || fault.number !== work.number) continue;
      if (fault.kind === "stuck-busy") isStuck = true;
      else this.#power.push({ kind: fault.kind, atMs: (work.startMs + work.endMs) / 2 });
    }
    return isStuck;
  }

  /** Call once per command. */
  commandFate(name: string): "normal" | "stall" | "silence" {
    const number = (this.#commands.get(name) ?? 0) + 1;
    this.#commands.set(name, number);
    const fault = this.#faults.find((one) => "command" in one && one.command === name && one.number === number);
    return fault?.kind === "stall" || fault?.kind === "silence" ? fault.kind : "normal";
  }

  /** The answer to the command whose fate was asked last comes, and is nonsense. */
  garbles(name: string): boolean {
    const number = this.#commands.get(name) ?? 0;
    return this.#faults.some((one) => one.kind === "garble" && one.command === name && one.number === number);
  }

  /** Call once per occasion. @returns true from the occasion on that the fault names */
  begun(kind: "lost-write" | "no-halt" | "no-end"): boolean {
    const number = (this.#commands.get(kind) ?? 0) + 1;
    this.#commands.set(kind, number);
    return this.#faults.some((one) => one.kind === kind && number >= one.number);
  }

  /** The next thing that happens to the power, earliest first. */
  nextPower(): PowerEvent | undefined {
    return this.#power.reduce<PowerEvent | undefined>(
      (first, one) => (first === undefined || one.atMs < first.atMs ? one : first),
      undefined,
    );
  }

  dropPower(event: PowerEvent): void {
    this.#power.splice(this.#power.indexOf(event), 1);
  }

  /**
   * What becomes of bytes handed to the wire. Counts them.
   * @returns the bytes, and how many of them get through before the cable is pulled, if it is
   */
  onWire(direction: Direction, bytes: Uint8Array): { readonly bytes: Uint8Array; readonly unplugAfter?: number } {
    if (!this.isArmed) return { bytes };
    const from = this.#position[direction];
    this.#position[direction] += bytes.length;
    const unplug = this.#faults.find(
      (fault) =>
        fault.kind === "unplug" &&
        "at" in fault &&
        fault.direction === direction &&
        fault.at >= from &&
        fault.at < from + bytes.length,
    );
    const changed = this.#change(direction, bytes, from);
    return unplug !== undefined && "at" in unplug
      ? { bytes: changed, unplugAfter: unplug.at - from }
      : { bytes: changed };
  }

  #change(direction: Direction, bytes: Uint8Array, from: number): Uint8Array {
    const faults = this.#faults.filter(
      (fault): fault is ByteFault => "place" in fault && fault.direction === direction,
    );
    const hits = faults
      .flatMap((fault) => this.#hits(fault, from, bytes.length).map((at) => ({ at, kind: fault.kind })))
      .sort((a, b) => a.at - b.at);
    if (hits.length === 0) return bytes;
    const out: number[] = [];
    let next = 0;
    for (const { at, kind } of hits) {
      while (next < at) out.push(bytes[next++] ?? 0);
      const byte = bytes[at] ?? 0;
      if (next > at) continue;
      next = at + 1;
      if (kind === "flip") out.push(byte ^ (1 << (this.#random.u32() & 7)));
      else if (kind === "double") out.push(byte, byte);
    }
    while (next < bytes.length) out.push(bytes[next++] ?? 0);
    return Uint8Array.from(out);
  }

  /** Offsets in the piece that a fault hits. Random ones: the distance to the next hit is drawn, not every byte. */
  #hits(fault: ByteFault, from: number, length: number): number[] {
    const { place } = fault;
    if ("at" in place) return place.at >= from && place.at < from + length ? [place.at - from] : [];
    const hits: number[] = [];
    if (place.rate <= 0) return hits;
    const distance = () => Math.floor(Math.log(1 - this.#random.unit()) / Math.log(1 - Math.min(place.rate, 0.999)));
    for (let at = distance(); at < length; at += 1 + distance()) hits.push(at);
    return hits;
  }
}
