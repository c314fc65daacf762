/** The small frames in which the pty's helper program reports: a letter, a length of two bytes, the contents. */
import { concat } from "../core/bytes.ts";

export type PtyEvent =
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "opened" }
  | { readonly kind: "closed" }
  | { readonly kind: "data"; readonly bytes: Uint8Array }
  /** Bits per second that the client set. */
  | { readonly kind: "rate"; readonly baud: number };

const HEADER_BYTES = 3;

/** Fed with whatever pieces arrive. A frame is at most 64 KiB, so what is kept of an unfinished one is bounded. */
export class PtyFrames {
  #rest: Uint8Array = new Uint8Array();

  /** @throws Error on a letter that the helper does not send: it is our own program, so that is a defect. */
  feed(bytes: Uint8Array): readonly PtyEvent[] {
    const all = this.#rest.length === 0 ? bytes : concat([this.#rest, bytes]);
    const view = new DataView(all.buffer, all.byteOffset, all.length);
    const events: PtyEvent[] = [];
    let at = 0;
    while (at + HEADER_BYTES <= all.length) {
      const end = at + HEADER_BYTES + view.getUint16(at + 1);
      if (end > all.length) break;
      events.push(eventOf(String.fromCharCode(view.getUint8(at)), all.slice(at + HEADER_BYTES, end)));
      at = end;
    }
    this.#rest = all.slice(at);
    return events;
  }
}

function eventOf(letter: string, contents: Uint8Array): PtyEvent {
  switch (letter) {
    case "P":
      return { kind: "path", path: new TextDecoder().decode(contents) };
    case "O":
      return { kind: "opened" };
    case "C":
      return { kind: "closed" };
    case "D":
      return { kind: "data", bytes: contents };
    case "B":
      return { kind: "rate", baud: new DataView(contents.buffer).getUint32(0) };
    default:
      throw new Error(`the pty helper sent an unknown frame "${letter}"`);
  }
}
