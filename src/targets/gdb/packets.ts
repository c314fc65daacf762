/**
 * Packets of the GDB remote serial protocol: `$body#cc`, escapes, run lengths, acknowledgements. Knows nothing of what a body says.
 * Source: GDB manual, appendix E.1 "Overview".
 */
import { concat } from "../../core/bytes.ts";

const DOLLAR = 0x24;
const HASH = 0x23;
const ESCAPE = 0x7d;
const RUN = 0x2a;
const PERCENT = 0x25;
const PLUS = 0x2b;
const MINUS = 0x2d;
const ESCAPE_FLIP = 0x20;
/** The character behind `*` says how often to repeat: its code less this. */
const RUN_BASE = 29;
const FIRST_PRINTABLE = 0x20;
const LAST_PRINTABLE = 0x7e;

/** Longest body that is kept, before and after its runs are undone; servers announce 16 KiB at most. */
const longestBody = 0x40000;
/** What is kept of bytes outside of packets, for messages. */
const longestNoise = 200;

/** What stops a running target; never inside a packet. Source: GDB manual, E.9 "Interrupts". */
export const INTERRUPT = Uint8Array.of(0x03);
export const NAK = Uint8Array.of(MINUS);

export type WireEvent =
  | { readonly kind: "packet"; readonly body: Uint8Array }
  /** `%…`: an answer to nothing. */
  | { readonly kind: "notification"; readonly body: Uint8Array }
  | { readonly kind: "ack" }
  | { readonly kind: "nak" }
  /** A packet whose checksum, escapes or run lengths are wrong. */
  | { readonly kind: "damaged"; readonly why: string };

function isSpecial(byte: number): boolean {
  return byte === DOLLAR || byte === HASH || byte === ESCAPE || byte === RUN;
}

/** The packet with its body escaped, in one piece: some servers cannot take it in two. */
export function encodePacket(body: Uint8Array | string): Uint8Array {
  const bytes = typeof body === "string" ? Buffer.from(body, "latin1") : body;
  let specials = 0;
  for (const byte of bytes) if (isSpecial(byte)) specials++;
  const packet = new Uint8Array(bytes.length + specials + 4);
  let at = 0;
  packet[at++] = DOLLAR;
  for (const byte of bytes) {
    if (isSpecial(byte)) {
      packet[at++] = ESCAPE;
      packet[at++] = byte ^ ESCAPE_FLIP;
    } else packet[at++] = byte;
  }
  const sum = checksum(packet.subarray(1, at));
  packet[at++] = HASH;
  packet[at++] = hexDigit(sum >> 4);
  packet[at] = hexDigit(sum & 15);
  return packet;
}

/** The acknowledgements of so many packets. */
export function ackPackets(count: number): Uint8Array {
  return new Uint8Array(count).fill(PLUS);
}

/** How many bytes from `from` on fill at most `limit` bytes of a body once they are escaped. */
export function escapedPrefix(data: Uint8Array, from: number, limit: number): number {
  let room = limit;
  let at = from;
  for (; at < data.length; at++) {
    room -= isSpecial(data[at] ?? 0) ? 2 : 1;
    if (room < 0) break;
  }
  return at - from;
}

/** Takes bytes in any cut and gives packets, acknowledgements and what is wrong, in order. */
export class PacketDecoder {
  #state: "outside" | "body" | "first-digit" | "second-digit" = "outside";
  #kind: "packet" | "notification" = "packet";
  #parts: Uint8Array[] = [];
  #length = 0;
  #tooLong = false;
  #digit = 0;
  #noise = "";

  /** The last bytes that came outside of packets, as Latin-1 text: whoever sends many of them is no GDB server. */
  get noise(): string {
    return this.#noise;
  }

