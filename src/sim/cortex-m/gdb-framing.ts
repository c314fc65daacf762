/** Packets of GDB's remote protocol, as a server reads and writes them. Knows no packet's meaning. Bodies are strings of characters 0 to 255. */

export type Incoming =
  { readonly kind: "packet"; readonly body: string } | { readonly kind: "ack" | "nak" | "interrupt" | "broken packet" };

const DOLLAR = 0x24;
const HASH = 0x23;
const ESCAPE = 0x7d;
const STAR = 0x2a;
const INTERRUPT = 0x03;
/** A body that is longer than any server takes. */
const LONGEST_BODY = 1 << 20;

/** Takes bytes as they come, in pieces of any size. */
export class PacketReader {
  #body: number[] | undefined;
  #checksum: number[] | undefined;

  take(bytes: Uint8Array): readonly Incoming[] {
    const found: Incoming[] = [];
    for (const byte of bytes) {
      const one = this.#byte(byte);
      if (one !== undefined) found.push(one);
    }
    return found;
  }

  #byte(byte: number): Incoming | undefined {
    if (this.#checksum !== undefined) return this.#digit(byte);
    if (this.#body === undefined) return this.#between(byte);
    if (byte === HASH) this.#checksum = [];
    else if (byte === DOLLAR) this.#body = [];
    else if (this.#body.length < LONGEST_BODY) this.#body.push(byte);
    return undefined;
  }

  #between(byte: number): Incoming | undefined {
    if (byte === DOLLAR) this.#body = [];
    if (byte === INTERRUPT) return { kind: "interrupt" };
    if (byte === 0x2b) return { kind: "ack" };
    return byte === 0x2d ? { kind: "nak" } : undefined;
  }

  #digit(byte: number): Incoming | undefined {
    const digits = [...(this.#checksum ?? []), byte];
    if (digits.length < 2) {
      this.#checksum = digits;
      return undefined;
    }
    const body = this.#body ?? [];
    this.#body = undefined;
    this.#checksum = undefined;
    const told = Number.parseInt(String.fromCharCode(...digits), 16);
    if (told !== sumOf(body)) return { kind: "broken packet" };
    return { kind: "packet", body: unescape(body) };
  }
}

/** `$body#cc`, with what must be escaped escaped. `packs`: repeated characters are run-length coded. */
export function encodePacket(body: string, packs: boolean): Uint8Array {
  const escaped: number[] = [];
  for (let at = 0; at < body.length; at++) {
    const byte = body.charCodeAt(at);
    if (byte === DOLLAR || byte === HASH || byte === ESCAPE || byte === STAR) escaped.push(ESCAPE, byte ^ 0x20);
    else escaped.push(byte);
  }
  const coded = packs ? runLength(escaped) : escaped;
  const sum = sumOf(coded).toString(16).padStart(2, "0");
  return Uint8Array.from([DOLLAR, ...coded, HASH, sum.charCodeAt(0), sum.charCodeAt(1)]);
}

function sumOf(body: readonly number[]): number {
  return body.reduce((sum, byte) => (sum + byte) & 0xff, 0);
}

function unescape(body: readonly number[]): string {
  const parts: string[] = [];
  for (let at = 0; at < body.length; at++) {
    const byte = body[at] ?? 0;
    parts.push(String.fromCharCode(byte === ESCAPE ? (body[++at] ?? 0) ^ 0x20 : byte));
  }
  return parts.join("");
}

/** `c*n`: c, and n - 29 more of it. Counts whose character would be `#` or `$` are not allowed. */
function runLength(body: readonly number[]): readonly number[] {
  const out: number[] = [];
  for (let at = 0; at < body.length;) {
    const byte = body[at] ?? 0;
    let run = 1;
    while (run < 98 && body[at + run] === byte) run++;
    const isEscaped = at > 0 && body[at - 1] === ESCAPE;
    if (run < 4 || byte === ESCAPE || isEscaped) {
      out.push(byte);
      at++;
      continue;
    }
    let more = run - 1;
    while (more + 29 === HASH || more + 29 === DOLLAR) more--;
    out.push(byte, STAR, more + 29);
    at += more + 1;
  }
  return out;
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}

export function bytesOfHex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "hex"));
}

/** The characters of a body as bytes. */
export function bytesOf(body: string): Uint8Array {
  return Uint8Array.from(Buffer.from(body, "latin1"));
}
