/**
 * The two-transistor circuit between a serial adapter's DTR and RTS and the chip's EN and IO0, with the capacitor on EN. Says
 * when the chip goes into reset and when it comes out, and what IO0 is then.
 */

export interface LineTimes {
  /** EN must be low this long to reset the chip. */
  readonly minimumLowMs: number;
  /** From EN being let go to the chip sampling IO0: the capacitor charges. */
  readonly riseMs: number;
  /** The chip's own USB port has no circuit: it keeps "DTR alone" as the strap for the next reset, until neither line is asserted. */
  readonly keepsStrap: boolean;
}

export type LineEvent = { readonly kind: "reset" } | { readonly kind: "release"; readonly intoLoader: boolean };

export class EspLines {
  readonly #times: LineTimes;
  #enLow = false;
  #io0Low = false;
  #keptStrap = false;
  /** `low`: not reset yet. `held`: in reset. `rising`: EN was let go. */
  #state: { readonly kind: "high" | "held" } | { readonly kind: "low" | "rising"; readonly untilMs: number } = {
    kind: "high",
  };

  constructor(times: LineTimes) {
    this.#times = times;
  }

  get bootStrapIsLow(): boolean {
    return this.#io0Low;
  }

  /** Both asserted is the same as neither. */
  set(lines: { readonly dtr: boolean; readonly rts: boolean }, nowMs: number): void {
    const enLow = lines.rts && !lines.dtr;
    this.#io0Low = lines.dtr && !lines.rts;
    if (this.#io0Low) this.#keptStrap = true;
    else if (!lines.dtr && !lines.rts && this.#state.kind === "high") this.#keptStrap = false;
    if (enLow === this.#enLow) return;
    this.#enLow = enLow;
    const kind = this.#state.kind;
    if (enLow) {
      if (kind === "high") this.#state = { kind: "low", untilMs: nowMs + this.#times.minimumLowMs };
      else if (kind === "rising") this.#state = { kind: "held" };
    } else if (kind === "low") this.#state = { kind: "high" };
    else if (kind === "held") this.#state = { kind: "rising", untilMs: nowMs + this.#times.riseMs };
  }

  /** Power comes back: nothing is left of a reset. */
  forget(): void {
    this.#state = { kind: "high" };
    this.#enLow = false;
    this.#io0Low = false;
    this.#keptStrap = false;
  }

  nextEventMs(): number | undefined {
    return this.#state.kind === "low" || this.#state.kind === "rising" ? this.#state.untilMs : undefined;
  }

  /** What happens at `nowMs`, if something does. */
  take(nowMs: number): LineEvent | undefined {
    const state = this.#state;
    if ((state.kind !== "low" && state.kind !== "rising") || state.untilMs > nowMs) return undefined;
    this.#state = { kind: state.kind === "low" ? "held" : "high" };
    if (state.kind === "low") return { kind: "reset" };
    const intoLoader = this.#times.keepsStrap ? this.#keptStrap : this.#io0Low;
    this.#keptStrap = false;
    return { kind: "release", intoLoader };
  }
}
