import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat } from "../../../../src/core/bytes.ts";
import { readRanges, writeAsks, writeBlocks, type MemoryTraits } from "../../../../src/targets/gdb/memory.ts";
import { GdbWire } from "../../../../src/targets/gdb/wire.ts";
import { FakeServer } from "./fake-server.ts";
import { FakeTarget, ramStart, type TargetOptions } from "./fake-target.ts";

const bytes = (length: number) => Uint8Array.from({ length }, (_, index) => index * 7 + (index >> 8));

function traits(packetBytes: number, hasX = false, answersEarly = false): MemoryTraits {
  return { packetBytes, hasX, answersEarly };
}

function rig(options: TargetOptions = {}) {
  const target = new FakeTarget(options);
  const server = new FakeServer(target.answer);
  const wire = new GdbWire(server, server.context);
  wire.window = { packets: 16, bytes: 0x8000 };
  return { target, server, wire };
}

const longest = (asks: Iterable<{ readonly name: string }>) =>
  Math.max(...[...asks].map(({ name }) => Number(/\((\d+) bytes\)/.exec(name)?.[1] ?? 0)));

describe("packets with memory", () => {
  test.each([
    ["QEMU", 0x1000, 2036],
    ["OpenOCD", 0x4000, 8180],
    ["pyOCD", 0x800, 1012],
    ["Black Magic", 0x400, 500],
    ["st-util", 0x3fff, 8176],
  ])("are as large as %s takes them in hex", (_, packetBytes, most) => {
    const asks = writeAsks([{ address: 0x20000000, data: bytes(20_000) }], traits(packetBytes));
    expect(longest(asks)).toBe(most);
  });

  test("never are longer than the server said, escapes counted, and lose nothing", async () => {
    const special = fc.constantFrom(0x23, 0x24, 0x7d, 0x2a, 0);
    const blocks = fc.array(
      fc.record({
        address: fc.integer({ min: 0, max: 64 }),
        data: fc.array(fc.oneof(special, fc.integer({ min: 0, max: 255 })), { maxLength: 700 }),
      }),
      { maxLength: 3 },
    );
    await fc.assert(
      fc.asyncProperty(blocks, fc.integer({ min: 64, max: 300 }), fc.boolean(), async (some, packetBytes, hasX) => {
        const { target, server, wire } = rig({ hasX });
        const expected = new Uint8Array(0x10000);
        for (const { address, data } of some) expected.set(data, address);
        const written = some.map(({ address, data }) => ({ address: ramStart + address, data: Uint8Array.from(data) }));
        await writeBlocks(wire, traits(packetBytes, hasX), written);
        expect(Buffer.compare(target.ram, expected)).toBe(0);
        expect(server.longestBody).toBeLessThanOrEqual(packetBytes);
        const ranges = some.map(({ address, data }) => ({ address: ramStart + address, size: data.length }));
        const back = await readRanges(wire, traits(packetBytes), ranges);
        expect(
          Buffer.compare(
            concat(back),
            concat(ranges.map(({ address, size }) => expected.slice(address - ramStart, address - ramStart + size))),
          ),
        ).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  test("begin and end at words where the block does", () => {
    for (const hasX of [false, true]) {
      const asks = [...writeAsks([{ address: 0x20000003, data: bytes(1001) }], traits(200, hasX))];
      const addresses = asks.map(({ name }) => Number(/0x[0-9a-f]+/.exec(name)?.[0]));
      expect(addresses.slice(1).every((address) => address % 4 === 0)).toBe(true);
    }
  });

  test("that the server refuses are named with their address", async () => {
    const { wire } = rig({ ramBytes: 0x1000 });
    const work = writeBlocks(wire, traits(0x200), [{ address: 0x20000f00, data: bytes(0x200) }]);
    await expect(work).rejects.toThrow("M 0x20000ff4 (244 bytes): the GDB server on tcp://fake:1 answered E0e");
    await expect(readRanges(wire, traits(0x200), [{ address: 0x30000000, size: 4 }])).rejects.toThrow(
      "m 0x30000000 (4 bytes): the GDB server on tcp://fake:1 answered E01",
    );
  });
});

describe("a server that answers X before it writes", () => {
  test("is asked once more at the end, and the failure that it tells then is not missed", async () => {
    const { server, wire } = rig({ hasX: true });
    await writeBlocks(wire, traits(0x200, true, true), [{ address: 0x20000000, data: bytes(1000) }]);
    expect(server.heard.at(-1)).toBe("X20000000,0:");
    server.also((body) => (/^X[0-9a-f]+,0:/.test(body) ? "E0e" : undefined));
    const work = writeBlocks(wire, traits(0x200, true, true), [{ address: 0x20000000, data: bytes(1000) }]);
    await expect(work).rejects.toThrow("the writes up to 0x200003e8: the GDB server on tcp://fake:1 answered E0e");
  });
});

describe("reading", () => {
  test("asks again for what a short answer left out", async () => {
    const { target, wire } = rig({ mostReadBytes: 100 });
    target.ram.set(bytes(1000));
    const ranges = [
      { address: 0x20000000, size: 600 },
      { address: 0x20000258, size: 400 },
    ];
    expect(concat(await readRanges(wire, traits(0x400), ranges))).toEqual(bytes(1000));
  });

  test.each([
    ["", "refused", "does not know m 0x20000000 (4 bytes)"],
    ["12345", "protocol", "makes no sense"],
    ["0011223344", "protocol", "5 bytes came"],
    ["OK", "protocol", "makes no sense"],
  ])("takes %j for no memory", async (answer, code, words) => {
    const { server, wire } = rig();
    server.also((body) => (body.startsWith("m") ? answer : undefined));
    await expect(readRanges(wire, traits(0x400), [{ address: 0x20000000, size: 4 }])).rejects.toMatchObject({
      code,
      message: expect.stringContaining(words) as string,
    });
  });

  test("of much costs few round trips", async () => {
    const { wire, server } = rig();
    wire.sendsAcks = false;
    server.acks = false;
    await readRanges(wire, traits(0x1000), [{ address: 0x20000000, size: 0x8000 }]);
    expect(server.heard).toHaveLength(17);
    expect(server.mostUnanswered).toBe(8);
  });
});
