/** Shows on standard error what a job is doing: a bar that redraws itself on a terminal, plain lines elsewhere. */
import { formatBytes } from "../core/bytes.ts";
import type { Phase } from "../core/trace.ts";
import type { JobObserver } from "../engine/job.ts";

interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface ProgressOptions {
  readonly output: Output;
  readonly verbose: boolean;
  /** Milliseconds; for rate and time left. */
  readonly nowMs: () => number;
}

const widestBar = 24;
const narrowestBar = 5;
/** Not more often than a person can see. */
const redrawMs = 40;
/** Without a terminal a line after each of these shares. */
const lineShare = 0.25;

export class Progress implements JobObserver {
  readonly #options: ProgressOptions;
  #shown = "";
  #phase: Phase | undefined;
  #writeStartMs: number | undefined;
  #drawnMs = -Infinity;
  #lineAt = lineShare;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  phase(phase: Phase, label: string): void {
    if (this.#options.verbose) this.log(`${phase}: ${label}`);
    if (phase === this.#phase) return;
    this.#phase = phase;
    if (phase === "write") this.#writeStartMs ??= this.#options.nowMs();
    else if (this.#options.output.isTTY === true) this.#draw(verbs[phase]);
    else if (!this.#options.verbose && (phase === "connect" || phase === "verify")) this.#line(verbs[phase]);
  }

  progress(done: number, total: number): void {
    const { nowMs, output } = this.#options;
    const share = total > 0 ? Math.min(1, done / total) : 0;
    if (output.isTTY === true) {
      if (nowMs() - this.#drawnMs < redrawMs && share < 1) return;
      this.#drawnMs = nowMs();
      this.#draw(this.#writing(done, total, share));
    } else if (share >= this.#lineAt || share === 1) {
      this.#lineAt = Math.floor(share / lineShare) * lineShare + lineShare;
      this.#line(this.#writing(done, total, share));
    }
  }

  log(line: string): void {
    if (!this.#options.verbose) return;
    this.clear();
    this.#line(line);
  }

  /** Takes the bar away, so that something else can be printed. */
  clear(): void {
    if (this.#shown !== "") this.#options.output.write("\r\u001b[K");
    this.#shown = "";
  }

  #writing(done: number, total: number, share: number): string {
    const elapsedMs = this.#options.nowMs() - (this.#writeStartMs ?? this.#options.nowMs());
    const figures = [`${formatBytes(Math.min(done, total))} of ${formatBytes(total)}`];
    if (elapsedMs > 0) figures.push(`${formatBytes(Math.round((done * 1000) / elapsedMs))}/s`);
    if (share > 0 && share < 1 && elapsedMs > 0) figures.push(`${seconds((elapsedMs * (1 - share)) / share)} left`);
    const width = this.#barWidth(total);
    const full = Math.round(share * width);
    const bar = `[${"#".repeat(full)}${"-".repeat(width - full)}]`;
    return `writing ${bar} ${String(Math.round(share * 100)).padStart(3)} %  ${figures.join(", ")}`;
  }

  /** What the longest figures leave of a terminal's line; the same throughout a job, so that the bar does not twitch. */
  #barWidth(total: number): number {
    const { length } = formatBytes(total);
    const longest = "writing [] 100 %   of , 999.9 KiB/s, 999.9 s left".length + 2 * length;
    return Math.max(narrowestBar, Math.min(widestBar, this.#columns() - longest));
  }

  /** What fits without moving the cursor to the next line; no limit where there is no terminal. */
  #columns(): number {
    const { isTTY, columns } = this.#options.output;
    const known = columns === undefined || columns === 0 ? 80 : columns; // some terminals do not tell
    return isTTY === true ? Math.max(20, known - 1) : Infinity;
  }

  #draw(text: string): void {
    const cut = text.slice(0, this.#columns());
    if (cut === this.#shown) return;
    this.#options.output.write(`\r${cut}\u001b[K`);
    this.#shown = cut;
  }

  #line(text: string): void {
    this.#options.output.write(`${text}\n`);
  }
}

function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)} s`;
}

const verbs: Readonly<Record<Phase, string>> = {
  wait: "waiting for the port",
  connect: "connecting",
  survey: "asking the board what it holds",
  plan: "planning",
  erase: "erasing",
  write: "writing",
  verify: "verifying",
  load: "loading into RAM",
  reset: "starting the program",
};
