/** What the official stub remembers between commands, and what a command hands back. */
import type { Inflater } from "./esp-inflate.ts";
import type { Ending, Machine, Program } from "./esp-machine.ts";
import type { Request } from "./esp-packet.ts";
import { StubReceiver } from "./esp-slip.ts";
import type { StubRelease } from "./esp-stub-uploads.ts";

/** First status byte; the second one is 0 (esp-flasher-stub, commands.h). */
export const stubError = {
  dataLength: 0xc0,
  checksum: 0xc1,
  invalidCommand: 0xc3,
  flashFailed: 0xc4,
  notInFlashMode: 0xc6,
  inflate: 0xc7,
  notEnoughData: 0xc8,
  tooMuchData: 0xc9,
  notImplemented: 0xff,
} as const;

/** 8 of header, 16 KiB of data, 255 to spare (frame_buffer.h). */
const FRAME_BYTES = 8 + 0x4000 + 0xff;
/** The raised clock is about three times as fast (160 MHz against 40, and the flash does not run faster). */
const BOOSTED_SPEED = 3;

export interface StubAnswer {
  readonly error?: number;
  readonly value?: number;
  readonly data?: Uint8Array;
  /** Work behind the answer: an error code of it, or an ending that leaves the stub. */
  after?(): Program<number | Ending>;
  /** Legacy RUN_USER_CODE says nothing. */
  readonly isSilent?: boolean;
}

export type StubCommand = (stub: Stub, request: Request) => Program<StubAnswer>;

export interface StubWrite {
  /** Next byte to write. */
  address: number;
  /** Bytes of BEGIN's size not written yet; wraps below 0 like the 32-bit count on the chip. */
  remaining: number;
  nextErase: number;
  eraseRemaining: number;
  /** A sector that was not blank has been seen. */
  sawDirt: boolean;
  inflater: Inflater | undefined;
}

export class Stub {
  readonly machine: Machine;
  readonly release: StubRelease;
  readonly receiver = new StubReceiver(FRAME_BYTES);
  /** 1 = at 40 MHz. */
  readonly speed: number;
  write: StubWrite | undefined;
  load: { address: number; remaining: number } | undefined;
  /** Of the work behind the last answer. */
  pendingError = 0;
  flashBytes: number;

  constructor(machine: Machine, release: StubRelease) {
    this.machine = machine;
    this.release = release;
    this.flashBytes = machine.flash.bytes.length;
    const boosts = machine.settings.link === "usb" || (release.boostsOverUart && machine.chip.boostsOverUart === true);
    this.speed = boosts ? BOOSTED_SPEED : 1;
  }
}