  push(bytes: Uint8Array): WireEvent[] {
    const events: WireEvent[] = [];
    for (let at = 0; at < bytes.length;) {
      const byte = bytes[at] ?? 0;
      switch (this.#state) {
        case "outside":
          this.#outside(byte, events);
          at++;
          break;
        case "body":
          at = this.#insideBody(bytes, at);
          break;
        case "first-digit":
          this.#digit = byte;
          this.#state = "second-digit";
          at++;
          break;
        case "second-digit":
          events.push(this.#finish(byte));
          at++;
          break;
      }
    }
    return events;
  }

  #outside(byte: number, events: WireEvent[]): void {
    if (byte === DOLLAR || byte === PERCENT) this.#begin(byte);
    else if (byte === PLUS) events.push({ kind: "ack" });
    else if (byte === MINUS) events.push({ kind: "nak" });
    else this.#noise = (this.#noise + String.fromCharCode(byte)).slice(-longestNoise);
  }

  #begin(byte: number): void {
    this.#kind = byte === DOLLAR ? "packet" : "notification";
    this.#state = "body";
    this.#parts = [];
    this.#length = 0;
    this.#tooLong = false;
  }

  /** Up to the next mark, in one piece. @returns where to go on */
  #insideBody(bytes: Uint8Array, from: number): number {
    let end = from;
    while (end < bytes.length && bytes[end] !== HASH && bytes[end] !== DOLLAR) end++;
    if (this.#length + end - from > longestBody) this.#tooLong = true;
    else {
      this.#parts.push(bytes.slice(from, end));
      this.#length += end - from;
    }
    const mark = bytes[end];
    if (mark === HASH) this.#state = "first-digit";
    else if (mark === DOLLAR) this.#begin(DOLLAR); // the end of the packet before was lost
    return end + 1;
  }

  #finish(secondDigit: number): WireEvent {
    this.#state = "outside";
    const body = concat(this.#parts);
    this.#parts = [];
    if (this.#tooLong) return { kind: "damaged", why: `a packet longer than ${longestBody} bytes` };
    const said = String.fromCharCode(this.#digit, secondDigit);
    const sum = checksum(body);
    if (!/^[0-9a-f]{2}$/i.test(said) || Number.parseInt(said, 16) !== sum) {
      return {
        kind: "damaged",
        why: `checksum ${JSON.stringify(said)} instead of ${sum.toString(16).padStart(2, "0")}`,
      };
    }
    const plain = undo(body);
    if (plain === undefined) return { kind: "damaged", why: "a wrong escape or run length" };
    return { kind: this.#kind, body: plain };
  }
}

/** Undoes `}` and `*` in one pass, since an escaped `*` is no run and a run may repeat an escaped byte. undefined = malformed. */
function undo(body: Uint8Array): Uint8Array | undefined {
  if (!body.includes(ESCAPE) && !body.includes(RUN)) return body;
  const size = plainLength(body);
  if (size === undefined || size > longestBody) return undefined;
  const plain = new Uint8Array(size);
  let to = 0;
  for (let at = 0; at < body.length; at++) {
    const byte = body[at] ?? 0;
    if (byte === ESCAPE) plain[to++] = (body[++at] ?? 0) ^ ESCAPE_FLIP;
    else if (byte === RUN) {
      const more = (body[++at] ?? 0) - RUN_BASE;
      plain.fill(plain[to - 1] ?? 0, to, to + more);
      to += more;
    } else plain[to++] = byte;
  }
  return plain;
}

function plainLength(body: Uint8Array): number | undefined {
  let size = 0;
  for (let at = 0; at < body.length; at++) {
    const byte = body[at];
    if (byte === ESCAPE) {
      if (++at === body.length) return undefined;
      size++;
    } else if (byte === RUN) {
      const count = body[++at] ?? 0;
      if (size === 0 || count < FIRST_PRINTABLE || count > LAST_PRINTABLE) return undefined;
      size += count - RUN_BASE;
    } else size++;
  }
  return size;
}

function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) sum = (sum + byte) & 0xff;
  return sum;
}

function hexDigit(value: number): number {
  return value < 10 ? 0x30 + value : 0x57 + value;
}
