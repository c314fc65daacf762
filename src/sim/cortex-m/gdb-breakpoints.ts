/** The breakpoints that a client of a GDB server has set, as many as the chip has. */
import type { Personality } from "./personalities.ts";
import type { Probe, Work } from "./probe.ts";

/** Hardware breakpoints of the older kind reach code addresses only. */
const CODE_END = 0x2000_0000;

export type BreakpointAnswer = "OK" | "E0E" | "";

export class Breakpoints {
  readonly #probe: Probe;
  readonly #personality: Personality;
  readonly #hardware = new Set<number>();
  readonly #software = new Set<number>();

  constructor(probe: Probe, personality: Personality) {
    this.#probe = probe;
    this.#personality = personality;
  }

  forget(): void {
    for (const address of [...this.#hardware, ...this.#software]) this.#probe.machine.cpu.clearBreakpoint(address);
    this.#hardware.clear();
    this.#software.clear();
  }

  /** @param what behind `Z` or `z`: kind, address, size */
  *change(isSet: boolean, what: string): Work<BreakpointAnswer> {
    const [kind, text = ""] = what.split(",");
    const address = Number.parseInt(text, 16) & ~1;
    if (kind !== "1" && !(kind === "0" && this.#personality.hasSoftBreakpoints)) return "";
    if (kind === "1" && isSet && !this.#hasHardwareFor(address)) return "E0E";
    yield* this.#probe.roundTrip();
    const own = kind === "1" ? this.#hardware : this.#software;
    if (isSet) {
      own.add(address);
      this.#probe.machine.cpu.setBreakpoint(address);
    } else {
      own.delete(address);
      this.#probe.machine.cpu.clearBreakpoint(address);
    }
    return "OK";
  }

  #hasHardwareFor(address: number): boolean {
    const { chip } = this.#probe.machine;
    return (chip.core === "cortex-m7" || address < CODE_END) && this.#hardware.size < chip.breakpoints;
  }
}
