/**
 * The processor core: rp2040js executes ARMv6-M, which every Cortex-M understands; this runs it for a while, stops it, and
 * answers for its registers. Time is cycles here. The chip around it is the bus and `CpuHost`.
 *
 * The package's index brings the whole RP2040 along, five times the size of its core, and its exports map has no other door;
 * hence the path.
 */
import { CortexM0Core } from "../../../node_modules/rp2040js/dist/esm/cortex-m0-core.js";
import type { Bus } from "./bus.ts";

/**
 * `lockup`: a fault inside the fault handler; only a reset helps, or a debugger that moves the core elsewhere. `asleep`: waits
 * for an interrupt, of which there are none here.
 */
export type CpuState = "halted" | "running" | "asleep" | "lockup";

export interface CpuHost {
  /** A `udf` whose address is in the boot ROM. @returns cycles that the ROM needs before it goes on; undefined: it is through */
  romCall(number: number): number | undefined;
  /** The core stopped at a breakpoint or at a `bkpt` instruction; false: it is not to stop (a fault that was ordered). */
  mayStopAt(address: number): boolean;
}

export type RegisterName = "sp" | "lr" | "pc" | "xpsr" | "msp" | "psp" | "primask" | "control" | `r${number}`;

/** What of the package's core is used, its enumerations as the numbers that they are. */
type Core = Omit<CortexM0Core, "SPSEL" | "currentMode" | "switchStack"> & {
  SPSEL: number;
  currentMode: number;
  switchStack(stack: number): void;
};

type Rp2040 = ConstructorParameters<typeof CortexM0Core>[0];

const HARD_FAULT = 3;
const NMI = 2;
const UDF_T1 = 0xde00;
const THUMB_BIT = 0x0100_0000;
/** A lookup by the low bits of the program counter keeps breakpoints cheap. */
const FILTER_MASK = 0xfff;

interface Spin {
  pc: number;
  cycles: number;
  ramChanges: number;
  readonly registers: Uint32Array;
}

export class Cpu {
  state: CpuState = "halted";
  /** Cycles since the chip got power, executed or waited for. */
  cycles = 0;
  /** Instructions executed, for whoever measures. */
  instructions = 0;
  /** The core ran into a `bkpt`, a breakpoint or the debugger: how often it came to a halt. */
  halts = 0;
  readonly #core: Core;
  readonly #bus: Bus;
  readonly #host: CpuHost;
  readonly #romEnd: number;
  readonly #breakpoints = new Set<number>();
  readonly #filter = new Uint8Array(FILTER_MASK + 1);
  readonly #spin: Spin = { pc: -1, cycles: 0, ramChanges: -1, registers: new Uint32Array(16) };
  #thumb = true;
  #broke = false;
  #undefined = false;
  /** In the middle of a ROM call. */
  #inRom = false;
  #limit = 0;
  /** A breakpoint here does not count for the first instruction after a halt. */
  #resumedAt = -1;

