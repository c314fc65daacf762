import { describe, expect, test } from "vitest";
import { concat } from "../../src/core/bytes.ts";
import { planDelta } from "../../src/core/delta.ts";
import { loaderDigest, sizeOfTarget, type LoaderRecord } from "../../src/targets/gdb/loader-abi.ts";
import { recordsOf } from "../../src/targets/gdb/loader-batches.ts";
import { digestDriver, loadLoader } from "../../src/targets/gdb/loader-blobs.ts";
import { LoaderFailed } from "../../src/targets/gdb/loader-errors.ts";
import { Loader } from "../../src/targets/gdb/loader.ts";
import { resetAndHalt } from "../../src/targets/gdb/reset.ts";
import { noise } from "../unit/stubs/operations.ts";
import { firstUnits, options, records, rig, servers, violations } from "./gdb-loader-rig.ts";

const boards = ["rp2040", "stm32f4", "nrf51"] as const;

describe.each(servers)("through %s", (server) => {
  test.each(boards)("the loader digests and writes the flash of an %s", async (board) => {
    const one = await rig({ board, server });
    const units = firstUnits(one, board === "stm32f4" ? 2 : 5);
    const done: LoaderRecord[] = [];
    expect(await one.loader.write(records(units), options(done))).toBe(true);
    const written = done.filter(({ kind }) => kind === "write").reduce((sum, record) => sum + sizeOfTarget(record), 0);
    expect(written).toBe(units.reduce((sum, { size }) => sum + size, 0));
    const wanted = concat(units.map(({ size }, index) => noise(size, 1 + index)));
    expect(Buffer.compare(one.board.flash.subarray(0, wanted.length), wanted)).toBe(0);
    expect(one.board.flash[wanted.length]).toBe(0xff);
    expect(await one.loader.digests(units)).toEqual(
      units.map(({ size }, index) => loaderDigest(noise(size, 1 + index))),
    );
    expect(violations(one)).toEqual({});
  });
});

test("through OpenOCD the core halts once for a whole stream, through st-util once for each batch", async () => {
  const halts: Record<string, number> = {};
  for (const server of ["openocd", "st-util"] as const) {
    const one = await rig({ board: "nrf51", server });
    const units = firstUnits(one, 60);
    const before = one.board.counters().halts;
    await one.loader.write(records(units), options());
    halts[server] = one.board.counters().halts - before;
  }
  expect(halts).toEqual({ openocd: 1, "st-util": 5 });
});

test("asking for the digests of all pages takes few packets", async () => {
  const one = await rig({ board: "nrf51", server: "plain" });
  const before = one.client.counters.requests;
  await one.loader.digests(firstUnits(one, 248));
  expect(one.client.counters.requests - before).toBeLessThanOrEqual(12);
  const again = one.client.counters.requests;
  await one.loader.digests(firstUnits(one, 248));
  expect(one.client.counters.requests - again).toBeLessThanOrEqual(9);
});

test("the stream is as fast as the flash, not as flash and link together", async () => {
  const link = { bytesPerSecond: 100_000 };
  const one = await rig({ board: "nrf51", server: "openocd", probe: link });
  const units = firstUnits(one, 64);
  const startMs = one.clock.nowMs();
  await one.loader.write(records(units), options());
  // 64 pages of 22.3 ms to erase and 11.9 ms to program; the link alone takes 0.66 s.
  expect(one.clock.nowMs() - startMs).toBeLessThan(64 * 35 + 300);
});

