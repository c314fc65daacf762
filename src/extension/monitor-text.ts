/** What the monitor writes to its terminal: line ends that a terminal wants, and the time in front of lines. Knows no editor. */

/** Keeps the state between pieces of a stream: whether a line has begun, and half of a line end. */
export class MonitorText {
  readonly #timeOfDay: () => string;
  #atLineStart = true;
  #lastWasReturn = false;

  /** @param timeOfDay `12:34:56.789`; asked for once per line */
  constructor(timeOfDay: () => string) {
    this.#timeOfDay = timeOfDay;
  }

  /** A lone LF becomes CR LF; a CR LF that was cut in two stays one. */
  format(text: string, timestamps: boolean): string {
    let out = "";
    for (const char of text) {
      if (timestamps && this.#atLineStart && char !== "\n" && char !== "\r")
        out += `\x1b[2m${this.#timeOfDay()}\x1b[22m  `;
      if (char === "\n") {
        out += this.#lastWasReturn ? "\n" : "\r\n";
        this.#atLineStart = true;
      } else {
        out += char;
        this.#atLineStart = char === "\r" ? this.#atLineStart : false;
      }
      this.#lastWasReturn = char === "\r";
    }
    return out;
  }

  /** A remark of ours, on a line of its own. */
  remark(text: string): string {
    const before = this.#atLineStart ? "" : "\r\n";
    this.#atLineStart = true;
    this.#lastWasReturn = false;
    return `${before}\x1b[2m--- ${text} ---\x1b[22m\r\n`;
  }
}

/** Local time, `12:34:56.789`. */
export function timeOfDay(now: Date): string {
  const two = (value: number, digits = 2) => String(value).padStart(digits, "0");
  return `${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}.${two(now.getMilliseconds(), 3)}`;
}