  /** @param romEnd `udf` below this address calls the host */
  constructor(bus: Bus, host: CpuHost, romEnd: number) {
    this.#bus = bus;
    this.#host = host;
    this.#romEnd = romEnd;
    const note = () => (this.#undefined = true);
    const chip = {
      readUint32: (address: number) => bus.readUint32(address),
      readUint16: (address: number) => bus.readUint16(address),
      readUint8: (address: number) => bus.readUint8(address),
      writeUint32: (address: number, value: number) => bus.writeUint32(address, value),
      writeUint16: (address: number, value: number) => bus.writeUint16(address, value),
      writeUint8: (address: number, value: number) => bus.writeUint8(address, value),
      onBreak: () => (this.#broke = true),
      logger: { debug: () => undefined, info: () => undefined, warn: note, error: note },
    };
    this.#core = new CortexM0Core(chip as unknown as Rp2040);
  }

  /** Where the vector table is: VTOR. */
  get vectorTable(): number {
    return this.#core.VTOR;
  }

  set vectorTable(address: number) {
    this.#core.VTOR = address >>> 0;
  }

  get isRunning(): boolean {
    return this.state === "running";
  }

  get pc(): number {
    return (this.#core.PC & ~1) >>> 0;
  }

  /** Cycles of an access that takes long: the core waits for it. */
  stall(cycles: number): void {
    this.cycles += Math.max(0, Math.ceil(cycles));
  }

  /** Takes stack pointer and program counter from the vector table, as after a reset; runs. */
  reset(vectorTable: number): void {
    const core = this.#core;
    core.registers.fill(0);
    core.registers[14] = 0xffff_ffff;
    core.APSR = 0;
    core.IPSR = 0;
    core.PM = false;
    core.nPRIV = false;
    core.SPSEL = 0;
    core.currentMode = 0;
    core.waiting = false;
    core.eventRegistered = false;
    core.pendingNMI = core.pendingPendSV = core.pendingSVCall = core.pendingSystick = false;
    core.pendingInterrupts = core.enabledInterrupts = 0;
    core.VTOR = vectorTable;
    const [stack, entry] = [this.#bus.readUint32(vectorTable), this.#bus.readUint32(vectorTable + 4)];
    this.#bus.takeFault();
    core.SP = stack;
    core.bankedSP = 0;
    core.PC = entry & ~1;
    this.#thumb = (entry & 1) === 1;
    this.resume();
  }

  halt(): void {
    if (this.state === "halted") return;
    this.state = "halted";
    this.#core.waiting = false;
    this.halts++;
  }

  resume(): void {
    this.state = "running";
    this.#resumedAt = this.pc;
    this.#inRom = false;
    this.#spin.pc = -1;
    if (!this.#thumb) this.#fault();
  }

  setBreakpoint(address: number): void {
    this.#breakpoints.add(address);
    this.#filter[(address >>> 1) & FILTER_MASK] = 1;
  }

  clearBreakpoint(address: number): void {
    this.#breakpoints.delete(address);
    this.#filter.fill(0);
    for (const one of this.#breakpoints) this.#filter[(one >>> 1) & FILTER_MASK] = 1;
  }

  /** Ends a `run` that is under way after the present instruction. */
  pause(): void {
    this.#limit = -Infinity;
  }

  /** One instruction, from a halt to a halt. */
  step(): void {
    this.resume();
    this.#limit = this.cycles + 1;
    if (this.state === "running") this.#execute();
    this.halt();
  }

  /** Runs until the cycle count is reached, or until it stops by itself, whichever is first. */
  run(untilCycles: number): void {
    this.#limit = untilCycles;
    const { registers } = this.#core;
    while (this.isRunning && this.cycles < this.#limit) {
      const pc = ((registers[15] ?? 0) & ~1) >>> 0;
      if (this.#filter[(pc >>> 1) & FILTER_MASK] === 1 && this.#stopsAt(pc)) return;
      this.#execute();
      // `b .` stays there for good.
      if (registers[15] === pc && !this.#inRom) this.cycles = Math.max(this.cycles, this.#limit);
    }
  }

  /**
   * The core has read "still busy", which ends in `cycles`. If nothing but a count-down has changed since it read so last, what
   * it does is wait, and the rounds of its loop are leapt over.
   */
  readsBusyFor(cycles: number): void {
    const spin = this.#spin;
    const { registers } = this.#core;
    const period = this.cycles - spin.cycles;
    if (spin.pc === registers[15] && spin.ramChanges === this.#bus.ramChanges && period > 0) {
      const end = Math.min(this.cycles + cycles, this.#limit);
      this.#leap(Math.floor((end - this.cycles) / period) - 1, period);
    }
    spin.pc = registers[15] ?? 0;
    spin.cycles = this.cycles;
    spin.ramChanges = this.#bus.ramChanges;
    spin.registers.set(registers);
  }

  readRegister(name: RegisterName): number {
    const core = this.#core;
    const number = numberOf(name);
    if (number === 15) return this.pc;
    if (number !== undefined) return core.registers[number] ?? 0;
    if (name === "xpsr") return (core.APSR | core.IPSR | (this.#thumb ? THUMB_BIT : 0)) >>> 0;
    if (name === "msp") return core.SPmain;
    if (name === "psp") return core.SPprocess;
    if (name === "primask") return core.PM ? 1 : 0;
    return (core.SPSEL === 0 ? 0 : 2) | (core.nPRIV ? 1 : 0);
  }

  writeRegister(name: RegisterName, value: number): void {
    const core = this.#core;
    const number = numberOf(name);
    if (number === 15) core.PC = value & ~1;
    else if (number === 13) core.SP = value;
    else if (number !== undefined) core.registers[number] = value;
    else if (name === "xpsr") {
      core.xPSR = value;
      core.currentMode = core.IPSR === 0 ? 0 : 1;
      this.#thumb = (value & THUMB_BIT) !== 0;
    } else if (name === "msp") core.SPmain = value;
    else if (name === "psp") core.SPprocess = value;
    else if (name === "primask") core.PM = (value & 1) === 1;
    else {
      core.nPRIV = (value & 1) === 1;
      if (core.currentMode === 0) core.switchStack((value & 2) === 0 ? 0 : 1);
    }
  }

  /** Which interrupts are pended by software; see the interrupt registers of the chip. */
  pend(what: "PendSV" | "NMI"): void {
    if (what === "NMI") this.#core.pendingNMI = true;
    else this.#core.pendingPendSV = true;
    this.#core.interruptsUpdated = true;
  }

  #execute(): void {
    const core = this.#core;
    const before = core.PC;
    this.#resumedAt = -1;
    // In two steps: what the instruction reaches may add cycles of its own.
    const spent = core.executeInstruction();
    this.cycles += spent;
    this.instructions++;
    if (this.#broke) this.#break(before);
    else if (this.#bus.takeFault() || this.#undefined) {
      core.PC = before;
      this.#fault();
    }
    if (core.waiting && this.state === "running") this.state = "asleep";
  }

  #stopsAt(pc: number): boolean {
    if (pc === this.#resumedAt || !this.#breakpoints.has(pc) || !this.#host.mayStopAt(pc)) return false;
    this.halt();
    return true;
  }

  /** `bkpt` halts, and so does any `udf` of a ROM that is a call of ours. */
  #break(before: number): void {
    const core = this.#core;
    const pc = (before & ~1) >>> 0;
    const opcode = this.#bus.readUint16(pc);
    this.#broke = false;
    this.#bus.takeFault();
    if ((opcode & 0xff00) !== UDF_T1) {
      core.PC = pc;
      if (this.#host.mayStopAt(pc)) this.halt();
      return;
    }
    if (pc >= this.#romEnd) {
      core.PC = pc;
      this.#fault();
      return;
    }
    const wait = this.#host.romCall(opcode & 0xff);
    this.#inRom = wait !== undefined;
    if (wait === undefined) return;
    core.PC = pc;
    this.cycles += Math.max(1, Math.ceil(wait));
  }

  /** The hard fault handler's turn; a fault in there, or in fetching it, is the end. */
  #fault(): void {
    const core = this.#core;
    this.#undefined = false;
    this.#thumb = true;
    const isNested = core.IPSR === HARD_FAULT || core.IPSR === NMI;
    if (!isNested) {
      core.exceptionEntry(HARD_FAULT);
      const isThumb = (core.PC & 1) === 1;
      if (!this.#bus.takeFault() && isThumb) return;
    }
    core.PC = 0xffff_fffe;
    this.state = "lockup";
  }

  #leap(rounds: number, period: number): void {
    const { registers } = this.#core;
    const old = this.#spin.registers;
    let counter = -1;
    for (let at = 0; at < 15; at++) {
      if (registers[at] === old[at]) continue;
      if (counter !== -1 || registers[at] !== (old[at] ?? 0) - 1) return;
      counter = at;
    }
    const limited = counter === -1 ? rounds : Math.min(rounds, (registers[counter] ?? 0) - 2);
    if (limited <= 0) return;
    this.cycles += limited * period;
    if (counter !== -1) registers[counter] = (registers[counter] ?? 0) - limited;
  }
}

function numberOf(name: RegisterName): number | undefined {
  if (name === "sp") return 13;
  if (name === "lr") return 14;
  if (name === "pc") return 15;
  return /^r\d/.test(name) ? Number(name.slice(1)) : undefined;
}
