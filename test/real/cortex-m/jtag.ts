/** A JTAG port with one debug port on it, driven by OpenOCD's remote_bitbang protocol: a letter for each change of the lines. IEEE 1149.1, ADIv5. */
import type { DebugPort } from "./debug-port.ts";

type State =
  "reset" | "idle" | `${"select" | "capture" | "shift" | "exit1" | "pause" | "exit2" | "update"}-${"dr" | "ir"}`;

/** Where TMS low and TMS high lead. */
const next: Readonly<Record<State, readonly [State, State]>> = {
  reset: ["idle", "reset"],
  idle: ["idle", "select-dr"],
  "select-dr": ["capture-dr", "select-ir"],
  "capture-dr": ["shift-dr", "exit1-dr"],
  "shift-dr": ["shift-dr", "exit1-dr"],
  "exit1-dr": ["pause-dr", "update-dr"],
  "pause-dr": ["pause-dr", "exit2-dr"],
  "exit2-dr": ["shift-dr", "update-dr"],
  "update-dr": ["idle", "select-dr"],
  "select-ir": ["capture-ir", "reset"],
  "capture-ir": ["shift-ir", "exit1-ir"],
  "shift-ir": ["shift-ir", "exit1-ir"],
  "exit1-ir": ["pause-ir", "update-ir"],
  "pause-ir": ["pause-ir", "exit2-ir"],
  "exit2-ir": ["shift-ir", "update-ir"],
  "update-ir": ["idle", "select-dr"],
};

const idCode = 0x4ba00477;
const irBits = 4;
const [debugPort, accessPort, id] = [0xa, 0xb, 0xe];
const acknowledged = 2;

export class JtagPort {
  readonly #port: DebugPort;
  #state: State = "reset";
  #instruction = id;
  /** Up to 35 bits: more than bit operations take, so it is halved and doubled. */
  #shifted = 0;
  #clock = 0;

  constructor(port: DebugPort) {
    this.#port = port;
  }

  /** @returns the answers to what asked for one, and whether the other end said goodbye */
  receive(letters: Uint8Array): { readonly answers: string; readonly isOver: boolean } {
    let answers = "";
    for (const letter of letters) {
      const lines = letter - 0x30; // '0'
      if (lines >= 0 && lines < 8) this.#set(lines);
      else if (letter === 0x52) answers += this.#isShifting() && this.#shifted % 2 === 1 ? "1" : "0";
      else if (letter === 0x51) return { answers, isOver: true };
      else if (letter === 0x74 || letter === 0x75) this.#enter("reset"); // 't', 'u': TRST
    }
    return { answers, isOver: false };
  }

  #isShifting(): boolean {
    return this.#state === "shift-dr" || this.#state === "shift-ir";
  }

  #set(lines: number): void {
    const clock = lines & 4;
    const isRising = clock !== 0 && this.#clock === 0;
    this.#clock = clock;
    if (!isRising) return;
    this.#act(lines & 1);
    this.#enter(next[this.#state][(lines & 2) >> 1] ?? "reset");
  }

  #act(tdi: number): void {
    if (this.#state === "capture-ir") this.#shifted = 1;
    else if (this.#state === "capture-dr") this.#shifted = this.#captured();
    else if (this.#isShifting())
      this.#shifted = Math.floor(this.#shifted / 2) + (tdi === 0 ? 0 : 2 ** (this.#length() - 1));
  }

  #enter(state: State): void {
    this.#state = state;
    if (state === "reset") this.#instruction = id;
    else if (state === "update-ir") this.#instruction = this.#shifted;
    else if (state === "update-dr") this.#update();
  }

  #length(): number {
    if (this.#state === "shift-ir") return irBits;
    if (this.#instruction === id) return 32;
    return this.#instruction >= 8 && this.#instruction <= accessPort ? 35 : 1;
  }

  #captured(): number {
    if (this.#instruction === id) return idCode;
    if (this.#instruction === debugPort || this.#instruction === accessPort)
      return (this.#port.result >>> 0) * 8 + acknowledged;
    return 0;
  }

  #update(): void {
    const isRead = this.#shifted % 2 === 1;
    const address = (Math.floor(this.#shifted / 2) % 4) * 4;
    const data = Math.floor(this.#shifted / 8);
    if (this.#instruction === debugPort) this.#port.debugAccess(isRead, address, data);
    else if (this.#instruction === accessPort) this.#port.accessAccess(isRead, address, data);
  }
}
