/** Decides when a client has sent so much ahead of the wire that it should wait, as a serial port's driver makes it wait. */

const HOLD_ABOVE_BYTES = 64 * 1024;
const RELEASE_BELOW_BYTES = 16 * 1024;
/** Bytes that have not arrived after so long never will: a reset or a dead board forgot them. */
const FORGOTTEN_AFTER_MS = 250;

export class InputBacklog {
  readonly #arrivedCount: () => number;
  #handed = 0;
  #arrived = 0;
  #movedMs = 0;
  #holding = false;

  /** `arrivedCount` gives how many bytes the board has taken off the wire since it exists. */
  constructor(arrivedCount: () => number) {
    this.#arrivedCount = arrivedCount;
    this.#arrived = arrivedCount();
    this.#handed = this.#arrived;
  }

  /** `count` more bytes travel to the board. */
  handed(count: number): void {
    this.#handed += count;
  }

  shouldHold(nowMs: number): boolean {
    if (this.#handed - this.#arrived < HOLD_ABOVE_BYTES && !this.#holding) return false;
    const arrived = this.#arrivedCount();
    if (arrived !== this.#arrived) {
      this.#arrived = arrived;
      this.#movedMs = nowMs;
    } else if (this.#holding && nowMs - this.#movedMs > FORGOTTEN_AFTER_MS) {
      this.#handed = arrived;
    }
    const travelling = this.#handed - this.#arrived;
    const hold = travelling >= (this.#holding ? RELEASE_BELOW_BYTES : HOLD_ABOVE_BYTES);
    if (hold && !this.#holding) this.#movedMs = nowMs;
    this.#holding = hold;
    return hold;
  }
}
