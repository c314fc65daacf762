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

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(new FlashError("cancelled", "cancelled while waiting"));
    this.advanceTo(this.#nowMs + durationMs);
    return Promise.resolve();
  }
}
