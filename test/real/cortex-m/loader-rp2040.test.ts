/** Our loader on an RP2040 with a counting flash: as a stream through OpenOCD, in batches through rp2040js's own server. */
import { afterAll, describe, expect, test } from "vitest";
import { equalBytes } from "../../../src/core/bytes.ts";
import { resetAndRun } from "../../../src/targets/gdb/reset.ts";
import { firstLine, rp2040 } from "./boards.ts";
import { FirmwareFolder } from "./firmware.ts";
import { imageWith, LoaderRig, places } from "./loader-rig.ts";
import { OpenOcd } from "./openocd.ts";
import type { Rp2040Board } from "./rp2040-board.ts";
import { Rp2040JsServer } from "./rp2040js-server.ts";
import { rp2040Board } from "./servers.ts";

const firmware = new FirmwareFolder();
afterAll(() => firmware[Symbol.dispose]());

const sectorBytes = 0x1000;
const sectors = 24;
const base = 0x10000000;
const imageOf = (version: number): Uint8Array =>
  imageWith(firmware.firmware({ board: rp2040, place: "flash", version }), base, sectors * sectorBytes);
const correct = { missingEnables: 0, whileBusy: 0, strange: 0 };
const held = (board: Rp2040Board, image: Uint8Array): boolean =>
  equalBytes(board.nor.bytes.subarray(0, image.length), image);

describe.each([
  { way: "its boot ROM", place: places.rp2040Rom },
  { way: "its SSI", place: places.rp2040Ssi },
])("an RP2040 flashed by $way", ({ place }) => {
  test("through OpenOCD is written by one run of the loader, starts, and is not written again", async () => {
    const board = rp2040Board(firmware);
    board.nor.bytes.fill(0x55);
    board.nor.times = { page: 0.1, sector: 5, block: 15 };
    await using server = await OpenOcd.start(board);
    {
      await using rig = await LoaderRig.open(server.port, place);
      expect((await rig.differing(imageOf(1))).length).toBe(sectors);
      const { halts } = server.shim.core;
      await rig.flash(imageOf(1));
      // One for the digests, one for all that is written.
      expect(server.shim.core.halts - halts).toBe(2);
      expect(held(board, imageOf(1))).toBe(true);
      expect(board.nor.bytes.subarray(sectors * sectorBytes).every((value) => value === 0x55)).toBe(true);
      const counts = { erases: sectors, erasedBytes: sectors * sectorBytes, pages: sectors * 16 };
      expect(board.nor.takeCounters()).toEqual({ ...correct, ...counts });
      await resetAndRun(rig.session.client);
      expect(await board.uart.line("v1")).toBe(firstLine(1));
    }
    await using rig = await LoaderRig.open(server.port, place);
    expect(await rig.flash(imageOf(1))).toEqual([]);
    expect(await rig.flash(imageOf(2))).toEqual([base]);
    expect(board.nor.takeCounters()).toMatchObject({ ...correct, erases: 1, erasedBytes: sectorBytes });
    expect(held(board, imageOf(2))).toBe(true);
    await resetAndRun(rig.session.client);
    expect(await board.uart.line("v2")).toBe(firstLine(2));
  });

  test("through rp2040js is written in batches, and only where it differs", async () => {
    const board = rp2040Board(firmware);
    await using server = await Rp2040JsServer.start(board);
    await using rig = await LoaderRig.open(server.port, place);
    await rig.flash(imageOf(1));
    expect(held(board, imageOf(1))).toBe(true);
    expect(board.nor.takeCounters()).toMatchObject({ ...correct, erases: sectors, pages: sectors * 16 });
    const image = imageOf(1);
    image.fill(0, 5 * sectorBytes + 9, 5 * sectorBytes + 10);
    image.fill(0, 7 * sectorBytes + 9, 7 * sectorBytes + 10);
    expect(await rig.flash(image)).toEqual([base + 5 * sectorBytes, base + 7 * sectorBytes]);
    expect(held(board, image)).toBe(true);
    expect(board.nor.takeCounters()).toMatchObject({ ...correct, erases: 2 });
    expect(board.strayWrites).toBe(0);
  });
});

test.each([
  { way: "boot ROM", place: places.rp2040Rom },
  { way: "SSI", place: places.rp2040Ssi },
])(
  "a server that dies during an erase is a lost connection; the next job waits for the flash's $way and writes the rest",
  async ({ place }) => {
    const board = rp2040Board(firmware);
    const image = imageOf(1).subarray(0, 6 * sectorBytes);
    // A bad sector of a W25Q16JV takes 400 ms; a new OpenOCD is there sooner.
    board.nor.times = { page: 0.1, sector: 700, block: 700 };
    {
      await using server = await OpenOcd.start(board);
      await using rig = await LoaderRig.open(server.port, place);
      const flashed = rig.flash(image).then(
        () => "flashed",
        (error: unknown) => (error as { code?: string }).code,
      );
      await board.uart.until(() => board.nor.counters.erases >= 3, "third erase", 20_000);
      await server.program[Symbol.asyncDispose]();
      expect(await flashed).toBe("disconnected");
    }
    board.nor.times = { page: 0, sector: 0, block: 0 };
    board.nor.takeCounters();
    const { blindReads } = board;
    await using server = await OpenOcd.start(board);
    await using rig = await LoaderRig.open(server.port, place);
    expect(await rig.flash(image)).toEqual([2, 3, 4, 5].map((index) => base + index * sectorBytes));
    expect(board.nor.takeCounters()).toMatchObject({ ...correct, erases: 4 });
    expect(board.blindReads).toBe(blindReads);
    expect(equalBytes(board.nor.bytes.subarray(0, image.length), image)).toBe(true);
  },
);
