/** The host's side of our own stub against its core: questions whose answers are lost, and blocks that do not come out as announced. */
import { describe, expect, test } from "vitest";
import { crc32 } from "../../src/core/crc32.ts";
import { OpWriter } from "../../src/core/delta-ops.ts";
import { planDelta, type DeltaPlan } from "../../src/core/delta.ts";
import { Random } from "../../src/sim/random.ts";
import { frameType } from "../../src/targets/esp/patch-stub/frames.ts";
import { status } from "../../src/targets/esp/patch-stub/operations.ts";
import { writeBlocks } from "../../src/targets/esp/patch-stub/write-blocks.ts";
import { StoppedBetweenRequests, type PatchWork } from "../../src/targets/target.ts";
import { pseudoFirmware } from "./rig.ts";
import { stubBench, type StubBench } from "./patch-stub-bench.ts";

const isReply = (frame: { readonly type: number }) => frame.type === frameType.reply;

function filledFlash(): Uint8Array {
  const flash = new Uint8Array(0x100000).fill(0xff);
  flash.set(pseudoFirmware(0x40000, 3), 0x10000);
  return flash;
}

describe("questions", () => {
  const ranges = [
    { address: 0x10000, count: 64, unitBytes: 0x1000 },
    { address: 0x20123, count: 1, unitBytes: 77 },
    { address: 0x30000, count: 200, unitBytes: 16 },
  ];
  const expected = (flash: Uint8Array) =>
    ranges.map(({ address, count, unitBytes }) =>
      Array.from({ length: count }, (_, unit) => {
        const from = address + unit * unitBytes;
        return crc32(flash.subarray(from, from + unitBytes));
      }),
    );

  test("are answered for all ranges at once", async () => {
    const { channel, board } = await stubBench({ flash: filledFlash() });
    expect(await channel.hashes(ranges)).toEqual(expected(board.flash));
    expect(await channel.read(0x10ff0, 0x5020)).toEqual(board.flash.slice(0x10ff0, 0x16010));
    expect(await channel.hashes([])).toEqual([]);
  });

  test("are asked again where an answer was lost", async () => {
    const { channel, board, transport } = await stubBench({ flash: filledFlash() });
    const random = new Random(5);
    transport.loses = (frame) => isReply(frame) && random.unit() < 0.3;
    expect(await channel.hashes(ranges)).toEqual(expected(board.flash));
    expect(await channel.read(0x10000, 0x4000)).toEqual(board.flash.slice(0x10000, 0x14000));
  });

  test("are given up where every answer is lost, though the stub is there", async () => {
    const { channel, transport } = await stubBench({ flash: filledFlash() });
    transport.loses = isReply;
    await expect(channel.hashes(ranges)).rejects.toMatchObject({
      code: "timeout",
      message: "answers of the stub on sim are lost again and again",
    });
  });
});

describe("a patch that refers outside the flash", () => {
  const size = 0x100000;
  const block = (patch: (writer: OpWriter) => void, address = 0x10000) => {
    const writer = new OpWriter(address);
    writer.begin({ address, size: 0x1000, crc32: 0 });
    patch(writer);
    writer.commit(0);
    return writer.taken();
  };
  const bytes = new Uint8Array(0x1000);

  test.each([
    ["copies from its end on", block((writer) => writer.copy(size, bytes, bytes))],
    ["copies across its end", block((writer) => writer.copy(size - 0xfff, bytes, bytes))],
    ["copies from far beyond", block((writer) => writer.copy(0x4000_0000, bytes, bytes))],
    ["saves what is not there", block((writer) => writer.save(0, 0x1000, size - 1))],
    ["writes behind its end", block((writer) => writer.literal(bytes), size)],
  ])("%s: refused without a look at it, and the stub goes on", async (_, operations) => {
    const { channel, board } = await stubBench({ flash: filledFlash() });
    const before = board.flash.slice();
    channel.load("write");
    await expect(channel.perform([operations], () => undefined)).rejects.toMatchObject({
      code: "protocol",
      status: status.outsideFlash,
    });
    expect(Buffer.compare(before, board.flash)).toBe(0);
    expect(board.counters().erases).toEqual({});
    await channel.restart();
    expect(await channel.read(0x10000, 64)).toEqual(before.slice(0x10000, 0x10040));
  });
});