describe("patches", () => {
  test.each(servers)(
    "make a shifted image out of the old one through %s, with a tenth of the bytes",
    async (server) => {
      const old = noise(0x20000, 4);
      const one = await rig({ board: "rp2040", server });
      one.board.flash.set(old);
      const fresh = concat([old.subarray(0, 0x800), noise(36, 5), old.subarray(0x800, 0x1f000 - 36), noise(0x1000, 7)]);
      const limits = one.loader.patchLimits;
      if (limits === undefined) throw new Error("no patches");
      const { address } = one.flash;
      const { blocks } = planDelta({
        writes: [{ address, data: fresh, erases: [] }],
        old: [{ address, data: old }],
        limits,
      });
      const patches = blocks.map((block): LoaderRecord => ({ ...block, kind: "patch" }));
      const sentBefore = one.client.wire.transport.counters.sentBytes;
      const done: LoaderRecord[] = [];
      expect(await one.loader.write(patches, options(done))).toBe(true);
      expect(done).toEqual(patches);
      expect(Buffer.compare(one.board.flash.subarray(0, fresh.length), fresh)).toBe(0);
      expect(one.client.wire.transport.counters.sentBytes - sentBefore).toBeLessThan(fresh.length / 5);
      // What is not a patch needs less code, and the next patch all of it again.
      await one.loader.digests([one.flash]);
      const back = planDelta({
        writes: [{ address, data: old.subarray(0, 0x2000), erases: [] }],
        old: [{ address, data: fresh }],
        limits,
      });
      await one.loader.write(
        back.blocks.map((block): LoaderRecord => ({ ...block, kind: "patch" })),
        options(),
      );
      expect(Buffer.compare(one.board.flash.subarray(0, 0x2000), old.subarray(0, 0x2000))).toBe(0);
    },
  );

  test("for contents that are not there erase nothing, and say where", async () => {
    const one = await rig({ board: "rp2040", server: "openocd" });
    const { address } = one.flash;
    const old = noise(0x1000, 4);
    const writes = [{ address, data: old.map((byte, at) => (at === 9 ? byte ^ 1 : byte)), erases: [] }];
    const limits = { blockBytes: 0x1000, saveBytes: 0 };
    const [block] = planDelta({ writes, old: [{ address, data: old }], limits }).blocks;
    if (block === undefined) throw new Error("no block");
    const failure = await one.loader.write([{ ...block, kind: "patch" }], options()).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(LoaderFailed);
    expect(failure).toMatchObject({ code: "verify-failed", status: 4, address });
    expect(one.board.wear[0]).toBe(0);
  });
});

