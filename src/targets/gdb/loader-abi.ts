/**
 * What the loader in a Cortex-M's RAM and its host say to each other: mailbox, records, digests, as `stubs/cortex-m/README.md`
 * defines them. Knows neither GDB servers nor chips.
 */
import { concat } from "../../core/bytes.ts";
import type { Digest } from "../../core/digest.ts";
import type { Address, Range } from "../../core/image.ts";
import { viewOf } from "../../core/struct.ts";

export const loaderCommand = { info: 1, digest: 2, batch: 3, stream: 4 } as const;

export const loaderStatus = {
  running: 0xffffffff,
  ok: 0,
  eraseFailed: 1,
  programFailed: 2,
  verifyFailed: 3,
  patchWrong: 4,
  unknown: 5,
  aborted: 6,
  timeout: 7,
  protected: 8,
  outside: 9,
} as const;

export const loaderFlag = { verify: 1, skipEqual: 2, eraseOnlyRising: 4, patchLoaded: 8 } as const;

const words = {
  command: 0,
  status: 1,
  buffer: 2,
  bufferBytes: 3,
  count: 4,
  work: 5,
  workBytes: 6,
  flags: 7,
  done: 8,
  erased: 9,
  programmed: 10,
  skipped: 11,
  failure: 12,
  abort: 13,
  waits: 14,
  saveBytes: 15,
  flash: 16,
  flashBytes: 17,
  driver: 18,
} as const;
const driverWords = 6;
/** What a host reads of it while the loader works. */
export const mailboxWords = 16;
export const mailboxBytes = 4 * (words.driver + driverWords);
/** Offset of the word by which the host ends a job, 0 or 1. */
export const abortAt = 4 * words.abort;

export interface LoaderJob {
  readonly command: number;
  readonly buffer: Range;
  readonly count?: number;
  /** Where patches are composed; the save area stands behind it. */
  readonly work?: Range;
  readonly saveBytes?: number;
  readonly flags?: number;
  readonly flash?: Range;
  readonly driverArguments?: readonly number[];
}

export function encodeMailbox(job: LoaderJob): Uint8Array {
  const bytes = new Uint8Array(mailboxBytes);
  const view = viewOf(bytes);
  const put = (word: number, value: number) => view.setUint32(4 * word, value, true);
  put(words.command, job.command);
  put(words.status, loaderStatus.running);
  put(words.buffer, job.buffer.address);
  put(words.bufferBytes, job.buffer.size);
  put(words.count, job.count ?? 0);
  put(words.work, job.work?.address ?? 0);
  put(words.workBytes, job.work?.size ?? 0);
  put(words.saveBytes, job.saveBytes ?? 0);
  put(words.flags, job.flags ?? 0);
  put(words.flash, job.flash?.address ?? 0);
  put(words.flashBytes, job.flash?.size ?? 0);
  for (const [index, value] of (job.driverArguments ?? []).entries()) put(words.driver + index, value);
  return bytes;
}

export interface LoaderProgress {
  readonly status: number;
  /** Records, or ranges. */
  readonly done: number;
  /** Bytes. */
  readonly erased: number;
  readonly programmed: number;
  readonly skipped: number;
  readonly failure: Address;
  /** Loops spent waiting for a slot. */
  readonly waits: number;
}

/** @param mailbox its words, from the first on: 16 at least */
export function progressOf(mailbox: ArrayLike<number>): LoaderProgress {
  const get = (word: number) => mailbox[word] ?? 0;
  return {
    status: get(words.status),
    done: get(words.done),
    erased: get(words.erased),
    programmed: get(words.programmed),
    skipped: get(words.skipped),
    failure: get(words.failure),
    waits: get(words.waits),
  };
}

