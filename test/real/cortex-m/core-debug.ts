/**
 * What a debugger sees of a Cortex-M0+ beside its memory: halting, single steps, registers, breakpoints, catching a reset, samples of the program
 * counter. Written from the ARMv6-M Architecture Reference Manual, C1; the core is that of rp2040js. Knows nothing of JTAG.
 */
import type { Rp2040Board } from "./rp2040-board.ts";

const msp = 8;
const psp = 9;
const primask = 16;
const control = 20;

/** CoreSight ROM table of the core, entries and identification. */
const tables: Readonly<Record<number, number>> = {
  0xe00ff000: 0xfff0f003, // SCS
  0xe00ff004: 0xfff02003, // DWT
  0xe00ff008: 0xfff03003, // BPU
  0xe00fffcc: 1,
  ...identification(0xe00ff000, [0xc0, 0xb4, 0x0b, 0x00, 0x04], 0x10),
  ...identification(0xe000e000, [0x08, 0xb0, 0x0b, 0x00, 0x04], 0xe0),
  ...identification(0xe0001000, [0x0a, 0xb0, 0x0b, 0x00, 0x04], 0xe0),
  ...identification(0xe0002000, [0x0b, 0xb0, 0x0b, 0x00, 0x04], 0xe0),
};

function identification(base: number, [p0 = 0, p1 = 0, p2 = 0, p3 = 0, p4 = 0]: readonly number[], kind: number) {
  const bytes = {
    0xfd0: p4,
    0xfe0: p0,
    0xfe4: p1,
    0xfe8: p2,
    0xfec: p3,
    0xff0: 0x0d,
    0xff4: kind,
    0xff8: 5,
    0xffc: 0xb1,
  };
  return Object.fromEntries(Object.entries(bytes).map(([offset, value]) => [base + Number(offset), value]));
}

export class CoreDebug {
  /** Times that the core was stopped, by whatever. */
  halts = 0;
  readonly #board: Rp2040Board;
  #isHalted = false;
  #control = 0;
  #wasReset = true;
  #hasRetired = false;
  #exceptionCatch = 0;
  #faultStatus = 0;
  #data = 0;
  #breakpointsOn = false;
  readonly #comparators = [0, 0, 0, 0];

  constructor(board: Rp2040Board) {
    this.#board = board;
    board.rp2040.onBreak = () => this.#breakpoint();
  }

  get isHalted(): boolean {
    return this.#isHalted;
  }