describe("when something goes wrong", () => {
  test.each(["openocd", "pyocd", "plain"] as const)(
    "a wrong word is told by its address through %s",
    async (server) => {
      const one = await rig({ board: "nrf51", server });
      one.board.flash.fill(0, 0x2400, 0x2800);
      const units = firstUnits(one, 20);
      const unerased = records(units).filter(({ kind, address }) => kind === "write" || address !== 0x2400);
      const done: LoaderRecord[] = [];
      await expect(one.loader.write(unerased, options(done))).rejects.toMatchObject({
        code: "verify-failed",
        message: "0x00002400 reads back differently than written",
      });
      expect(done.length).toBeGreaterThanOrEqual(18);
      expect(done.every(({ address }) => address < 0x2400)).toBe(true);
      // The server is as good as before.
      expect(await one.loader.write(records(units.slice(9, 11)), options())).toBe(true);
      expect(await one.loader.digests(units.slice(9, 10))).toEqual([loaderDigest(noise(0x400, 1))]);
    },
  );

  test("outside of the flash nothing is touched", async () => {
    const one = await rig({ board: "nrf51", server: "plain" });
    const outside: LoaderRecord = { kind: "erase", address: one.flash.address + one.flash.size, size: 0x400 };
    await expect(one.loader.write([outside], options())).rejects.toMatchObject({ code: "protocol" });
  });

  test("RAM that was used by something else gets the loader again", async () => {
    const one = await rig({ board: "stm32f4", server: "openocd" });
    const units = firstUnits(one, 1);
    await one.loader.digests(units);
    await one.client.write([{ address: 0x20000000, data: new Uint8Array(0x1000) }]);
    one.loader.invalidate();
    expect(await one.loader.digests(units)).toHaveLength(1);
  });

  test.each(["openocd", "st-util"] as const)(
    "it stops between records when it is asked to, through %s",
    async (server) => {
      const one = await rig({ board: "nrf51", server });
      const done: LoaderRecord[] = [];
      const shouldStop = () => done.length > 3;
      const units = firstUnits(one, 60);
      expect(await one.loader.write(records(units), { ...options(done), shouldStop })).toBe(false);
      expect(done.length).toBeGreaterThan(3);
      expect(done.length).toBeLessThan(120);
      const written = done.filter(({ kind }) => kind === "write");
      for (const record of written) {
        if (record.kind !== "write") continue;
        const { address, data } = record;
        expect(Buffer.compare(one.board.flash.subarray(address, address + data.length), data)).toBe(0);
      }
    },
  );

  test.each(servers)("a cancel in the middle of an erase halts the core, through %s", async (server) => {
    const one = await rig({ board: "stm32f4", server });
    const units = firstUnits(one, 3);
    const done: LoaderRecord[] = [];
    const { clock, cancel } = one;
    clock.alarm = { atMs: clock.nowMs() + 700, ring: () => cancel.abort() };
    await expect(one.loader.write(records(units), options(done))).rejects.toMatchObject({ code: "cancelled" });
    expect(one.board.running).toBe("halted");
    expect(done.length).toBeLessThan(6);
    one.client.useContext({ clock, signal: new AbortController().signal, log: () => undefined });
    await resetAndHalt(one.client);
    expect(await one.loader.digests(units)).toHaveLength(3);
  });

  test.each(servers)("a loader that hangs is given up, and its registers are told, through %s", async (server) => {
    const one = await rig({ board: "nrf51", server });
    const units = firstUnits(one, 40);
    const [first] = records(units);
    if (first === undefined) throw new Error("no record");
    const { clock } = one;
    // The branch to itself behind its end.
    const ring = () => one.board.bench.machine.cpu.writeRegister("pc", 0x20000006);
    clock.alarm = { atMs: clock.nowMs() + 400, ring };
    await expect(one.loader.write(records(units), options())).rejects.toMatchObject({
      code: "timeout",
      message: expect.stringMatching(/did not come back within \d+ ms; it was stopped at .*pc 0x20000006/) as string,
    });
    expect(one.board.running).toBe("halted");
    expect(await one.loader.write([first], options())).toBe(true);
  });
});

test("an RP2040 is written by its registers where there is no boot ROM", async () => {
  const one = await rig({ board: "rp2040", server: "openocd" }, "rp2040-ssi");
  const { address } = one.flash;
  const data = noise(0x12000, 5);
  const blocks = [
    { address, size: 0x10000, unit: "block" },
    { address: address + 0x10000, size: 0x1000, unit: "sector" },
    { address: address + 0x11000, size: 0x1000, unit: "sector" },
  ] as const;
  expect(await one.loader.write(recordsOf({ address, data, erases: blocks }), options())).toBe(true);
  expect(Buffer.compare(one.board.flash.subarray(0, data.length), data)).toBe(0);
  expect(await one.loader.digests([{ address, size: data.length }])).toEqual([loaderDigest(data)]);
  expect(violations(one)).toEqual({});
});

test("RAM that is too small is said to be so", async () => {
  const one = await rig({ board: "nrf51", server: "plain" });
  const program = await loadLoader("nrf");
  if (program === undefined) throw new Error("no loader");
  const make = (kib: number) => {
    const ram = { address: 0x20000000, size: kib * 1024 };
    return new Loader(one.client, { program, ram, flash: one.flash, driverWords: [1024] });
  };
  expect(() => make(3)).toThrow(expect.objectContaining({ code: "does-not-fit" }));
  // Of 16 KiB, as small nRF51s have them, 4 are left to compose in.
  expect([4, 8, 16, 64, 256].map((kib) => make(kib).patchLimits?.blockBytes)).toEqual([
    undefined,
    undefined,
    0x1000,
    0x4000,
    0x10000,
  ]);
});

test("the loader without a driver digests the flash of any chip", async () => {
  const one = await rig({ board: "stm32f4", server: "st-util", flash: noise(0x100000, 3) }, digestDriver);
  expect(await one.loader.digests([one.flash])).toEqual([loaderDigest(one.board.flash)]);
  expect(one.loader.patchLimits).toBeUndefined();
});
