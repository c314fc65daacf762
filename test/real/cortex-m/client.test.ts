/** Our GDB client on servers that are not ours. */
import { afterAll, describe, expect, test } from "vitest";
import { mixedBytes } from "../transport-helpers.ts";
import { FirmwareFolder } from "./firmware.ts";
import { GdbSession } from "./gdb-session.ts";
import { OpenOcd } from "./openocd.ts";
import { rp2040Board, servers } from "./servers.ts";

const firmware = new FirmwareFolder();
afterAll(() => firmware[Symbol.dispose]());

describe.each(servers)("$title", ({ kind, hasX, start }) => {
  test("is recognised, and is recognised again after the client is gone", async () => {
    await using server = await start(firmware);
    for (let time = 0; time < 2; time++) {
      await using session = await GdbSession.open(server.port);
      expect(session.client.traits.kind).toBe(kind);
      expect(session.client.memory.hasX).toBe(hasX);
    }
  });

  test("takes memory of any length at any address and gives it back, whatever stands in it", async () => {
    await using server = await start(firmware);
    await using session = await GdbSession.open(server.port);
    const data = mixedBytes(9_001);
    const special = Uint8Array.from({ length: 256 }, (_, index) => index);
    const blocks = [
      { address: 0x20000001, data },
      { address: 0x20003000, data: special },
      { address: 0x20003200, data: Uint8Array.of(0x23, 0x24, 0x7d, 0x2a, 3) },
    ];
    await session.client.write(blocks);
    const ranges = blocks.map((block) => ({ address: block.address, size: block.data.length }));
    expect(await session.client.read(ranges)).toEqual(blocks.map((block) => block.data));
    await session.client.writeWords(0x20003400, [0x12345678, 0xffffffff]);
    expect([...(await session.client.readWords(0x20003400, 2))]).toEqual([0x12345678, 0xffffffff]);
  });

  test("keeps registers by their names", async () => {
    await using server = await start(firmware);
    await using session = await GdbSession.open(server.port);
    const values = { r0: 0x11223344, r3: 7, sp: 0x20002000, pc: 0x20000100, xpsr: 0x01000000 } as const;
    await session.client.writeRegisters(values);
    expect(Object.fromEntries(await session.client.readRegisters(["r0", "r3", "sp", "pc", "xpsr"]))).toEqual(values);
  });
});

test("OpenOCD tells its flash in units of 64 KiB, and RAM not at all", async () => {
  await using server = await OpenOcd.start(rp2040Board(firmware), { hasFlashDriver: true });
  await using session = await GdbSession.open(server.port);
  expect(await session.client.memoryMap()).toMatchObject({
    flash: [{ start: 0x10000000, size: 0x200000, sectorSize: 0x10000 }],
  });
});

test("OpenOCD's checksum of memory is ours", async () => {
  await using server = await OpenOcd.start(rp2040Board(firmware));
  await using session = await GdbSession.open(server.port);
  await session.client.write([{ address: 0x20000000, data: Buffer.from("123456789") }]);
  // CRC-32/MPEG-2 of that, from the catalogue of CRCs.
  expect(await session.client.crc({ address: 0x20000000, size: 9 })).toBe(0x0376e6e7);
});
