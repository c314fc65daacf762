/** What a board printed, and waiting for a line of it. */

const limitOfLineMs = 15_000;

export class Console {
  #printed = "";
  #wake: () => void = () => undefined;

  get printed(): string {
    return this.#printed;
  }

  push(text: string): void {
    this.#printed += text;
    this.#wake();
  }

  /** Looks again: somebody who waits may have waited for nothing. */
  wake(): void {
    this.#wake();
  }

  /** Drops what was printed up to now, so that a later line is surely a new one. */
  forget(): void {
    this.#printed = "";
  }

  /** The first whole line that holds `part`. @throws when there is none in time, with all that was printed */
  async line(part: string, limitMs = limitOfLineMs): Promise<string> {
    const find = (): string | undefined =>
      this.#printed
        .split(/\r?\n/)
        .slice(0, -1)
        .find((line) => line.includes(part));
    await this.until(() => find() !== undefined, `line with "${part}"`, limitMs);
    return find() ?? "";
  }

  /** @throws when `isThere` stays false for `limitMs` */
  async until(isThere: () => boolean, what: string, limitMs: number): Promise<void> {
    const endMs = performance.now() + limitMs;
    while (!isThere()) {
      const leftMs = endMs - performance.now();
      if (leftMs <= 0) throw new Error(`no ${what} within ${limitMs} ms, only ${JSON.stringify(this.#printed)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(leftMs, 100));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
