import { describe, expect, test } from "vitest";
import { noise } from "../stubs/operations.ts";
import {
  encodeRecords,
  loaderCommand,
  loaderFlag,
  loaderStatus,
  progressOf,
  slotState,
  type LoaderRecord,
} from "../../../src/targets/gdb/loader-abi.ts";
import { concat } from "../../../src/core/bytes.ts";
import { viewOf } from "../../../src/core/struct.ts";
import { layout, Rig } from "./machine.ts";
import { Nvmc } from "./nvmc.ts";

const pageBytes = 0x400;
const flash = { address: 0, size: 64 * pageBytes };

function board(old?: Uint8Array) {
  const nvmc = new Nvmc(64);
  if (old !== undefined) nvmc.bytes.set(old);
  return { nvmc, rig: new Rig("nrf", nvmc.memories) };
}

interface Options {
  readonly flags?: number;
  readonly bufferBytes?: number;
  readonly count?: number;
}

function batch(rig: Rig, records: readonly LoaderRecord[], { flags = loaderFlag.verify, ...more }: Options = {}) {
  const count = more.count ?? records.length;
  rig.put(
    { command: loaderCommand.batch, count, flags, flash, driverArguments: [pageBytes], ...more },
    encodeRecords(records),
  );
  rig.go();
  return progress(rig);
}

function progress(rig: Rig) {
  return progressOf(rig.mailboxWords);
}

/** Waits are bounded by millions of loops: the register that counts them down is brought near its end. */
function hurry({ machine }: Rig): void {
  const { registers } = machine.core;
  machine.onSlice = () => {
    for (const [at, value] of registers.subarray(0, 8).entries()) {
      if (value > 0x100000 && value <= 0x10000000) registers[at] = 16;
    }
  };
}

describe("batch", () => {
  test("erases and writes what the records say, and nothing else", () => {
    const old = noise(flash.size, 9);
    const { nvmc, rig } = board(old);
    nvmc.busyReads = 3;
    const data = noise(3 * pageBytes, 2);
    const done = batch(rig, [
      { kind: "erase", address: 0x800, size: 3 * pageBytes },
      { kind: "write", address: 0x800, data },
      { kind: "erase", address: 0x4000, size: pageBytes },
      { kind: "write", address: 0x4100, data: data.subarray(0, 0x100) },
    ]);
    expect(done).toMatchObject({ status: 0, done: 4, erased: 4 * pageBytes, failure: 0 });
    expect(nvmc.erased).toEqual([2, 3, 4, 16]);
    const wanted = old.slice();
    wanted.set(data, 0x800);
    wanted.fill(0xff, 0x4000, 0x4400);
    wanted.set(data.subarray(0, 0x100), 0x4100);
    expect(nvmc.bytes).toEqual(wanted);
    expect(nvmc.isClosed).toBe(true);
  });

  test("leaves out what is all FF", () => {
    const { nvmc, rig } = board(new Uint8Array(flash.size));
    const data = new Uint8Array(pageBytes).fill(0xff);
    data.set([1, 2, 3, 4], 0x200);
    data.set([5, 6, 7, 8], 0x3fc);
    const done = batch(rig, [
      { kind: "erase", address: 0, size: pageBytes },
      { kind: "write", address: 0, data },
    ]);
    expect(done).toMatchObject({ status: 0, programmed: 8 });
    expect(nvmc.programmedWords).toBe(2);
  });

  test("updates only pages that differ, and erases only where a bit must rise", () => {
    const old = noise(4 * pageBytes, 4);
    const { nvmc, rig } = board(old);
    const lower = old.slice(pageBytes, 2 * pageBytes);
    lower[100] = (lower[100] ?? 0) & 0x11;
    const other = noise(pageBytes, 6);
    const records: readonly LoaderRecord[] = [
      { kind: "update", address: 0, data: old.subarray(0, pageBytes) },
      { kind: "update", address: pageBytes, data: lower },
      { kind: "update", address: 2 * pageBytes, data: other },
    ];
    const flags = loaderFlag.verify | loaderFlag.skipEqual | loaderFlag.eraseOnlyRising;
    expect(batch(rig, records, { flags })).toMatchObject({
      status: 0,
      done: 3,
      erased: pageBytes,
      skipped: pageBytes,
      programmed: pageBytes + 4,
    });
    expect(nvmc.erased).toEqual([2]);
    expect(nvmc.bytes.subarray(0, 3 * pageBytes)).toEqual(concat([old.subarray(0, pageBytes), lower, other]));
  });

  test("says at which word flash reads back differently", () => {
    const { nvmc, rig } = board();
    nvmc.stuck.add(0x408);
    const done = batch(rig, [
      { kind: "write", address: 0x400, data: noise(64) },
      { kind: "write", address: 0, data: noise(64) },
    ]);
    expect(done).toMatchObject({ status: loaderStatus.verifyFailed, failure: 0x408, done: 0 });
    expect(nvmc.bytes[0]).toBe(0xff);
    expect(nvmc.isClosed).toBe(true);
  });

  test("does not look back when it is not to verify", () => {
    const { nvmc, rig } = board();
    nvmc.stuck.add(8);
    expect(batch(rig, [{ kind: "write", address: 0, data: noise(64) }], { flags: 0 }).status).toBe(loaderStatus.ok);
  });

  test("writing without an erase fails its verification", () => {
    const { rig } = board(new Uint8Array(flash.size));
    expect(batch(rig, [{ kind: "write", address: 0x20, data: noise(64) }])).toMatchObject({
      status: loaderStatus.verifyFailed,
      failure: 0x20,
    });
  });

  test.each([
    ["before the flash", { kind: "write", address: -4 >>> 0, data: noise(8) }],
    ["behind the flash", { kind: "erase", address: flash.size, size: pageBytes }],
    ["across its end", { kind: "write", address: flash.size - 4, data: noise(8) }],
    ["beside a program unit", { kind: "write", address: 2, data: noise(4) }],
    ["in half a program unit", { kind: "write", address: 0, data: noise(6) }],
  ] satisfies readonly (readonly [string, LoaderRecord])[])("refuses to write %s", (_, record) => {
    const { nvmc, rig } = board();
    expect(batch(rig, [record]).status).toBe(loaderStatus.outside);
    expect(nvmc.bytes).toEqual(new Uint8Array(flash.size).fill(0xff));
  });

  test("refuses a record that reaches beyond the buffer, and one too many", () => {
    const record: LoaderRecord = { kind: "write", address: 0, data: noise(64) };
    expect(batch(board().rig, [record], { bufferBytes: 79 }).status).toBe(loaderStatus.unknown);
    expect(batch(board().rig, [record], { bufferBytes: 80 }).status).toBe(loaderStatus.ok);
    expect(batch(board().rig, [record], { bufferBytes: 80, count: 2 })).toMatchObject({
      status: loaderStatus.unknown,
      done: 1,
    });
  });

  test("gives up when the controller stays busy", () => {
    const { nvmc, rig } = board();
    nvmc.busyReads = Infinity;
    hurry(rig);
    expect(batch(rig, [{ kind: "write", address: 0, data: noise(4) }])).toMatchObject({
      status: loaderStatus.timeout,
      failure: 0,
    });
  });

  test("ends between runs of 4 KiB when it is told to", () => {
    const { nvmc, rig } = board();
    const data = noise(0x4000, 3);
    rig.machine.onSlice = () => viewOf(rig.mailbox).setUint32(4 * 13, nvmc.programmedWords > 1500 ? 1 : 0, true);
    expect(batch(rig, [{ kind: "write", address: 0, data }])).toMatchObject({
      status: loaderStatus.aborted,
      programmed: 0x2000,
    });
    expect(nvmc.isClosed).toBe(true);
  });

  test("needs at most 256 bytes of stack, for patches too", () => {
    const { rig } = board();
    batch(rig, [{ kind: "update", address: 0, data: noise(pageBytes) }]);
    expect(rig.ram.start + layout.stackTop - rig.machine.lowestSp).toBeLessThanOrEqual(256);
  });
});