  /** @returns undefined for what is plain memory or a register of the core itself */
  read(address: number): number | undefined {
    switch (address) {
      case 0xe000ed30:
        return this.#faultStatus;
      case 0xe000ed0c:
        return 0xfa050000;
      case 0xe000edf0:
        return this.#status();
      case 0xe000edf8:
        return this.#data;
      case 0xe000edfc:
        return this.#exceptionCatch;
      case 0xe000101c:
        return this.#sample();
      case 0xe0002000:
        return (this.#comparators.length << 4) | (this.#breakpointsOn ? 1 : 0);
      default:
        if (address >= 0xe0002008 && address < 0xe0002018) return this.#comparators[(address - 0xe0002008) / 4] ?? 0;
        if (address < 0xe0000000 || (address >= 0xe000e010 && address <= 0xe000ed3c)) return undefined;
        return tables[address] ?? 0;
    }
  }

  /** @returns whether it was a register of the debugger's */
  write(address: number, value: number): boolean {
    switch (address) {
      case 0xe000ed30:
        this.#faultStatus &= ~value;
        return true;
      case 0xe000ed0c:
        if (value >>> 16 === 0x05fa && (value & 4) !== 0) this.#reset();
        return true;
      case 0xe000edf0:
        if (value >>> 16 === 0xa05f) this.#setControl(value & 0xf);
        return true;
      case 0xe000edf4:
        this.#transfer(value & 0x7f, (value & 0x10000) !== 0);
        return true;
      case 0xe000edf8:
        this.#data = value;
        return true;
      case 0xe000edfc:
        this.#exceptionCatch = value;
        return true;
      case 0xe0002000:
        if ((value & 2) !== 0) this.#breakpointsOn = (value & 1) !== 0;
        return true;
      default:
        if (address >= 0xe0002008 && address < 0xe0002018) this.#comparators[(address - 0xe0002008) / 4] = value;
        return address >= 0xe0000000 && (address < 0xe000e010 || address > 0xe000ed3c);
    }
  }

  /** Lets the core go on; at most so many instructions. Returns at once where it is halted. */
  run(instructions: number): void {
    const { core } = this.#board.rp2040;
    let cycles = 0;
    for (let count = 0; count < instructions && !this.#isHalted; count++) {
      if (core.waiting) {
        if (core.interruptsUpdated) core.executeInstruction();
        else break;
      } else if (this.#breakpointsOn && this.#isBreakpoint(core.PC)) this.#halt(2);
      else if (!canRun(core.PC)) this.#halt(0);
      else cycles += core.executeInstruction();
    }
    if (cycles > 0) this.#hasRetired = true;
    // 125 MHz; a sleeping core waits for what its timers bring.
    this.#board.clock.tick(core.waiting ? 1e6 : cycles * 8);
  }

  #status(): number {
    const status =
      this.#control |
      (1 << 16) |
      (this.#isHalted ? 1 << 17 : 0) |
      (this.#board.rp2040.core.waiting ? 1 << 18 : 0) |
      (this.#hasRetired ? 1 << 24 : 0) |
      (this.#wasReset ? 1 << 25 : 0);
    this.#wasReset = false;
    this.#hasRetired = false;
    return status;
  }

  #setControl(value: number): void {
    this.#control = value;
    const isWanted = (value & 3) === 3;
    if (isWanted && !this.#isHalted) {
      this.#halt(1);
      return;
    }
    if (isWanted || !this.#isHalted) return;
    this.#isHalted = false;
    if ((value & 5) !== 5) return;
    this.#board.rp2040.core.executeInstruction();
    this.#hasRetired = true;
    // A breakpoint may have been faster.
    this.#halt(1);
  }

  #halt(reason: number): void {
    if (this.#isHalted) return;
    this.#board.rp2040.core.waiting = false;
    this.#isHalted = true;
    this.#control |= 2;
    this.#faultStatus |= reason;
    this.halts++;
  }

  #breakpoint(): void {
    const { core } = this.#board.rp2040;
    core.PC -= core.breakRewind;
    this.#halt(2);
  }

  #isBreakpoint(pc: number): boolean {
    return this.#comparators.some((one) => {
      if ((one & 1) === 0 || ((one ^ pc) & 0x1ffffffc) !== 0) return false;
      const half = (pc & 2) === 0 ? 1 << 30 : 1 << 31;
      return (one & half) !== 0;
    });
  }

  #reset(): void {
    this.#board.reset();
    this.#wasReset = true;
    this.#isHalted = false;
    this.#control &= 1;
    if ((this.#exceptionCatch & 1) !== 0 && (this.#control & 1) !== 0) this.#halt(8);
  }

  /** 0xFFFFFFFF while there is nothing to see; needs TRCENA. */
  #sample(): number {
    const { core } = this.#board.rp2040;
    if ((this.#exceptionCatch & (1 << 24)) === 0) return 0;
    return this.#isHalted || core.waiting ? 0xffffffff : core.PC >>> 0;
  }

  #transfer(selector: number, isWrite: boolean): void {
    const { core } = this.#board.rp2040;
    if (!isWrite) {
      this.#data = this.#register(selector) >>> 0;
      return;
    }
    const value = this.#data >>> 0;
    if (selector === 13) core.SP = value;
    else if (selector === 15) core.PC = value & ~1;
    else if (selector < 16) core.registers[selector] = value;
    else if (selector === 16) core.xPSR = value;
    else if (selector === 17) core.writeSpecialRegister(msp, value);
    else if (selector === 18) core.writeSpecialRegister(psp, value);
    else if (selector === 20) {
      core.writeSpecialRegister(control, value >>> 24);
      core.writeSpecialRegister(primask, value & 1);
    }
  }

  #register(selector: number): number {
    const { core } = this.#board.rp2040;
    if (selector < 16) return core.registers[selector] ?? 0;
    if (selector === 16) return core.xPSR;
    if (selector === 17) return core.readSpecialRegister(msp);
    if (selector === 18) return core.readSpecialRegister(psp);
    if (selector !== 20) return 0;
    return (core.readSpecialRegister(control) << 24) | core.readSpecialRegister(primask);
  }
}

/** ROM, flash or RAM; a core that runs anywhere else would be locked up. */
function canRun(pc: number): boolean {
  const region = pc >>> 28;
  return region === 2 || region === 1 || (region === 0 && pc >= 8 && pc < 0x4000);
}
