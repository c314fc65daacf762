/** The GDB client against the simulated servers, which were written from the same documents by somebody else. */
import { describe, expect, test } from "vitest";
import { equalBytes } from "../../src/core/bytes.ts";
import { FlashError } from "../../src/core/errors.ts";
import { makeCortexBoard, type CortexBoardOptions } from "../../src/sim/cortex-m/cortex-boards.ts";
import { SimTransport } from "../../src/sim/sim-transport.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";
import { connectGdb } from "../../src/targets/gdb/connect.ts";
import { resetAndHalt, resetForFlash } from "../../src/targets/gdb/reset.ts";
import { LoaderRunner, type LoaderEntry } from "../../src/targets/gdb/run.ts";
import { gdbCrc32, writeByVFlash } from "../../src/targets/gdb/vflash.ts";
import { noise } from "../unit/stubs/operations.ts";

const servers = [
  ["openocd", "openocd"],
  ["pyocd", "pyocd"],
  ["st-util", "st-util"],
  ["black-magic", "black-magic"],
  ["plain", "unknown"],
] as const;

const ram = 0x20000000;
const entry: LoaderEntry = { code: ram, end: ram + 4, mailbox: ram + 0x100, stackTop: ram + 0x400 };
/** `movs r1, #0; str r1, [r0, #4]; bkpt`: a loader that has nothing to do. */
const idle = Uint8Array.of(0x00, 0x21, 0x41, 0x60, 0x00, 0xbe, 0xfe, 0xe7);
/** `b .` */
const endless = Uint8Array.of(0xfe, 0xe7, 0x00, 0xbf, 0x00, 0xbe, 0xfe, 0xe7);
const job = { address: entry.mailbox, data: new Uint8Array(64).fill(0xff, 4, 8) };

function rig(options: CortexBoardOptions) {
  const clock = new VirtualClock();
  const board = makeCortexBoard(options);
  const transport = new SimTransport(board, clock, { hasModemLines: false });
  const connect = () => connectGdb(transport, { clock, signal: new AbortController().signal, log: () => undefined });
  return { board, clock, connect };
}

describe.each(servers)("the simulated %s", (server, kind) => {
  test("is recognised; memory of any length at any address is what was written", async () => {
    const { connect } = rig({ board: "nrf51", server, packsReplies: true });
    const client = await connect();
    expect(client.traits.kind).toBe(kind);
    await resetAndHalt(client);
    const blocks = [
      { address: ram + 1, data: noise(5000, 1) },
      { address: ram + 0x2000, data: Uint8Array.from({ length: 256 }, (_, index) => index) },
      { address: ram + 0x3000, data: new Uint8Array(2000) },
    ];
    await client.write(blocks);
    const back = await client.read(blocks.map(({ address, data }) => ({ address, size: data.length })));
    blocks.forEach(({ data }, index) => expect(equalBytes(back[index] ?? new Uint8Array(), data)).toBe(true));
  });

  test("runs code, again and again, and stops code that does not end", async () => {
    const { connect } = rig({ board: "stm32f4", server });
    const client = await connect();
    await resetAndHalt(client);
    const runner = new LoaderRunner(client);
    await client.write([{ address: entry.code, data: idle }]);
    await runner.prepare(entry.end);
    for (let time = 0; time < 3; time++) {
      await runner.start(entry, [job]);
      expect((await runner.finish(entry, 1000))[1]).toBe(0);
    }
    await client.write([{ address: entry.code, data: endless }]);
    await runner.start(entry, [job]);
    await expect(runner.finish(entry, 200)).rejects.toMatchObject({
      code: "timeout",
      message: expect.stringMatching(/stopped at pc 0x20000000, sp 0x20000400, .*r0 0x20000100/) as string,
    });
    await client.write([{ address: entry.code, data: idle }]);
    await runner.start(entry, [job]);
    expect((await runner.finish(entry, 1000))[1]).toBe(0);
  });

  test("flashes by its own driver: the units that were given, and no others", async () => {
    const { board, connect } = rig({ board: "stm32f4", server });
    board.flash.fill(0x11);
    const client = await connect();
    const map = await client.memoryMap();
    expect(map?.flash[0]).toMatchObject({ start: 0x08000000, sectorSize: 0x4000 });
    await resetForFlash(client);
    const units = [3, 1].map((index) => ({ address: 0x08000000 + index * 0x4000, data: noise(0x4000, index) }));
    let written = 0;
    await writeByVFlash(client, units, (bytes) => (written += bytes));
    expect(written).toBe(0x8000);
    for (const { address, data } of units) {
      expect(equalBytes(board.flash.subarray(address - 0x08000000, address - 0x08000000 + 0x4000), data)).toBe(true);
    }
    for (const at of [0, 0x8000, 0x10000]) expect(board.flash[at]).toBe(0x11);
    expect(board.counters().violations).toEqual({});
  });
});

test("OpenOCD's checksum is what the flash holds", async () => {
  const { board, connect } = rig({ board: "nrf51", server: "openocd" });
  board.flash.set(noise(0x1000, 3));
  const client = await connect();
  expect(await client.crc({ address: 0, size: 0x1000 })).toBe(gdbCrc32(noise(0x1000, 3)));
});

describe("what goes wrong between client and server", () => {
  const codes = new Set(["timeout", "protocol", "disconnected", "refused", "board-not-found", "port-busy"]);
  const faults = [
    ...["silence@m:2", "stall@m:2", "garble@m:2", "garble@M:1", "silence@X:3", "silence@qSupported:1", "stall@qXfer:1"],
    ...["garble@qSupported:1", "garble@qXfer:1", "silence@P:2", "silence@halt-reason:1", "no-halt@1", "no-end@1"],
    ...["unplug@in:300", "unplug@in:2000", "unplug@out:400", "lost-write@1", "silence@c:1", "silence@vCont:1"],
    ...[
      "drop@in:rate=0.001",
      "flip@in:rate=0.001",
      "flip@out:rate=0.001",
      "drop@out:rate=0.001",
      "double@out:rate=0.002",
    ],
  ];
  const all = servers.flatMap(([server]) => faults.map((fault) => [server, fault] as const));

  test.each(all)("%s, %s: the right bytes or a clear error, within a minute", async (server, fault) => {
    const { clock, connect } = rig({ board: "nrf51", server, faults: fault });
    const data = noise(3000, 5);
    try {
      const client = await connect();
      await resetAndHalt(client);
      await client.write([
        { address: entry.code, data: idle },
        { address: ram + 0x1000, data },
      ]);
      const runner = new LoaderRunner(client);
      await runner.prepare(entry.end);
      await runner.start(entry, [job]);
      await runner.finish(entry, 1000);
      const [back = new Uint8Array()] = await client.read([{ address: ram + 0x1000, size: data.length }]);
      if (!/^lost-write/.test(fault)) expect(equalBytes(back, data)).toBe(true);
    } catch (error) {
      if (!(error instanceof FlashError)) throw error;
      expect(codes).toContain(error.code);
      expect(error.message).not.toMatch(/undefined|NaN|internal/);
    }
    expect(clock.nowMs()).toBeLessThan(60_000);
  });
});
