/** Real time for tests: it passes when the test says so, and every promise that waits for it gets its turn. */
import type { Clock } from "../../../src/core/clock.ts";
import { FlashError } from "../../../src/core/errors.ts";

interface Sleeper {
  readonly atMs: number;
  wake(): void;
}

export class ManualClock implements Clock {
  #nowMs = 0;
  #sleepers: Sleeper[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = () => {
        this.#sleepers = this.#sleepers.filter((one) => one !== sleeper);
        reject(new FlashError("cancelled", "cancelled"));
      };
      const wake = () => {
        signal?.removeEventListener("abort", cancel);
        resolve();
      };
      const sleeper = { atMs: this.#nowMs + durationMs, wake };
      if (signal?.aborted === true) reject(new FlashError("cancelled", "cancelled"));
      else this.#sleepers.push(sleeper);
      signal?.addEventListener("abort", cancel, { once: true });
    });
  }

  /** Lets time pass, sleeper by sleeper. */
  async pass(durationMs: number): Promise<void> {
    const untilMs = this.#nowMs + durationMs;
    for (;;) {
      await settle();
      const [next] = this.#sleepers.sort((a, b) => a.atMs - b.atMs);
      if (next === undefined || next.atMs > untilMs) break;
      this.#sleepers.shift();
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.wake();
    }
    this.#nowMs = untilMs;
    await settle();
  }
}

/** Everything that can go on without time passing goes on, files included. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Waits in real time for what only the file system or a simulated board decides; at most 5 s. */
export async function until(condition: () => boolean): Promise<void> {
  const startMs = performance.now();
  while (!condition()) {
    if (performance.now() - startMs > 5_000) throw new Error("it did not happen within 5 s");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
