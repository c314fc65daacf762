/** Time comes in through this interface, so that protocol code runs the same on the wall clock and on a simulated board's clock. */
export interface Clock {
  /** Milliseconds since an arbitrary start; fractions allowed; never runs backwards. */
  nowMs(): number;
  /** @throws FlashError `cancelled` as soon as `signal` aborts. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}
