/** A clock that moves only when it is told to, so that a simulated flash takes no real time and is exact. */
import type { Clock } from "../core/clock.ts";
import { FlashError } from "../core/errors.ts";

export class VirtualClock implements Clock {
  #nowMs = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  /** Moves forward to `toMs`; a moment that is past already changes nothing. */
  advanceTo(toMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, toMs);
  }

  async sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) throw new FlashError("cancelled", "the flash was cancelled");
    this.advanceTo(this.#nowMs + durationMs);
    await this.settle();
  }

  /** To be called after the clock was moved: a paced clock lets real time catch up. undefined: nothing to wait for. */
  settle(): Promise<void> | undefined {
    return undefined;
  }
}

/** A virtual clock that real time keeps up with, so that a person can watch. Its readings stay exact. */
export class PacedClock extends VirtualClock {
  readonly #startedAt = performance.now();
  readonly #factor: number;

  /** @param factor how many times faster than real time, 1 = real time */
  constructor(factor = 1) {
    super();
    this.#factor = factor;
  }

  override settle(): Promise<void> | undefined {
    const aheadMs = this.nowMs() / this.#factor - (performance.now() - this.#startedAt);
    // Timers are no finer than this; what is skipped now is caught up with next time.
    return aheadMs > 2 ? new Promise((resolve) => setTimeout(resolve, aheadMs)) : undefined;
  }
}
