/** Who speaks which telnet option: agrees, refuses, and never answers an answer (RFC 1143's rule against loops). */
import { encodeTelnetOption, type TelnetVerb } from "./telnet.ts";

/** RFC 856, 858 and 2217. */
export const telnetOption = { binary: 0x00, suppressGoAhead: 0x03, comPort: 0x2c } as const;

type Standing = "off" | "asked" | "on" | "refused";

export class TelnetOptions {
  /** What we may do, as the other end sees it: it says DO and DONT. */
  readonly #ours = new Map<number, Standing>();
  /** What the other end may do: it says WILL and WONT. */
  readonly #theirs = new Map<number, Standing>();

  constructor(allowed: { readonly ours: readonly number[]; readonly theirs: readonly number[] }) {
    for (const option of allowed.ours) this.#ours.set(option, "off");
    for (const option of allowed.theirs) this.#theirs.set(option, "off");
  }

  /** Offers and asks for everything that is allowed and not agreed yet; the bytes to send. */
  *askForAll(): Generator<Uint8Array> {
    for (const [side, verb] of [
      [this.#ours, "will"],
      [this.#theirs, "do"],
    ] as const) {
      for (const option of side.keys()) {
        if (side.get(option) === "on") continue;
        side.set(option, "asked");
        yield encodeTelnetOption(verb, option);
      }
    }
  }

  /** Takes the other end's word; the answer to send, or undefined where none is due. */
  receive(verb: TelnetVerb, option: number): Uint8Array | undefined {
    switch (verb) {
      case "do":
        return turnOn(this.#ours, option, { yes: "will", no: "wont" });
      case "dont":
        return turnOff(this.#ours, option, "wont");
      case "will":
        return turnOn(this.#theirs, option, { yes: "do", no: "dont" });
      case "wont":
        return turnOff(this.#theirs, option, "dont");
    }
  }

  /** True when either end was allowed to speak `option`: some servers agree to one direction only, and mean both. */
  isOn(option: number): boolean {
    return this.#ours.get(option) === "on" || this.#theirs.get(option) === "on";
  }

  /** True when we asked and both directions were refused. */
  isRefused(option: number): boolean {
    return this.#ours.get(option) === "refused" && this.#theirs.get(option) === "refused";
  }
}

function turnOn(
  side: Map<number, Standing>,
  option: number,
  words: { readonly yes: TelnetVerb; readonly no: TelnetVerb },
): Uint8Array | undefined {
  const standing = side.get(option);
  if (standing === undefined) return encodeTelnetOption(words.no, option);
  side.set(option, "on");
  return standing === "on" || standing === "asked" ? undefined : encodeTelnetOption(words.yes, option);
}

function turnOff(side: Map<number, Standing>, option: number, no: TelnetVerb): Uint8Array | undefined {
  const standing = side.get(option);
  if (standing === undefined) return undefined;
  side.set(option, standing === "asked" ? "refused" : "off");
  return standing === "on" ? encodeTelnetOption(no, option) : undefined;
}
