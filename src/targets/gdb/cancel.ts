/** Waits that end at once when the job is cancelled, whatever they wait for. */
import { FlashError } from "../../core/errors.ts";

/** Settles as `work` does, or rejects when `signal` aborts. What `work` does later is ignored. @throws FlashError `cancelled` */
export async function orCancelled<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  work.catch(() => undefined); // who waits for it next will hear
  if (signal.aborted) throw cancelled();
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(cancelled());
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (stop !== undefined) signal.removeEventListener("abort", stop);
  }
}

export function cancelled(): FlashError {
  return new FlashError("cancelled", "the flash was cancelled");
}
