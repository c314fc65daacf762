/** Cuts what a loader has to do into portions that fit its buffer or slots. Pure. */
import { FlashError } from "../../core/errors.ts";
import { formatBytes, hex } from "../../core/bytes.ts";
import type { Erase } from "../../core/plan.ts";
import type { Address } from "../../core/image.ts";
import { recordBytes, recordHeadBytes, type LoaderRecord } from "./loader-abi.ts";

/** Looked at as one when what need not be written is left out: a multiple of all program units. */
const pieceBytes = 1024;
const erased = 0xff;

/**
 * Erases each unit and writes it at once, so that the next unit's data travel while this one is erased. What is FF all over is not
 * sent: the erase leaves it so, and is checked.
 */
export function recordsOf(step: {
  readonly address: Address;
  readonly data: Uint8Array;
  readonly erases: readonly Erase[];
}): readonly LoaderRecord[] {
  return step.erases.flatMap(({ address, size }): LoaderRecord[] => {
    const from = address - step.address;
    return [{ kind: "erase", address, size }, ...writesOf(address, step.data.subarray(from, from + size))];
  });
}

function writesOf(address: Address, data: Uint8Array): readonly LoaderRecord[] {
  const writes: { kind: "write"; address: Address; data: Uint8Array }[] = [];
  for (let at = 0; at < data.length; at += pieceBytes) {
    const end = Math.min(at + pieceBytes, data.length);
    if (data.subarray(at, end).every((byte) => byte === erased)) continue;
    const last = writes.at(-1);
    if (last !== undefined && last.address + last.data.length === address + at)
      last.data = data.subarray(last.address - address, end);
    else writes.push({ kind: "write", address: address + at, data: data.subarray(at, end) });
  }
  return writes;
}

/**
 * Records in order, in portions of at most `mostBytes` in the buffer; writes are cut where they do not fit.
 * @param unit bytes of a program unit
 * @throws FlashError `does-not-fit` when a record that cannot be cut is too large
 */
export function portionsOf(
  records: readonly LoaderRecord[],
  mostBytes: number,
  unit: number,
): readonly (readonly LoaderRecord[])[] {
  const portions: LoaderRecord[][] = [];
  let room = 0;
  const put = (record: LoaderRecord) => {
    if (recordBytes(record) > room) {
      portions.push([]);
      room = mostBytes;
    }
    portions.at(-1)?.push(record);
    room -= recordBytes(record);
  };
  for (const record of records) {
    if (record.kind !== "write") {
      if (recordBytes(record) > mostBytes) throw tooLarge(record, mostBytes);
      put(record);
      continue;
    }
    for (let at = 0; at < record.data.length;) {
      // Less than a unit is left in this portion: the next one.
      const here = wholeUnits(room - recordHeadBytes, unit);
      const count = Math.min(record.data.length - at, here > 0 ? here : wholeUnits(mostBytes - recordHeadBytes, unit));
      if (count <= 0) throw tooLarge(record, mostBytes);
      put({ kind: "write", address: record.address + at, data: record.data.subarray(at, at + count) });
      at += count;
    }
  }
  return portions;
}

function wholeUnits(bytes: number, unit: number): number {
  return Math.max(0, Math.floor(bytes / unit) * unit);
}

function tooLarge(record: LoaderRecord, mostBytes: number): FlashError {
  return new FlashError(
    "does-not-fit",
    `what is to be written at ${hex(record.address)} takes ${formatBytes(recordBytes(record))} of RAM, only ${formatBytes(mostBytes)} are free`,
  );
}
