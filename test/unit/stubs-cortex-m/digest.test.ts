import { expect, test } from "vitest";
import { noise } from "../stubs/operations.ts";
import {
  decodeDigests,
  encodeRanges,
  loaderCommand,
  loaderDigest,
  loaderStatus,
  progressOf,
} from "../../../src/targets/gdb/loader-abi.ts";
import { viewOf } from "../../../src/core/struct.ts";
import { layout, ram, Rig } from "./machine.ts";

function progress(rig: Rig) {
  return progressOf(rig.mailboxWords);
}

function memory() {
  const flash = ram(0x08000000, 0x4000);
  flash.bytes.set(noise(0x4000, 3));
  return flash;
}

test("the digest of the machine code is the one that the host makes, at every length and alignment", () => {
  const flash = memory();
  const rig = new Rig("digest", [flash]);
  const ranges = [0, 1, 2, 3, 4, 5, 7, 8, 100, 1023, 1024].flatMap((size) =>
    [0, 1, 2, 3].map((offset) => ({ address: 0x08000100 + offset, size })),
  );
  rig.put({ command: loaderCommand.digest, count: ranges.length }, encodeRanges(ranges));
  rig.go();
  expect(progress(rig)).toMatchObject({ status: loaderStatus.ok, done: ranges.length });
  const found = decodeDigests(rig.ram.bytes.subarray(layout.buffer, layout.buffer + 8 * ranges.length));
  expect(found).toEqual(
    ranges.map(({ address, size }) =>
      loaderDigest(flash.bytes.subarray(address - 0x08000000, address - 0x08000000 + size)),
    ),
  );
});

test("the host's digest of parts is that of all of it", () => {
  const bytes = noise(100, 1);
  expect(loaderDigest(bytes.subarray(0, 33), bytes.subarray(33))).toBe(loaderDigest(bytes));
});

test("one changed bit, swapped words, and zeros at the end each make another digest", () => {
  const bytes = noise(64, 5);
  const changed = bytes.map((byte, at) => (at === 17 ? byte ^ 1 : byte));
  const swapped = bytes.slice();
  swapped.copyWithin(0, 4, 8);
  swapped.set(bytes.subarray(0, 4), 4);
  const all = [bytes, changed, swapped, bytes.subarray(0, 60), new Uint8Array(3), new Uint8Array(4), new Uint8Array(5)];
  expect(new Set(all.map((one) => loaderDigest(one))).size).toBe(all.length);
});

test("a digest takes at most 2.6 cycles a byte", () => {
  const rig = new Rig("digest", [memory()]);
  rig.put({ command: loaderCommand.digest, count: 1 }, encodeRanges([{ address: 0x08000000, size: 0x4000 }]));
  rig.go();
  expect(rig.machine.cycles / 0x4000).toBeLessThan(2.6);
});

test.each([0x20000000, 0x20000608, 0x10007ff8])("the code runs wherever it is put: %x", (base) => {
  const flash = memory();
  const rig = new Rig("digest", [flash], base);
  rig.put({ command: loaderCommand.digest, count: 1 }, encodeRanges([{ address: 0x08000000, size: 64 }]));
  rig.go();
  expect(decodeDigests(rig.ram.bytes.subarray(layout.buffer, layout.buffer + 8))).toEqual([
    loaderDigest(flash.bytes.subarray(0, 64)),
  ]);
});

test("an abort ends a table of digests", () => {
  const rig = new Rig("digest", [memory()]);
  const ranges = Array.from({ length: 16 }, () => ({ address: 0x08000000, size: 0x4000 }));
  rig.put({ command: loaderCommand.digest, count: ranges.length }, encodeRanges(ranges));
  rig.machine.onSlice = () => viewOf(rig.mailbox).setUint32(4 * 13, 1, true);
  rig.go();
  expect(progress(rig)).toMatchObject({ status: loaderStatus.aborted, done: 1 });
});

test("INFO tells the ABI, the driver and the build", () => {
  for (const driver of ["digest", "nrf", "rp2040-rom", "rp2040-ssi"]) {
    const rig = new Rig(driver, []);
    rig.put({ command: loaderCommand.info }, new Uint8Array(0));
    rig.go();
    const view = viewOf(rig.ram.bytes);
    const words = [0, 1, 2, 3].map((word) => view.getUint32(layout.buffer + 4 * word, true));
    expect(words).toEqual([1, rig.blob.driverId, rig.blob.programUnit, rig.blob.build]);
  }
});

test("a command that does not exist is refused, and so are records where there is no flash", () => {
  for (const command of [0, 7, loaderCommand.batch, loaderCommand.stream]) {
    const rig = new Rig("digest", [memory()]);
    rig.put({ command }, new Uint8Array(0));
    rig.go();
    expect(progress(rig).status).toBe(loaderStatus.unknown);
  }
});
