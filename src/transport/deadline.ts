/** A limit for waits on the outside world. Knows nothing of what is waited for. */
import type { FlashError } from "../core/errors.ts";

/** Settles as `work` does, but rejects with `late()` after `timeoutMs`. What `work` does later is ignored. */
export function withDeadline<T>(work: Promise<T>, timeoutMs: number, late: () => FlashError): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), timeoutMs);
    work.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}

const WRITE_BASE_MS = 10_000;
const SLOWEST_BYTES_PER_MS = 1; // 9600 bit/s with 10 bits per byte, the slowest rate that anyone flashes at

/** How long a write of `count` bytes may take before the other end counts as stuck. */
export function writeLimitMs(count: number): number {
  return WRITE_BASE_MS + count / SLOWEST_BYTES_PER_MS;
}
