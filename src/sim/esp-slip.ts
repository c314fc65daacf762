/** The framing of the loaders: bytes between two C0, C0 and DB escaped. Two receivers, since ROM and stub differ on bad input. */

const END = 0xc0;
const ESCAPE = 0xdb;
const ESCAPED_END = 0xdc;
const ESCAPED_ESCAPE = 0xdd;

/** What takes bytes off the wire while a program runs on the chip. */
export interface Receiver {
  /** Takes bytes in; stops right behind one that the program should look at. @returns how many were taken, at least 1 */
  take(bytes: Uint8Array): number;
  /** Something lies ready for the program. */
  readonly isReady: boolean;
  /** The line was idle for longer than a byte before the bytes that come next. */
  lineWasIdle(): void;
}

export function slipFrame(payload: Uint8Array): Uint8Array {
  let extra = 2;
  for (const byte of payload) if (byte === END || byte === ESCAPE) extra++;
  const frame = new Uint8Array(payload.length + extra);
  let at = 0;
  frame[at++] = END;
  for (const byte of payload) {
    if (byte === END || byte === ESCAPE) {
      frame[at++] = ESCAPE;
      frame[at++] = byte === END ? ESCAPED_END : ESCAPED_ESCAPE;
    } else frame[at++] = byte;
  }
  frame[at] = END;
  return frame;
}

/**
 * The ROM's way: a ring buffer that fills whatever the program does, and a decoder that runs while the program listens.
 * A frame that is shorter than its own header says is dropped, and its last C0 taken as the first one of the next.
 */
export class RomReceiver implements Receiver {
  /** Bytes that found the ring full. */
  lostBytes = 0;
  readonly #ring: Uint8Array;
  readonly #packet: Uint8Array;
  #ringLength = 0;
  #length = 0;
  #state: "outside" | "inside" | "escape" = "outside";
  #listening = false;
  #frame: Uint8Array | undefined;

  constructor(ringBytes: number, packetBytes: number) {
    this.#ring = new Uint8Array(ringBytes);
    this.#packet = new Uint8Array(packetBytes);
  }

  get isReady(): boolean {
    return this.#frame !== undefined;
  }

  take(bytes: Uint8Array): number {
    if (this.#listening && this.#frame === undefined) return this.#decode(bytes);
    const room = this.#ring.length - this.#ringLength;
    const kept = bytes.subarray(0, room);
    this.#ring.set(kept, this.#ringLength);
    this.#ringLength += kept.length;
    this.lostBytes += bytes.length - kept.length;
    return bytes.length;
  }

  lineWasIdle(): void {
    // The ring does not mind.
  }

  /** The program listens: works off the ring. A frame may be ready at once. */
  listen(): void {
    this.#listening = true;
    this.#frame = undefined;
    const used = this.#decode(this.#ring.subarray(0, this.#ringLength));
    this.#ring.copyWithin(0, used, this.#ringLength);
    this.#ringLength -= used;
  }

  /** The frame that is ready, valid until `listen`; the program stops listening. */
  takeFrame(): Uint8Array {
    this.#listening = false;
    return this.#frame ?? new Uint8Array(0);
  }

  #decode(bytes: Uint8Array): number {
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] ?? 0;
      if (this.#state === "outside") {
        if (byte === END) this.#begin();
      } else if (byte === END) {
        if (this.#endFrame()) return i + 1;
      } else if (this.#state === "escape") {
        this.#state = "inside";
        if (byte === ESCAPED_END) this.#put(END);
        else if (byte === ESCAPED_ESCAPE) this.#put(ESCAPE);
      } else if (byte === ESCAPE) {
        this.#state = "escape";
      } else this.#put(byte);
    }
    return bytes.length;
  }

  #begin(): void {
    this.#state = "inside";
    this.#length = 0;
  }

  #put(byte: number): void {
    if (this.#length < this.#packet.length) this.#packet[this.#length++] = byte;
  }

  #endFrame(): boolean {
    const announced = 8 + (this.#packet[2] ?? 0) + 256 * (this.#packet[3] ?? 0);
    if (this.#length < 8 || (this.#length < announced && this.#length < this.#packet.length)) {
      this.#begin();
      return false;
    }
    this.#state = "outside";
    this.#frame = this.#packet.subarray(0, this.#length);
    return true;
  }
}

/**
 * The official stub's way: an interrupt fills one of two frame buffers. The other one is handed out when the program has
 * answered the first; a frame that begins before that is dropped, and so is one that begins while both are full. The interrupt
 * takes bytes in lumps, so what follows a dropped frame without a pause goes with it.
 */
export class StubReceiver implements Receiver {
  droppedFrames = 0;
  readonly #buffers: readonly [Uint8Array, Uint8Array];
  #armed: Uint8Array | undefined;
  #worked: Uint8Array | undefined;
  #length = 0;
  #state: "outside" | "inside" | "escape" | "dropping" = "outside";
  #isCrowded = false;
  #done: { readonly buffer: Uint8Array; readonly length: number; readonly isGood: boolean } | undefined;

  constructor(frameBytes: number) {
    this.#buffers = [new Uint8Array(frameBytes), new Uint8Array(frameBytes)];
    this.#armed = this.#buffers[0];
  }

  get isReady(): boolean {
    return this.#done !== undefined;
  }

  take(bytes: Uint8Array): number {
    for (let i = 0; i < bytes.length; i++) {
      if (this.#takeByte(bytes[i] ?? 0)) return i + 1;
    }
    return bytes.length;
  }

  lineWasIdle(): void {
    this.#isCrowded = false;
  }

  /** The next frame, valid until the next call; undefined for a frame that came in broken. `arm` must follow. */
  takeFrame(): Uint8Array | undefined {
    const done = this.#done;
    this.#done = undefined;
    this.#worked = done?.buffer;
    return done?.isGood === true ? done.buffer.subarray(0, done.length) : undefined;
  }

  /** Receives into the buffer that is not being worked on. */
  arm(): void {
    if (this.#done === undefined) this.#armed ??= this.#buffers[this.#worked === this.#buffers[0] ? 1 : 0];
  }

  /** @returns true if that completed a frame, good or bad */
  #takeByte(byte: number): boolean {
    switch (this.#state) {
      case "outside":
        if (byte === END) this.#begin();
        return false;
      case "dropping":
        if (byte === END) this.#state = "outside";
        return false;
      case "inside":
        if (byte === END) return this.#end();
        if (byte === ESCAPE) this.#state = "escape";
        else return this.#put(byte);
        return false;
      case "escape":
        this.#state = "inside";
        if (byte === ESCAPED_END) return this.#put(END);
        if (byte === ESCAPED_ESCAPE) return this.#put(ESCAPE);
        return this.#finish(false);
    }
  }

  #begin(): void {
    this.#length = 0;
    this.#isCrowded ||= this.#armed === undefined;
    if (this.#isCrowded) this.droppedFrames++;
    this.#state = this.#isCrowded ? "dropping" : "inside";
  }

  #put(byte: number): boolean {
    if (this.#armed === undefined || this.#length >= this.#armed.length) return this.#finish(false);
    this.#armed[this.#length++] = byte;
    return false;
  }

  /** An empty frame keeps the buffer armed. */
  #end(): boolean {
    if (this.#length > 0) return this.#finish(true);
    this.#state = "outside";
    return false;
  }

  #finish(isGood: boolean): boolean {
    if (this.#armed !== undefined) this.#done = { buffer: this.#armed, length: this.#length, isGood };
    this.#armed = undefined;
    this.#state = "outside";
    return true;
  }
}
