/** How often somebody looks whether the core is done, where nobody tells. */

const leastPauseMs = 1;
const mostPauseMs = 10;
/** The end is noticed late by this share of the wait at most; looking more often brought nothing. */
const share = 0.1;

/** @param waitedMs since the work began */
export function pollPauseMs(waitedMs: number): number {
  return Math.min(mostPauseMs, Math.max(leastPauseMs, waitedMs * share));
}
