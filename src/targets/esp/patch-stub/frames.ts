/** The frames of Deltaflash's RAM stub: COBS with 00 behind each, a CRC-32 inside. See `stubs/README.md`. */
import { crc32 } from "../../../core/crc32.ts";
import { viewOf } from "../../../core/struct.ts";

export const frameType = { stream: 0x01, control: 0x02, ack: 0x81, nak: 0x82, reply: 0x83, answer: 0x84 } as const;

/** Most bytes of payload in one frame. */
export const longestPayload = 1024;

export interface Frame {
  readonly type: number;
  /** 0 … 255 */
  readonly seq: number;
  readonly payload: Uint8Array;
}

const headBytes = 2;
const crcBytes = 4;

/** As it goes over the wire, the 00 behind it included. */
export function encodeFrame({ type, seq, payload }: Frame): Uint8Array {
  const plain = new Uint8Array(headBytes + payload.length + crcBytes);
  plain[0] = type;
  plain[1] = seq;
  plain.set(payload, headBytes);
  const end = headBytes + payload.length;
  viewOf(plain).setUint32(end, crc32(plain.subarray(0, end)), true);
  return encodeCobs(plain);
}

function encodeCobs(plain: Uint8Array): Uint8Array {
  const coded = new Uint8Array(plain.length + Math.ceil(plain.length / 254) + 2);
  let codeAt = 0;
  let at = 1;
  for (const byte of plain) {
    if (byte !== 0) coded[at++] = byte;
    if (byte === 0 || at - codeAt === 0xff) {
      coded[codeAt] = at - codeAt;
      codeAt = at++;
    }
  }
  coded[codeAt] = at - codeAt;
  return coded.subarray(0, at + 1);
}

/** Takes the wire in pieces of any size; damaged frames are counted and left out. */
export class FrameDecoder {
  damaged = 0;
  readonly #coded = new Uint8Array(longestPayload + headBytes + crcBytes + 16);
  #length = 0;

  push(bytes: Uint8Array): readonly Frame[] {
    const frames: Frame[] = [];
    for (const byte of bytes) {
      if (byte !== 0) {
        if (this.#length < this.#coded.length) this.#coded[this.#length] = byte;
        this.#length++;
        continue;
      }
      const frame = this.#length === 0 ? undefined : this.#decode();
      if (frame !== undefined) frames.push(frame);
      else if (this.#length > 0) this.damaged++;
      this.#length = 0;
    }
    return frames;
  }

  reset(): void {
    this.#length = 0;
  }

  #decode(): Frame | undefined {
    if (this.#length > this.#coded.length) return undefined;
    const plain = decodeCobs(this.#coded.subarray(0, this.#length));
    if (plain === undefined || plain.length < headBytes + crcBytes) return undefined;
    const end = plain.length - crcBytes;
    if (viewOf(plain).getUint32(end, true) !== crc32(plain.subarray(0, end))) return undefined;
    return { type: plain[0] ?? 0, seq: plain[1] ?? 0, payload: plain.subarray(headBytes, end) };
  }
}

/** @param coded without the 00; undefined when a count points beyond the end */
function decodeCobs(coded: Uint8Array): Uint8Array | undefined {
  const plain = new Uint8Array(coded.length);
  let length = 0;
  for (let at = 0; at < coded.length;) {
    const code = coded[at] ?? 0;
    const end = at + code;
    if (end > coded.length) return undefined;
    plain.set(coded.subarray(at + 1, end), length);
    length += code - 1;
    at = end;
    if (code < 0xff && at < coded.length) plain[length++] = 0;
  }
  return plain.subarray(0, length);
}