export type LoaderRecord =
  /** Programs; both numbers are multiples of the program unit. */
  | { readonly kind: "write"; readonly address: Address; readonly data: Uint8Array }
  /** One erase of the driver: a unit, or a block. */
  | { readonly kind: "erase"; readonly address: Address; readonly size: number }
  /** `ops` are those of one block, from BLK to COMMIT. */
  | { readonly kind: "patch"; readonly address: Address; readonly size: number; readonly ops: Uint8Array }
  /** Erases whole units and programs them, unless they hold `data` already. */
  | { readonly kind: "update"; readonly address: Address; readonly data: Uint8Array };

const recordKinds = { write: 1, erase: 2, patch: 3, update: 4 } as const;
export const recordHeadBytes = 16;
const nothing = new Uint8Array(0);

function payloadOf(record: LoaderRecord): Uint8Array {
  switch (record.kind) {
    case "write":
    case "update":
      return record.data;
    case "patch":
      return record.ops;
    case "erase":
      return nothing;
  }
}

/** Bytes of memory that the record is about. */
export function sizeOfTarget(record: LoaderRecord): number {
  return "size" in record ? record.size : record.data.length;
}

/** Bytes in the buffer. */
export function recordBytes(record: LoaderRecord): number {
  return recordHeadBytes + Math.ceil(payloadOf(record).length / 4) * 4;
}

export function encodeRecords(records: readonly LoaderRecord[]): Uint8Array {
  const bytes = new Uint8Array(records.reduce((sum, record) => sum + recordBytes(record), 0));
  const view = viewOf(bytes);
  let at = 0;
  for (const record of records) {
    const payload = payloadOf(record);
    const head = [recordKinds[record.kind], record.address, sizeOfTarget(record), payload.length];
    for (const [index, value] of head.entries()) view.setUint32(at + 4 * index, value, true);
    bytes.set(payload, at + recordHeadBytes);
    at += recordBytes(record);
  }
  return bytes;
}

/** In front of a slot's records: its state, and how many they are. */
export const slotHeadBytes = 8;
export const slotState = { free: 0, full: 1, last: 2 } as const;

/** The same as the loader's, word by word: 16 hex digits. */
export function loaderDigest(...parts: readonly Uint8Array[]): Digest {
  const bytes = parts.length === 1 && parts[0] !== undefined ? parts[0] : concat(parts);
  const view = viewOf(bytes);
  const whole = bytes.length - (bytes.length % 4);
  let a = 0x9e3779b1 ^ bytes.length;
  let b = 0x85ebca77;
  const add = (word: number) => {
    a = Math.imul(a ^ word, 0x01000193);
    a ^= a >>> 15;
    b = Math.imul(b + word, 0xc2b2ae3d);
    b = (b << 13) | (b >>> 19);
  };
  for (let at = 0; at < whole; at += 4) add(view.getUint32(at, true));
  if (whole < bytes.length) {
    let word = 0;
    for (let at = bytes.length - 1; at >= whole; at--) word = (word << 8) | (bytes[at] ?? 0);
    add(word);
  }
  return digestDigits(a, b);
}

function digestDigits(a: number, b: number): Digest {
  return [a, b].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

export const digestRangeBytes = 8;

/** The buffer of a DIGEST. */
export function encodeRanges(ranges: readonly Range[]): Uint8Array {
  const bytes = new Uint8Array(ranges.length * digestRangeBytes);
  const view = viewOf(bytes);
  for (const [index, { address, size }] of ranges.entries()) {
    view.setUint32(index * digestRangeBytes, address, true);
    view.setUint32(index * digestRangeBytes + 4, size, true);
  }
  return bytes;
}

/** What a DIGEST leaves in its buffer. */
export function decodeDigests(bytes: Uint8Array): readonly Digest[] {
  const view = viewOf(bytes);
  return Array.from({ length: Math.floor(bytes.length / digestRangeBytes) }, (_, index) =>
    digestDigits(view.getUint32(index * digestRangeBytes, true), view.getUint32(index * digestRangeBytes + 4, true)),
  );
}
