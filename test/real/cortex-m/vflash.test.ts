/** The server's own flash driver: OpenOCD's for the RP2040, on a flash that counts what is done to it. */
import { readFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { gdbCrc32, writeByVFlash } from "../../../src/targets/gdb/vflash.ts";
import { resetAndRun, resetForFlash } from "../../../src/targets/gdb/reset.ts";
import { equalBytes } from "../../../src/core/bytes.ts";
import { loadSegments, readElf } from "../../../src/core/elf.ts";
import { mixedBytes } from "../transport-helpers.ts";
import { firstLine, rp2040 } from "./boards.ts";
import { FirmwareFolder } from "./firmware.ts";
import { GdbSession } from "./gdb-session.ts";
import { LoaderRig, places } from "./loader-rig.ts";
import { OpenOcd } from "./openocd.ts";
import { rp2040Board } from "./servers.ts";

const firmware = new FirmwareFolder();
afterAll(() => firmware[Symbol.dispose]());
const blockBytes = 0x10000;
const base = 0x10000000;
const correct = { missingEnables: 0, whileBusy: 0, strange: 0 };

test("only the units that are given are erased and written, and the program starts", async () => {
  const board = rp2040Board(firmware);
  board.nor.times = { page: 0.05, sector: 4, block: 10 };
  board.nor.bytes.set(mixedBytes(3 * blockBytes));
  const before = board.nor.bytes.slice();
  const elf = readElf(readFileSync(firmware.firmware({ board: rp2040, place: "flash" })), "firmware.elf");
  const unit = mixedBytes(blockBytes);
  for (const { address, data } of loadSegments(elf)) unit.set(data, address - base);

  await using server = await OpenOcd.start(board, { hasFlashDriver: true });
  await using session = await GdbSession.open(server.port);
  await resetForFlash(session.client);
  let written = 0;
  const units = [{ address: base, data: unit }];
  await writeByVFlash(session.client, units, (bytes) => (written += bytes));

  expect(board.nor.takeCounters()).toEqual({ ...correct, erases: 1, erasedBytes: blockBytes, pages: 256 });
  expect(written).toBe(blockBytes);
  expect(equalBytes(board.nor.bytes.subarray(0, blockBytes), unit)).toBe(true);
  expect(equalBytes(board.nor.bytes.subarray(blockBytes), before.subarray(blockBytes))).toBe(true);
  expect(await session.client.crc({ address: base, size: blockBytes })).toBe(gdbCrc32(unit));
  await resetAndRun(session.client);
  expect(await board.uart.line("data=")).toBe(firstLine(1));
});

test("units apart from each other leave alone what lies between", async () => {
  const board = rp2040Board(firmware);
  board.nor.bytes.fill(0x12);
  await using server = await OpenOcd.start(board, { hasFlashDriver: true });
  await using session = await GdbSession.open(server.port);
  await resetForFlash(session.client);
  const units = [4, 1].map((index) => ({
    address: base + index * blockBytes,
    data: mixedBytes(blockBytes).fill(index, 100, 200),
  }));
  await writeByVFlash(session.client, units, () => undefined);
  expect(board.nor.takeCounters()).toMatchObject({ ...correct, erases: 2, erasedBytes: 2 * blockBytes });
  for (const { address, data } of units)
    expect(equalBytes(board.nor.bytes.subarray(address - base, address - base + blockBytes), data)).toBe(true);
  for (const index of [0, 2, 3, 5]) {
    const block = board.nor.bytes.subarray(index * blockBytes, (index + 1) * blockBytes);
    expect(block.every((value) => value === 0x12)).toBe(true);
  }
});

test("what our digests find to differ goes by the server's driver, and the loader works again after it", async () => {
  const board = rp2040Board(firmware);
  const image = mixedBytes(4 * blockBytes);
  board.nor.bytes.set(image);
  await using server = await OpenOcd.start(board, { hasFlashDriver: true });
  // The digests' loader knows no flash; OpenOCD's start of the ROM's functions makes it readable.
  const place = { ...places.rp2040Ssi, driver: "digest", unitBytes: blockBytes };
  await using rig = await LoaderRig.open(server.port, place);
  const { client } = rig.session;
  await resetForFlash(client);
  image[2 * blockBytes + 5] = 0x99;
  await client.monitor("flash probe 0");
  const differing = await rig.differing(image);
  expect(differing).toEqual([base + 2 * blockBytes]);
  const units = differing.map((address) => ({
    address,
    data: image.subarray(address - base, address - base + blockBytes),
  }));
  await writeByVFlash(client, units, () => undefined);
  expect(board.nor.takeCounters()).toMatchObject({ ...correct, erases: 1, erasedBytes: blockBytes });
  rig.loader.invalidate();
  expect(await rig.differing(image)).toEqual([]);
});
