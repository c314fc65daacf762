/** The wall clock. */
import type { Clock } from "../core/clock.ts";
import { FlashError } from "../core/errors.ts";

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  sleep: (durationMs, signal) =>
    new Promise((resolve, reject) => {
      const cancel = () => {
        clearTimeout(timer);
        reject(new FlashError("cancelled", "the flash was cancelled"));
      };
      if (signal?.aborted === true) {
        reject(new FlashError("cancelled", "the flash was cancelled"));
        return;
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", cancel);
        resolve();
      }, durationMs);
      signal?.addEventListener("abort", cancel, { once: true });
    }),
};