describe("blocks", () => {
  const address = 0x10000;
  const old = pseudoFirmware(0x8000, 3);
  /** What stands behind the first bytes has moved by five. */
  const next = new Uint8Array([...old.subarray(0, 9), 1, 2, 3, 4, 5, ...old.subarray(9, 0x7ffb)]);

  interface Told {
    readonly written: number[];
    readonly notes: string[];
  }

  /** Patches of what the record knows, `blockBytes` at a time. */
  async function write(bench: StubBench, change: (plan: DeltaPlan) => DeltaPlan = (plan) => plan): Promise<Told> {
    const told: Told = { written: [], notes: [] };
    const work: PatchWork = {
      writes: [{ kind: "write", address, data: next, erases: [] }],
      old: [{ address, data: old }],
      planDelta: (request) =>
        Promise.resolve(change(planDelta({ ...request, limits: { ...request.limits, blockBytes: 0x1000 } }))),
      onWritten: ({ address: at }) => void told.written.push(at),
      note: (text) => void told.notes.push(text),
    };
    await writeBlocks(bench.channel, work);
    return told;
  }

  async function bench(options: Parameters<typeof stubBench>[0] = {}): Promise<StubBench> {
    const flash = new Uint8Array(0x100000).fill(0xff);
    flash.set(old, address);
    return stubBench({ flash, ...options });
  }

  const holdsNext = ({ board }: StubBench) =>
    Buffer.compare(next, board.flash.subarray(address, address + next.length)) === 0;

  test("are composed of what the flash holds, and told of one by one", async () => {
    const one = await bench();
    const { sentBytes } = one.transport.counters;
    const told = await write(one);
    expect(holdsNext(one)).toBe(true);
    expect(told.notes).toEqual([]);
    expect([...told.written].sort((a, b) => a - b)).toEqual(Array.from({ length: 8 }, (_, n) => address + n * 0x1000));
    expect(one.transport.counters.sentBytes - sentBytes - one.channel.partBytes("write")).toBeLessThan(1_000);
  });

  test("are sent whole where the flash holds something else than was thought, and nothing is erased for the attempt", async () => {
    const one = await bench();
    one.board.flash[address + 0x3456] = 0;
    const told = await write(one);
    expect(holdsNext(one)).toBe(true);
    expect(told.written.length).toBe(8);
    expect(one.log.filter((line) => line.includes("not what was announced"))).not.toEqual([]);
    expect(Math.max(...one.board.wear)).toBe(1);
  });

  test("are sent whole where the patch itself is wrong", async () => {
    const one = await bench();
    const wrong = new OpWriter(address);
    wrong.copy(0x200000, new Uint8Array(0x1000), new Uint8Array(0x1000));
    const told = await write(one, ({ blocks }) => ({
      blocks: blocks.map((block, place) => {
        if (place !== 2) return block;
        const { ops, operations } = wrong.taken();
        const all = Buffer.concat([block.opening.ops, ops]);
        return { ...block, literal: false, ops: all, operations: block.opening.operations + operations };
      }),
    }));
    expect(holdsNext(one)).toBe(true);
    expect(told.written.length).toBe(8);
    expect(one.log.join("\n")).toContain("outside the flash; it is sent whole");
  });

  test("that read back wrongly are written once more with a note, and then given up", async () => {
    const one = await bench({ faults: "bad-sector@0x13000" });
    await expect(write(one)).rejects.toMatchObject({
      code: "verify-failed",
      message:
        "writing 4 KiB at 0x13000 failed: the stub says 0x05: the flash reads back differently than it was programmed",
    });
    expect(one.log.filter((line) => line.includes("it is sent whole")).length).toBe(2);
  });

  test("are written again where every word of the stub on them was lost", async () => {
    const one = await bench();
    let lost = 0;
    one.transport.loses = () => lost++ < 10;
    const told = await write(one);
    expect(holdsNext(one)).toBe(true);
    expect(new Set(told.written).size).toBe(8);
  });

  test("end between two of them when somebody else wants the board, who finds the stub idle", async () => {
    const one = await bench();
    const stopping = write(one);
    one.transport.loses = (frame, number) => {
      if (isReply(frame) && number > 3) one.stop.abort();
      return false;
    };
    await expect(stopping).rejects.toBeInstanceOf(StoppedBetweenRequests);
    const found = await one.channel.hashes([{ address, count: 8, unitBytes: 0x1000 }]);
    const crcOf = (data: Uint8Array, n: number) => crc32(data.subarray(n * 0x1000, (n + 1) * 0x1000));
    found[0]?.forEach((crc, n) => expect([crcOf(old, n), crcOf(next, n)]).toContain(crc));
  });
});
