/** New contents that the board composes from what it holds, on flash that is not ours to model: code that moved costs few bytes on the wire. */
import { afterAll, expect, test } from "vitest";
import { concat, equalBytes } from "../../../src/core/bytes.ts";
import { planDelta } from "../../../src/core/delta.ts";
import { mixedBytes } from "../transport-helpers.ts";
import { FirmwareFolder } from "./firmware.ts";
import { LoaderRig, places } from "./loader-rig.ts";
import { OpenOcd } from "./openocd.ts";
import { QemuBoard } from "./qemu.ts";
import { rp2040Board } from "./servers.ts";

const firmware = new FirmwareFolder();
afterAll(() => firmware[Symbol.dispose]());

/** Unlike `mixedBytes`, without repeats that a patch could use. */
function noise(bytes: number, seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: bytes }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

const imageBytes = 0x10000;
const old = noise(imageBytes, 4);
/** 36 bytes are put in near the beginning, and one sector is new. */
const fresh = concat([old.subarray(0, 0x800), noise(36, 5), old.subarray(0x800, 0xf000 - 36), noise(0x1000, 7)]);

async function patchesInto(rig: LoaderRig, address: number): Promise<number> {
  const limits = rig.loader.patchLimits;
  if (limits === undefined) throw new Error("no patches on this board");
  const { blocks } = planDelta({
    writes: [{ address, data: fresh, erases: [] }],
    old: [{ address, data: old }],
    limits,
  });
  const { counters } = rig.session.transport;
  const before = counters.sentBytes;
  await rig.write(blocks.map((block) => ({ ...block, kind: "patch" })));
  return counters.sentBytes - before;
}

test("an RP2040 behind OpenOCD makes the shifted image out of the one that it has", async () => {
  const board = rp2040Board(firmware);
  board.nor.bytes.set(old);
  await using server = await OpenOcd.start(board);
  await using rig = await LoaderRig.open(server.port, places.rp2040Rom);
  expect(await patchesInto(rig, 0x10000000)).toBeLessThan(imageBytes / 4);
  expect(equalBytes(board.nor.bytes.subarray(0, imageBytes), fresh)).toBe(true);
  expect(board.nor.takeCounters()).toMatchObject({
    erasedBytes: imageBytes,
    missingEnables: 0,
    whileBusy: 0,
    strange: 0,
  });
  expect(await rig.flash(fresh)).toEqual([]);
});

test("so does a microbit in its 16 KiB of RAM, by QEMU's flash controller", async () => {
  await using board = await QemuBoard.start("microbit");
  await using rig = await LoaderRig.open(board.port, places.microbit);
  await rig.flash(old);
  // Each byte is two on this wire.
  expect(await patchesInto(rig, 0)).toBeLessThan(imageBytes / 2);
  expect(await rig.differing(fresh)).toEqual([]);
});

test("contents that are not there are found out before anything is erased", async () => {
  await using board = await QemuBoard.start("microbit");
  await using rig = await LoaderRig.open(board.port, places.microbit);
  const other = mixedBytes(imageBytes);
  await rig.flash(other);
  await expect(patchesInto(rig, 0)).rejects.toMatchObject({ code: "verify-failed", status: 4 });
  expect(await rig.differing(other)).toEqual([]);
});
