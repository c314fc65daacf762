/** SLIP frames as the ESP loaders use them: every frame has its own first and last 0xc0. Knows nothing of what is inside. */

const END = 0xc0;
const ESCAPE = 0xdb;
const ESCAPED_END = 0xdc;
const ESCAPED_ESCAPE = 0xdd;

/** Longest frame that is kept; the largest answer is a read of 4 KiB. Longer ones are noise and are dropped. */
const longestFrame = 0x10000;

export function encodeSlip(payload: Uint8Array): Uint8Array {
  let escapes = 0;
  for (const byte of payload) if (byte === END || byte === ESCAPE) escapes++;
  const frame = new Uint8Array(payload.length + escapes + 2);
  let at = 0;
  frame[at++] = END;
  for (const byte of payload) {
    if (byte === END) {
      frame[at++] = ESCAPE;
      frame[at++] = ESCAPED_END;
    } else if (byte === ESCAPE) {
      frame[at++] = ESCAPE;
      frame[at++] = ESCAPED_ESCAPE;
    } else {
      frame[at++] = byte;
    }
  }
  frame[at] = END;
  return frame;
}

/**
 * Takes bytes in any cut and gives whole frames. What stands outside of frames (boot text) is kept as text for messages.
 * A frame with a wrong escape is dropped; the next 0xc0 begins anew, as the ROM does.
 */
export class SlipDecoder {
  #frame = new Uint8Array(512);
  #length = 0;
  #state: "outside" | "inside" | "escaping" = "outside";
  #text = "";

  /** Bytes that came outside of frames since the last call, as Latin-1 text, at most the last 2,000 characters. */
  takeText(): string {
    const text = this.#text;
    this.#text = "";
    return text;
  }

  /** Forgets a frame that has begun. */
  reset(): void {
    this.#state = "outside";
    this.#length = 0;
  }

  push(bytes: Uint8Array): Uint8Array[] {
    const frames: Uint8Array[] = [];
    let outside = "";
    for (const byte of bytes) {
      if (this.#state === "outside") {
        if (byte === END) this.#begin();
        else outside += String.fromCharCode(byte);
      } else if (byte === END) {
        if (this.#state === "inside" && this.#length > 0) {
          frames.push(this.#frame.slice(0, this.#length));
          this.#state = "outside";
        } else {
          this.#begin();
        }
      } else if (this.#state === "escaping") {
        this.#unescape(byte);
      } else if (byte === ESCAPE) {
        this.#state = "escaping";
      } else {
        this.#append(byte);
      }
    }
    if (outside !== "") this.#text = (this.#text + outside).slice(-2000);
    return frames;
  }

  #begin(): void {
    this.#state = "inside";
    this.#length = 0;
  }

  #unescape(byte: number): void {
    this.#state = "inside";
    if (byte === ESCAPED_END) this.#append(END);
    else if (byte === ESCAPED_ESCAPE) this.#append(ESCAPE);
    else this.reset();
  }

  #append(byte: number): void {
    if (this.#length === longestFrame) {
      this.reset();
      return;
    }
    if (this.#length === this.#frame.length) {
      const larger = new Uint8Array(this.#frame.length * 2);
      larger.set(this.#frame);
      this.#frame = larger;
    }
    this.#frame[this.#length++] = byte;
  }
}
