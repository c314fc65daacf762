/** The other thread's end of `threaded-delta.ts`: one request after the other. */
import { parentPort } from "node:worker_threads";
import { planDelta, type DeltaRequest } from "../core/delta.ts";

parentPort?.on("message", ({ number, request }: { readonly number: number; readonly request: DeltaRequest }) => {
  try {
    parentPort?.postMessage({ number, plan: planDelta(request) });
  } catch (error) {
    parentPort?.postMessage({ number, message: error instanceof Error ? error.message : String(error) });
  }
});
