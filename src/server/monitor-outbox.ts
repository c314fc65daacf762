/** Text of monitors on its way to the front end: one message at a time, what comes meanwhile goes together, all of it bounded. */

/** Characters that wait at most; a front end that is further behind loses the oldest. */
const mostWaiting = 256 * 1024;

export class MonitorOutbox {
  readonly #send: (port: string, text: string) => Promise<void>;
  readonly #waiting = new Map<string, string>();
  #sending = false;

  constructor(send: (port: string, text: string) => Promise<void>) {
    this.#send = send;
  }

  add(port: string, text: string): void {
    this.#waiting.set(port, bounded((this.#waiting.get(port) ?? "") + text));
    if (!this.#sending) void this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    this.#sending = true;
    for (let next = this.#take(); next !== undefined; next = this.#take()) await this.#send(...next);
    this.#sending = false;
  }

  #take(): [port: string, text: string] | undefined {
    const [next] = this.#waiting;
    if (next !== undefined) this.#waiting.delete(next[0]);
    return next;
  }
}

function bounded(text: string): string {
  return text.length <= mostWaiting ? text : `[… output was lost …]\r\n${text.slice(-mostWaiting / 2)}`;
}
