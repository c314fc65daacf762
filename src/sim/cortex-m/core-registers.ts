/** The private peripheral bus of a Cortex-M, as far as firmware, loaders and debuggers look at it (ARMv6-M and ARMv7-M manuals, B3 and C1). */
import type { Peripheral } from "./bus.ts";
import type { Cpu } from "./cpu.ts";

export const CORE_REGISTERS = { start: 0xe000_0000, size: 0x0010_0000 };

const DWT_PCSR = 0x0_101c;
const CPUID = 0x0_ed00;
const ICSR = 0x0_ed04;
const VTOR = 0x0_ed08;
const AIRCR = 0x0_ed0c;
const DFSR = 0x0_ed30;
const DHCSR = 0x0_edf0;
const DEMCR = 0x0_edfc;

const AIRCR_KEY = 0x05fa;
const SYSRESETREQ = 4;
const DHCSR_KEY = 0xa05f;
const C_DEBUGEN = 1;
const C_HALT = 2;
const S_REGRDY = 1 << 16;
const S_HALT = 1 << 17;
const S_SLEEP = 1 << 18;
const S_LOCKUP = 1 << 19;
const TRCENA = 1 << 24;
const VC_CORERESET = 1;

export interface CoreRegisterHost {
  readonly cpuid: number;
  /** A core without a VTOR keeps its table at 0. */
  readonly hasVtor: boolean;
  /** AIRCR.SYSRESETREQ. */
  requestReset(): void;
}

export class CoreRegisters implements Peripheral {
  readonly #cpu: Cpu;
  readonly #host: CoreRegisterHost;
  readonly #others = new Map<number, number>();
  #debug = 0;
  #demcr = 0;

  constructor(cpu: Cpu, host: CoreRegisterHost) {
    this.#cpu = cpu;
    this.#host = host;
  }

  /** Debug registers survive a reset. */
  reset(): void {
    this.#others.clear();
  }

  /** The debugger asked for a halt right after reset. */
  get catchesReset(): boolean {
    return (this.#demcr & VC_CORERESET) !== 0 && (this.#debug & C_DEBUGEN) !== 0;
  }

  read(offset: number): number {
    switch (offset) {
      case CPUID:
        return this.#host.cpuid;
      case VTOR:
        return this.#cpu.vectorTable;
      case AIRCR:
        return 0xfa05_0000;
      case DHCSR:
        return this.#readDebug();
      case DEMCR:
        return this.#demcr;
      case DWT_PCSR:
        if ((this.#demcr & TRCENA) === 0) return 0;
        return this.#cpu.state === "running" ? this.#cpu.pc : 0xffff_ffff;
      case ICSR:
      case DFSR:
        return 0;
      default:
        return this.#others.get(offset) ?? 0;
    }
  }

  write(offset: number, value: number): void {
    if (offset === VTOR) {
      if (this.#host.hasVtor) this.#cpu.vectorTable = value & ~0x7f;
    } else if (offset === AIRCR) {
      if (value >>> 16 === AIRCR_KEY && (value & SYSRESETREQ) !== 0) this.#host.requestReset();
    } else if (offset === ICSR) {
      if ((value & (1 << 28)) !== 0) this.#cpu.pend("PendSV");
      if ((value & (1 << 31)) !== 0) this.#cpu.pend("NMI");
    } else if (offset === DHCSR) this.#writeDebug(value);
    else if (offset === DEMCR) this.#demcr = value;
    else if (offset !== CPUID && offset !== DWT_PCSR && offset !== DFSR) this.#others.set(offset, value);
  }

  #readDebug(): number {
    const { state } = this.#cpu;
    const seen = { halted: S_HALT, asleep: S_SLEEP, lockup: S_LOCKUP, running: 0 }[state];
    return this.#debug | S_REGRDY | seen | (state === "halted" ? C_HALT : 0);
  }

  #writeDebug(value: number): void {
    if (value >>> 16 !== DHCSR_KEY) return;
    this.#debug = value & C_DEBUGEN;
    if ((value & C_HALT) !== 0) this.#cpu.halt();
    else if (this.#cpu.state === "halted") this.#cpu.resume();
  }
}
