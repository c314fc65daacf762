/** Plans patches on a thread of its own, because matching large images takes longer than messages of the editor may wait. */
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { planDelta, type DeltaPlan, type DeltaRequest } from "../core/delta.ts";
import { FlashError } from "../core/errors.ts";

/** Below so many bytes, old and new together, matching takes less than 20 ms (`npm run bench`), and a thread would cost more. */
const smallBytes = 96 * 1024;

interface Waiting {
  readonly request: DeltaRequest;
  readonly resolve: (plan: DeltaPlan) => void;
  readonly reject: (error: FlashError) => void;
}

interface Answer {
  readonly number: number;
  readonly plan?: DeltaPlan;
  readonly message?: string;
}

export class ThreadedDelta {
  readonly #file: string;
  readonly #log: (line: string) => void;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #number = 0;

  /** @param folder where the bundle of the thread lies */
  constructor(folder: string, log: (line: string) => void) {
    this.#file = join(folder, "delta-thread.cjs");
    this.#log = log;
  }

  /** Never rejects for want of a thread: then it is done here, and the log says so. @throws what `planDelta` throws */
  readonly plan = (request: DeltaRequest): Promise<DeltaPlan> => {
    const bytes = [...request.writes, ...request.old].reduce((sum, { data }) => sum + data.length, 0);
    if (bytes < smallBytes) return Promise.resolve(planDelta(request));
    return new Promise((resolve, reject) => {
      const number = this.#number++;
      this.#waiting.set(number, { request, resolve, reject });
      this.#thread().postMessage({ number, request });
    });
  };

  #thread(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(this.#file);
    worker.unref();
    worker.on("message", (answer: Answer) => this.#take(answer));
    worker.on("error", (error) => this.#fallBack(worker, error));
    worker.on("exit", (code) => this.#fallBack(worker, new Error(`it ended with ${code}`)));
    this.#worker = worker;
    return worker;
  }

  #take({ number, plan, message }: Answer): void {
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    if (plan !== undefined) waiting?.resolve(plan);
    else waiting?.reject(new FlashError("protocol", `patches could not be planned: ${message ?? "unknown error"}`));
  }

  /** The thread is gone; what it had to do is done here. */
  #fallBack(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    if (waiting.length > 0) this.#log(`the thread that plans patches is gone: ${error.message}`);
    for (const { request, resolve } of waiting) resolve(planDelta(request));
  }
}
