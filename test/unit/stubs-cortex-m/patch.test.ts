import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { add, blk, commit, copy, fill, ins, noise, save, saved } from "../stubs/operations.ts";
import { concat } from "../../../src/core/bytes.ts";
import { planDelta } from "../../../src/core/delta.ts";
import { readElf } from "../../../src/core/elf.ts";
import {
  encodeRecords,
  loaderCommand,
  loaderFlag,
  loaderStatus,
  progressOf,
  type LoaderRecord,
} from "../../../src/targets/gdb/loader-abi.ts";
import { layout, Rig, saveBytes } from "./machine.ts";
import { Nvmc } from "./nvmc.ts";

const pageBytes = 0x400;
const blockBytes = layout.save - layout.work;
const corpus = "../shared/corpus/meter/elf/nrf51";
const edits = ["const", "string", "early", "late", "newfunc", "struct", "static", "removed", "rebuild", "version"];

function board(old: Uint8Array, pages = 64) {
  const nvmc = new Nvmc(pages);
  nvmc.bytes.set(old);
  return { nvmc, rig: new Rig("nrf", nvmc.memories) };
}

function batch({ rig, nvmc }: ReturnType<typeof board>, records: readonly LoaderRecord[], flags = 0) {
  const flash = { address: 0, size: nvmc.bytes.length };
  const all = loaderFlag.verify | loaderFlag.patchLoaded | flags;
  rig.put(
    { command: loaderCommand.batch, count: records.length, flags: all, flash, driverArguments: [pageBytes] },
    encodeRecords(records),
  );
  rig.go(200_000_000);
  return progressOf(rig.mailboxWords);
}

function imageOf(variant: string): Uint8Array {
  const elf = readElf(gunzipSync(readFileSync(`${corpus}/${variant}.elf.gz`)), variant);
  const loaded = elf.programHeaders.filter(({ type, fileSize }) => type === 1 && fileSize > 0);
  const end = Math.max(...loaded.map(({ physicalAddress, fileSize }) => physicalAddress + fileSize));
  const image = new Uint8Array(Math.ceil(end / 0x1000) * 0x1000).fill(0xff);
  for (const { fileOffset, fileSize, physicalAddress } of loaded)
    image.set(elf.bytes.subarray(fileOffset, fileOffset + fileSize), physicalAddress);
  return image;
}

describe("the planner's patches", () => {
  const base = imageOf("base");

  test.each(edits)("make the corpus's %s out of its base, block by block in the planner's order", (edit) => {
    const fresh = imageOf(edit);
    const { blocks } = planDelta({
      writes: [{ address: 0, data: fresh, erases: [] }],
      old: [{ address: 0, data: base }],
      limits: { blockBytes, saveBytes },
    });
    const rig = board(base, 256);
    const records = blocks.map(({ address, size, ops }): LoaderRecord => ({ kind: "patch", address, size, ops }));
    expect(batch(rig, records, loaderFlag.skipEqual)).toMatchObject({ status: 0, done: records.length });
    expect(Buffer.compare(rig.nvmc.bytes.subarray(0, fresh.length), fresh)).toBe(0);
    expect(encodeRecords(records).length).toBeLessThan(fresh.length / 3);
  });
});

