/** The inflater on the chip: takes pieces of a zlib stream, gives windows of 32 KiB when they are full, and the rest at the end. */
import { Inflate, Z_BUF_ERROR, Z_SYNC_FLUSH } from "pako";
import { concat } from "../core/bytes.ts";

const WINDOW_BYTES = 32 * 1024;
/** About 0.4 microseconds for a byte that comes out, by a processor at 40 MHz (model, fitted to reports). */
export const INFLATE_MS_PER_BYTE = 0.0004;

export interface Inflated {
  /** What is to be written now, in order. */
  readonly windows: readonly Uint8Array[];
  /** Bytes that came out of this piece, those still in the window included. */
  readonly bytesOut: number;
  /** The stream is no zlib stream. */
  readonly failed: boolean;
}

export class Inflater {
  readonly #inflate = new Inflate({ chunkSize: WINDOW_BYTES });
  #pieces: Uint8Array[] = [];
  #held: Uint8Array = new Uint8Array(0);

  constructor() {
    this.#inflate.onData = (piece) => {
      this.#pieces.push(typeof piece === "string" ? Buffer.from(piece, "latin1") : piece.slice());
    };
  }

  get ended(): boolean {
    return this.#inflate.ended;
  }

  /** Whatever follows the end of the stream is ignored. */
  push(bytes: Uint8Array): Inflated {
    if (!this.ended) this.#inflate.push(bytes, Z_SYNC_FLUSH);
    const heldBefore = this.#held.length;
    const all = concat([this.#held, ...this.#pieces]);
    this.#pieces = [];
    const windows: Uint8Array[] = [];
    let at = 0;
    while (all.length - at >= WINDOW_BYTES) {
      windows.push(all.subarray(at, at + WINDOW_BYTES));
      at += WINDOW_BYTES;
    }
    if (this.ended && at < all.length) {
      windows.push(all.subarray(at));
      at = all.length;
    }
    this.#held = all.slice(at);
    return {
      windows,
      bytesOut: all.length - heldBefore,
      failed: this.#inflate.err < 0 && this.#inflate.err !== Z_BUF_ERROR,
    };
  }
}