describe("stream", () => {
  const slotBytes = 0x800;

  function stream(
    batches: readonly (readonly LoaderRecord[])[],
    prepare: (rig: Rig, nvmc: Nvmc) => void = () => undefined,
  ) {
    const { nvmc, rig } = board(new Uint8Array(flash.size));
    rig.put(
      {
        command: loaderCommand.stream,
        flags: loaderFlag.verify,
        flash,
        driverArguments: [pageBytes],
        bufferBytes: slotBytes,
      },
      new Uint8Array(2 * slotBytes),
    );
    const view = viewOf(rig.ram.bytes.subarray(layout.buffer));
    let next = 0;
    let waited = 0;
    rig.machine.onSlice = () => {
      const slot = (next % 2) * slotBytes;
      const records = batches[next];
      if (records === undefined || view.getUint32(slot, true) !== slotState.free || waited++ < 3) return;
      rig.ram.bytes.set(encodeRecords(records), layout.buffer + slot + 8);
      view.setUint32(slot + 4, records.length, true);
      view.setUint32(slot, next === batches.length - 1 ? slotState.last : slotState.full, true);
      next++;
      waited = 0;
    };
    prepare(rig, nvmc);
    rig.go();
    return { nvmc, rig, view, ...progress(rig) };
  }

  const pages = Array.from({ length: 7 }, (_, page) => noise(pageBytes, page + 1));
  const perPage = pages.map((data, page): readonly LoaderRecord[] => [
    { kind: "erase", address: page * pageBytes, size: pageBytes },
    { kind: "write", address: page * pageBytes, data },
  ]);

  test("takes slot after slot while the core runs, and says how long it waited", () => {
    const { nvmc, status, done, waits } = stream(perPage);
    expect({ status, done }).toEqual({ status: 0, done: 14 });
    expect(waits).toBeGreaterThan(0);
    expect(nvmc.bytes.subarray(0, 7 * pageBytes)).toEqual(concat(pages));
  });

  test("may end with an empty slot", () => {
    expect(stream([...perPage, []])).toMatchObject({ status: 0, done: 14 });
  });

  test("ends at the first failure and leaves its slot as it is", () => {
    const { nvmc, view, ...end } = stream(perPage, (_, { stuck }) => stuck.add(0x800));
    expect(end).toMatchObject({ status: loaderStatus.verifyFailed, failure: 0x800, done: 5 });
    expect(view.getUint32(0, true)).toBe(slotState.full);
    expect(nvmc.isClosed).toBe(true);
  });

  test("can be ended while it waits for a slot", () => {
    const { status } = stream([], (rig) => {
      rig.machine.onSlice = () => viewOf(rig.mailbox).setUint32(4 * 13, 1, true);
    });
    expect(status).toBe(loaderStatus.aborted);
  });

  test("does not wait for ever for a slot", () => {
    expect(stream([], hurry).status).toBe(loaderStatus.timeout);
  });

  test("refuses a record that reaches beyond its slot", () => {
    expect(stream([[{ kind: "write", address: 0, data: noise(slotBytes - 16) }]]).status).toBe(loaderStatus.unknown);
  });
});
