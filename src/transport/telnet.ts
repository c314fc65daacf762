/** Telnet's bytes (RFC 854, RFC 855): data, option words and subnegotiations, told apart. Decides nothing and answers nothing. */
import { concat } from "../core/bytes.ts";
import { plainBytes } from "./plain-bytes.ts";

/** RFC 854, "TELNET command structure". */
const SE = 0xf0;
const SB = 0xfa;
const IAC = 0xff;
const verbs = { will: 0xfb, wont: 0xfc, do: 0xfd, dont: 0xfe } as const;

export type TelnetVerb = keyof typeof verbs;

export type TelnetEvent =
  | { readonly kind: "data"; readonly bytes: Uint8Array }
  | { readonly kind: "option"; readonly verb: TelnetVerb; readonly option: number }
  | { readonly kind: "subnegotiation"; readonly option: number; readonly payload: Uint8Array };

/** Longer subnegotiations are dropped. RFC 2217 has none above 5 bytes but SIGNATURE, which is a line of text. */
const SUBNEGOTIATION_LIMIT_BYTES = 1024;

type State = "data" | "command" | "verb" | "subnegotiation" | "subnegotiation-command";

/** Fed with whatever pieces arrive, gives the same events for every way of cutting, but for where data is split. */
export class TelnetDecoder {
  #state: State = "data";
  #verb: TelnetVerb = "will";
  #subnegotiation: number[] = [];

  feed(bytes: Uint8Array): readonly TelnetEvent[] {
    const events: TelnetEvent[] = [];
    let from = 0; // start of the data that was not handed on yet
    const flush = (to: number) => {
      if (to > from) events.push({ kind: "data", bytes: plainBytes(bytes).slice(from, to) });
    };
    for (let at = 0; at < bytes.length; at++) {
      if (this.#state === "data") {
        at = bytes.indexOf(IAC, at);
        if (at < 0) break;
        flush(at);
      }
      const before = this.#state;
      const byte = bytes[at] ?? 0;
      const event = this.#step(byte);
      if (event !== undefined) events.push(event);
      from = before === "command" && byte === IAC ? at : at + 1; // IAC IAC stands for one data byte 0xff
    }
    if (this.#state === "data") flush(bytes.length);
    return events;
  }

  #step(byte: number): TelnetEvent | undefined {
    switch (this.#state) {
      case "data":
        this.#state = "command";
        return undefined;
      case "command":
        this.#command(byte);
        return undefined;
      case "verb":
        this.#state = "data";
        return { kind: "option", verb: this.#verb, option: byte };
      case "subnegotiation":
        if (byte === IAC) this.#state = "subnegotiation-command";
        else this.#collect(byte);
        return undefined;
      case "subnegotiation-command":
        return this.#endOfSubnegotiation(byte);
    }
  }

  #command(byte: number): void {
    const verb = verbOf(byte);
    if (verb !== undefined) {
      this.#verb = verb;
      this.#state = "verb";
    } else if (byte === SB) {
      this.#subnegotiation = [];
      this.#state = "subnegotiation";
    } else {
      this.#state = "data"; // IAC IAC, or a command without an argument (NOP, GA …), which means nothing here
    }
  }

  #endOfSubnegotiation(byte: number): TelnetEvent | undefined {
    if (byte === IAC) {
      this.#collect(byte);
      this.#state = "subnegotiation";
      return undefined;
    }
    this.#state = "data";
    const [option, ...payload] = this.#subnegotiation;
    const complete = byte === SE && this.#subnegotiation.length <= SUBNEGOTIATION_LIMIT_BYTES;
    this.#subnegotiation = [];
    if (!complete || option === undefined) return undefined;
    return { kind: "subnegotiation", option, payload: Uint8Array.from(payload) };
  }

  #collect(byte: number): void {
    if (this.#subnegotiation.length <= SUBNEGOTIATION_LIMIT_BYTES) this.#subnegotiation.push(byte);
  }
}

/** Data for the wire: every 0xff doubled. Gives back the same array where there is none. */
export function encodeTelnetData(bytes: Uint8Array): Uint8Array {
  let extra = 0;
  for (const byte of bytes) if (byte === IAC) extra++;
  if (extra === 0) return bytes;
  const doubled = new Uint8Array(bytes.length + extra);
  let to = 0;
  for (const byte of bytes) {
    doubled[to++] = byte;
    if (byte === IAC) doubled[to++] = IAC;
  }
  return doubled;
}

export function encodeTelnetOption(verb: TelnetVerb, option: number): Uint8Array {
  return Uint8Array.of(IAC, verbs[verb], option);
}

export function encodeSubnegotiation(option: number, payload: Uint8Array): Uint8Array {
  return concat([Uint8Array.of(IAC, SB, option), encodeTelnetData(payload), Uint8Array.of(IAC, SE)]);
}

function verbOf(byte: number): TelnetVerb | undefined {
  switch (byte) {
    case verbs.will:
      return "will";
    case verbs.wont:
      return "wont";
    case verbs.do:
      return "do";
    case verbs.dont:
      return "dont";
    default:
      return undefined;
  }
}