describe("a patch", () => {
  const old = noise(0x4000, 11);
  const block = { address: 0x1000, bytes: 0x1000 };

  /** A patch of the block that becomes `bytes`. */
  function patched(bytes: Uint8Array, ...operations: readonly (readonly number[])[]): LoaderRecord {
    const ops = Uint8Array.from([...blk(1, bytes), ...operations.flat(), ...commit()]);
    return { kind: "patch", address: block.address, size: block.bytes, ops };
  }

  test("is composed of copies from anywhere, replaced bytes, fills, insertions and what was saved", () => {
    const bytes = concat([
      old.subarray(0x3001, 0x3801),
      old.subarray(0x1003, 0x1403).map((byte, at) => (at === 40 || at >= 0x3f0 ? byte ^ 0x55 : byte)),
      new Uint8Array(0x100).fill(7),
      noise(0x101, 5),
      old.subarray(0x203, 0x402),
    ]);
    const board1 = board(old);
    const replaced = bytes.subarray(0x800, 0xc00);
    const record = patched(
      bytes,
      save(3, 0x300, 0x203 - 0x1000),
      copy(0x800, 0x3001 - 0x503),
      add(0x400, 0x1003 - 0x3801, [
        [40, [replaced[40] ?? 0]],
        [0x3f0 - 41, [...replaced.subarray(0x3f0)]],
      ]),
      fill(0x100, 7),
      ins(noise(0x101, 5)),
      saved(3, 0x1ff),
    );
    expect(batch(board1, [record])).toMatchObject({ status: 0, erased: 0x1000, failure: 0 });
    const wanted = old.slice();
    wanted.set(bytes, block.address);
    expect(board1.nvmc.bytes.subarray(0, old.length)).toEqual(wanted);
  });

  test("is kept for later patches where it was saved", () => {
    const first = noise(0x1000, 8);
    const second = concat([old.subarray(0x1234, 0x1834), new Uint8Array(0xa00).fill(0)]);
    const board1 = board(old);
    const later: LoaderRecord = {
      kind: "patch",
      address: 0x2000,
      size: 0x1000,
      ops: Uint8Array.from([...blk(2, second), ...saved(0, 0x600), ...fill(0xa00, 0), ...commit()]),
    };
    expect(batch(board1, [patched(first, save(0, 0x600, 0x234), ins(first)), later])).toMatchObject({
      status: 0,
      done: 2,
    });
    expect(board1.nvmc.bytes.subarray(0x1000, 0x3000)).toEqual(concat([first, second]));
  });

  test("that changes nothing erases nothing", () => {
    const board1 = board(old);
    const same = patched(old.subarray(0x1000, 0x2000), copy(0x1000, 0));
    expect(batch(board1, [same], loaderFlag.skipEqual)).toMatchObject({ status: 0, skipped: 0x1000, erased: 0 });
    expect(board1.nvmc.erased).toEqual([]);
  });

  const fresh = noise(0x1000, 21);
  const good = [...blk(1, fresh), ...ins(fresh), ...commit()];
  const wrong: Readonly<Record<string, readonly number[]>> = {
    "whose CRC is another's": [...blk(1, fresh, 0x12345678), ...ins(fresh), ...commit()],
    "that is too short": [...blk(1, fresh), ...ins(fresh.subarray(0, 0xfff)), ...commit()],
    "that is too long": [...blk(1, fresh), ...ins(fresh), ...fill(1, 0), ...commit()],
    "of another block": [...blk(2, fresh), ...ins(fresh), ...commit()],
    "of two sectors": [...blk(1, concat([fresh, fresh])), ...ins(fresh), ...ins(fresh), ...commit()],
    "without a COMMIT": good.slice(0, -2),
    "that ends in a number": good.slice(0, -1),
    "that ends in its bytes": good.slice(0, 100),
    "that is empty": [],
    "that begins with a COMMIT": commit(),
    "with an operation that does not exist": [0x11, ...good],
    "with an operation of another stub": [...blk(1, fresh), 0x30, 0, 1],
    "that copies from behind the flash": [...blk(1, fresh), ...copy(0x1000, 0xf000), ...commit()],
    "that copies from far away": [...blk(1, fresh), ...copy(0x1000, 0x40000000), ...commit()],
    "that saves beyond the save area": [...blk(1, fresh), ...save(saveBytes, 1, 0), ...ins(fresh), ...commit()],
    "that is outside of the flash": [...blk(0x10, fresh), ...ins(fresh), ...commit()],
    "with a run beyond its copy": [...blk(1, fresh), ...add(16, 0, [[15, [1, 2]]]), ...commit()],
  };
  test.each(Object.entries(wrong))("%s erases nothing", (_, ops) => {
    const board1 = board(old);
    const record: LoaderRecord = { kind: "patch", address: 0x1000, size: 0x1000, ops: Uint8Array.from(ops) };
    expect(batch(board1, [record])).toMatchObject({ status: loaderStatus.patchWrong, failure: 0x1000, done: 0 });
    expect(board1.nvmc.erased).toEqual([]);
    expect(board1.nvmc.bytes.subarray(0, old.length)).toEqual(old);
    // What is right still goes in.
    expect(batch(board1, [{ ...record, ops: Uint8Array.from(good) }]).status).toBe(0);
  });

  test("cut at any place, or with any byte changed, never gets into the flash wrongly", () => {
    const board1 = board(old);
    const bytes = concat([old.subarray(0x2000, 0x2f00), new Uint8Array(0xe0).fill(9), noise(0x20, 2)]);
    const ops = [...blk(1, bytes), ...copy(0xf00, 0x1000), ...fill(0xe0, 9), ...ins(noise(0x20, 2)), ...commit()];
    const bent = [
      ...ops.map((_, at) => ops.slice(0, at)),
      ...ops.flatMap((byte, at) => [0x01, 0x80].map((bit) => ops.with(at, byte ^ bit))),
    ];
    for (const one of bent) {
      const record: LoaderRecord = { kind: "patch", address: 0x1000, size: 0x1000, ops: Uint8Array.from(one) };
      const { status } = batch(board1, [record], loaderFlag.skipEqual);
      const isRight = Buffer.compare(board1.nvmc.bytes.subarray(0x1000, 0x2000), bytes) === 0;
      expect(isRight).toBe(status === 0);
      if (status === 0) board1.nvmc.bytes.set(old);
    }
  });

  test("larger than the work area is refused", () => {
    const record: LoaderRecord = { kind: "patch", address: 0, size: blockBytes + 0x1000, ops: Uint8Array.from(good) };
    expect(batch(board(old), [record]).status).toBe(loaderStatus.outside);
  });

  test("without the patch machine is refused, and all else works without it", () => {
    const board1 = board(old);
    const { rig, nvmc } = board1;
    const { coreBytes, codeBytes, stateBytes } = rig.blob;
    rig.ram.bytes.fill(0xff, coreBytes, codeBytes + stateBytes);
    const flash = { address: 0, size: nvmc.bytes.length };
    const job = { command: loaderCommand.batch, flags: loaderFlag.verify, flash, driverArguments: [pageBytes] };
    const records: readonly LoaderRecord[] = [
      { kind: "update", address: 0, data: noise(pageBytes, 1) },
      { kind: "patch", address: 0x1000, size: 0x1000, ops: Uint8Array.from(good) },
    ];
    rig.put({ ...job, count: 2 }, encodeRecords(records));
    rig.go();
    const end = progressOf(rig.mailboxWords);
    expect(end).toMatchObject({ status: loaderStatus.unknown, done: 1, erased: pageBytes });
  });

  test("needs at most 300 bytes of stack, and its state where it should be", () => {
    const board1 = board(old);
    const { rig } = board1;
    const { codeBytes, stateBytes } = rig.blob;
    batch(board1, [{ kind: "patch", address: 0x1000, size: 0x1000, ops: Uint8Array.from(good) }]);
    expect(rig.ram.start + layout.stackTop - rig.machine.lowestSp).toBeLessThanOrEqual(300);
    expect(rig.ram.bytes.subarray(codeBytes + stateBytes, layout.mailbox).every((byte) => byte === 0xa5)).toBe(true);
  });
});
