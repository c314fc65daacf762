/** What the stub is asked for, and what it answers: encoders and decoders, byte for byte as `stubs/README.md` says. */
import { FlashError } from "../../../core/errors.ts";
import { hex } from "../../../core/bytes.ts";
import type { Operations } from "../../../core/delta-ops.ts";
import { struct, u16, u32, u8, viewOf } from "../../../core/struct.ts";

export const control = { hello: 0x01, baud: 0x02, ping: 0x03 } as const;
export const operation = {
  hash: 0x11,
  read: 0x12,
  commit: 0x28,
  erase: 0x30,
  packed: 0x33,
  ram: 0x40,
} as const;

export const ackFields = struct({ nextSeq: u8, status: u8, ops: u16, received: u32, drained: u32 });
export const replyHead = struct({ index: u16, op: u8, status: u8 });
export const helloRequest = struct({ nonce: u32, flashBytes: u32 });
export const helloAnswer = struct({
  nonce: u32,
  protocol: u8,
  chip: u8,
  nothing: u16,
  ringBytes: u32,
  blockBytes: u32,
  saveBytes: u32,
  flashId: u32,
  features: u32,
  build: u32,
  clockUs: u32,
});
export const dividerField = struct({ divider: u32 });
/** Bits of `features`: which later parts of the stub are loaded. */
export const partFeatures = { inflate: 1, write: 2 } as const;

/** Sectors by what became of them, and microseconds of the chip's own clock. */
export const commitReply = struct({
  skipped: u8,
  programmed: u8,
  erased: u8,
  blockErased: u8,
  composeUs: u32,
  compareUs: u32,
  eraseUs: u32,
  programUs: u32,
  verifyUs: u32,
  starvedUs: u32,
});

export const status = {
  ok: 0x00,
  unknownOperation: 0x01,
  badArgument: 0x02,
  outsideFlash: 0x03,
  wrongContents: 0x04,
  verifyFailed: 0x05,
  flashBusy: 0x06,
  flashRefuses: 0x07,
  dropped: 0x08,
  notLoaded: 0x09,
  badStream: 0x0a,
} as const;

const statusTexts: Readonly<Record<number, string>> = {
  [status.unknownOperation]: "no such operation",
  [status.badArgument]: "an argument does not fit",
  [status.outsideFlash]: "outside the flash",
  [status.wrongContents]: "the composed contents are not what was announced; nothing was erased",
  [status.verifyFailed]: "the flash reads back differently than it was programmed",
  [status.flashBusy]: "the flash chip stays busy beyond its time limit",
  [status.flashRefuses]: "the flash chip refuses to be written",
  [status.dropped]: "dropped",
  [status.notLoaded]: "the part of the stub for this is not loaded",
  [status.badStream]: "not a deflate stream",
};

const flashRemedy = "Take the board off its power for a moment and flash again; if it stays, suspect the flash chip.";

/** The stub said no to an operation; what came behind it was not done. */
export class OperationFailed extends FlashError {
  /** Place in the stream since the last HELLO, from 0. */
  readonly index: number;
  readonly status: number;

  constructor(index: number, code: number) {
    const text = statusTexts[code] ?? "unknown error";
    const isFlash = code === status.flashBusy || code === status.flashRefuses;
    super(
      code === status.verifyFailed ? "verify-failed" : "protocol",
      `the stub says ${hex(code, 2)}: ${text}`,
      isFlash ? { remedy: flashRemedy } : {},
    );
    this.index = index;
    this.status = code;
  }
}

export function hash(address: number, count: number, unitBytes: number): Operations {
  return one(operation.hash, [...varint(address), ...varint(count), ...varint(unitBytes)]);
}

/** One reply to HASH: `first` is the number of the first unit in it. */
export function parseHash(data: Uint8Array): { readonly first: number; readonly crcs: readonly number[] } {
  const view = viewOf(data);
  const count = data[4] ?? 0;
  if (data.length < 5 + 4 * count) throw cutShort("HASH", data);
  const crcs = Array.from({ length: count }, (_, index) => view.getUint32(5 + 4 * index, true));
  return { first: view.getUint32(0, true), crcs };
}

export function read(address: number, length: number): Operations {
  return one(operation.read, [...varint(address), ...varint(length)]);
}

/** One reply to READ. */
export function parseRead(data: Uint8Array): { readonly offset: number; readonly bytes: Uint8Array } {
  if (data.length < 4) throw cutShort("READ", data);
  return { offset: viewOf(data).getUint32(0, true), bytes: data.subarray(4) };
}

function cutShort(of: string, data: Uint8Array): FlashError {
  return new FlashError("protocol", `a ${of} reply of ${data.length} bytes is cut short`);
}

export function ram(address: number, data: Uint8Array): Operations {
  const head = [operation.ram, ...varint(address), ...varint(data.length)];
  const bytes = new Uint8Array(head.length + data.length);
  bytes.set(head);
  bytes.set(data, head.length);
  return { ops: bytes, operations: 1 };
}

function one(op: number, rest: readonly number[]): Operations {
  return { ops: Uint8Array.of(op, ...rest), operations: 1 };
}

/** Unsigned LEB128. */
function varint(value: number): readonly number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 0x80);
  }
}
