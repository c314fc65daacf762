import { deflateRawSync, inflateRawSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, filled, toHex } from "../../../src/core/bytes.ts";
import { literalBlock, packed, planDelta, type DeltaPlan, type DeltaRequest } from "../../../src/core/delta.ts";
import { apply, Refused, type Stub } from "./delta-applier.ts";

const kib = 1024;
const sectorBytes = 4 * kib;
const limits = { blockBytes: 64 * kib, saveBytes: 0 };

/** Bytes that look like code: no two stretches are the same. */
function code(length: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 13) & 0xff;
  });
}

function stubOf(flash: Uint8Array, { blockBytes, saveBytes } = limits): Stub {
  return { flash: flash.slice(), saved: [], blockBytes, saveBytes };
}

/** Sends the plan; what the stub does not believe is sent literally, as the host does. Returns how many blocks that were. */
function send(plan: DeltaPlan, stub: Stub): number {
  let refused = 0;
  for (const block of plan.blocks) {
    const { address, size, blockFrom } = block;
    try {
      expect(apply(stub, block.ops)).toEqual({
        operations: block.operations,
        commits: [{ address, size, blockFrom }],
      });
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 4) throw error;
      expect(block.literal).toBe(false);
      const whole = literalBlock(block);
      expect(apply(stub, whole.ops).operations).toBe(whole.operations);
      refused++;
    }
  }
  return refused;
}

/** Rewrites the flash's first bytes, all of it known, and checks what comes out. */
function rewrite(old: Uint8Array, fresh: Uint8Array, area = limits) {
  const request = { writes: [{ address: 0, data: fresh, erases: [] }], old: [{ address: 0, data: old }], limits: area };
  const plan = planDelta(request);
  const stub = stubOf(concat([old, filled(Math.max(0, fresh.length - old.length), 0xff)]), area);
  expect(send(plan, stub)).toBe(0);
  expect(Buffer.compare(stub.flash.subarray(0, fresh.length), fresh)).toBe(0);
  return {
    plan,
    bytes: plan.blocks.reduce((sum, block) => sum + block.ops.length, 0),
    order: plan.blocks.map((block) => block.address / area.blockBytes),
  };
}

/** Operations of a plan's blocks as hex, without the checksums. */
const opsOf = (plan: DeltaPlan) =>
  plan.blocks.map((block) => {
    const digits = toHex(block.ops);
    return digits.replace(/^(.{6})(?:[89a-f].)*../, "$1 crc ");
  });

describe("operations", () => {
  const old = code(2 * sectorBytes);
  const edited = (...edits: [at: number, ...bytes: number[]][]) => {
    const fresh = old.slice();
    for (const [at, ...bytes] of edits) fresh.set(bytes, at);
    return fresh;
  };

  test("of a block that stays are one copy of itself", () => {
    expect(opsOf(rewrite(old, old).plan)).toEqual(["200002 crc 218040002800"]);
  });

  test("replace single bytes inside a copy", () => {
    const fresh = edited([5, 0xaa], [40, 0xbb], [41, 0xcc]);
    expect(opsOf(rewrite(old, fresh).plan)).toEqual(["200002 crc 2280400002" + "05aa" + "3f03bbcc" + "2800"]);
  });

  test("name how far a long way leads behind the token", () => {
    const fresh = edited([300, 0xaa]);
    expect(opsOf(rewrite(old, fresh).plan)).toEqual(["200002 crc 2280400001" + "1f8d02aa" + "2800"]);
  });

  test("name the length of a long run behind its token", () => {
    const fresh = edited([5, 1, 3, 5, 7, 9, 11, 13, 15, 17]);
    expect(opsOf(rewrite(old, fresh).plan)).toEqual(["200002 crc 2280400001" + "e501" + "01030507090b0d0f11" + "2800"]);
  });

  test("fill what is all the same, and say the rest", () => {
    const fresh = concat([Uint8Array.of(1, 2, 3), filled(sectorBytes - 3, 0xff)]);
    expect(opsOf(rewrite(old, fresh).plan)).toEqual(["200001 crc " + "2303010203" + "24fd1fff01" + "2800"]);
  });

  test("copy from far away by the distance to the cursor", () => {
    const flash = concat([filled(sectorBytes, 0), code(sectorBytes)]);
    expect(opsOf(rewrite(flash, code(sectorBytes)).plan)).toEqual(["200001 crc " + "21802080402800"]);
  });

  test("pack around a raw deflate stream", () => {
    const ops = literalBlock(rewrite(old, filled(2 * sectorBytes, 7)).plan.blocks[0] ?? expect.fail()).ops;
    const stream = deflateRawSync(ops);
    const operation = packed(stream);
    expect([...operation.subarray(0, 2)]).toEqual([0x33, stream.length]);
    expect(inflateRawSync(operation.subarray(2))).toEqual(Buffer.from(ops));
  });
});

describe("blocks", () => {
  const erase = (address: number, size: number, unit: "block" | "sector") => ({ address, size, unit });

  test("end at 64 KiB borders, and at smaller ones when the stub's block is smaller", () => {
    const old = code(40 * sectorBytes);
    const request = (blockBytes: number) => ({
      writes: [{ address: 3 * sectorBytes, data: code(20 * sectorBytes, 2), erases: [] }],
      old: [{ address: 0, data: old }],
      limits: { blockBytes, saveBytes: 0 },
    });
    const cut = (blockBytes: number) =>
      planDelta(request(blockBytes)).blocks.map(({ address, size }) => [address / sectorBytes, size / sectorBytes]);
    expect(cut(64 * kib)).toEqual([
      [3, 13],
      [16, 7],
    ]);
    expect(cut(40 * kib)).toEqual([
      [3, 5],
      [8, 8],
      [16, 7],
    ]);
  });

  test("may be erased whole from as many sectors on as the plan erases, and only where it erases blocks", () => {
    const old = code(32 * sectorBytes);
    const fresh = old.map((byte, index) => (index % 3 === 0 && index < 20 * sectorBytes ? byte ^ 0xff : byte));
    const from = (blockPaysFrom?: number) =>
      planDelta({
        writes: [
          {
            address: 0,
            data: fresh,
            erases: [
              erase(0, 64 * kib, "block"),
              ...Array.from({ length: 16 }, (_, index) => erase(64 * kib + index * sectorBytes, sectorBytes, "sector")),
            ],
          },
        ],
        old: [{ address: 0, data: old }],
        limits: { ...limits, ...(blockPaysFrom === undefined ? {} : { blockPaysFrom }) },
      }).blocks.map((block) => block.blockFrom);
    expect(from()).toEqual([16, 0]);
    expect(from(5)).toEqual([5, 0]);
  });

  test("count only sectors in which a bit rises, and those of which nothing is known", () => {
    const old = code(12 * sectorBytes).map((byte) => byte | 1);
    const fresh = concat([old.subarray(0, 11 * sectorBytes).map((byte) => byte & 0xfe), old, old]);
    fresh.fill(0xff, 0, 10);
    const plan = planDelta({
      writes: [{ address: 0, data: fresh.subarray(0, 64 * kib), erases: [erase(0, 64 * kib, "block")] }],
      old: [{ address: 0, data: old }],
      limits,
    });
    expect(plan.blocks[0]?.blockFrom).toBe(1 + 1 + 4);
  });

  test("refuse what is not whole sectors", () => {
    const write = { address: 0x800, data: code(sectorBytes), erases: [] };
    expect(() => planDelta({ writes: [write], old: [], limits })).toThrow("4096 bytes at 0x800 are not whole sectors");
  });
});

describe("the order of blocks", () => {
  const size = 48 * sectorBytes;
  const old = code(size);

  test("is downwards where contents move up", () => {
    const { order, bytes } = rewrite(old, concat([code(100, 7), old]).subarray(0, size));
    expect(order).toEqual([2, 1, 0]);
    expect(bytes).toBeLessThan(200);
  });

  test("is upwards where contents move down", () => {
    const { order, bytes } = rewrite(old, concat([old.subarray(100), code(100, 7)]));
    expect(order).toEqual([0, 1, 2]);
    expect(bytes).toBeLessThan(200);
  });

  test("keeps what a circle needs in the save area, the parts that fit, and sends the rest", () => {
    const swapped = concat([old.subarray(64 * kib, 128 * kib), old.subarray(0, 64 * kib), old.subarray(128 * kib)]);
    const bytesWith = (saveBytes: number) => rewrite(old, swapped, { ...limits, saveBytes }).bytes;
    expect(bytesWith(64 * kib)).toBeLessThan(100);
    expect(bytesWith(16 * kib) - 48 * kib).toBeLessThan(100);
    expect(bytesWith(0) - 64 * kib).toBeLessThan(100);
  });

  test("uses the save area again for the next circle", () => {
    const parts = [1, 0, 3, 2, 5, 4].map((part) => old.subarray(part * 8 * sectorBytes, (part + 1) * 8 * sectorBytes));
    const area = { blockBytes: 32 * kib, saveBytes: 32 * kib };
    expect(rewrite(old, concat(parts), area).bytes).toBeLessThan(200);
  });
});

describe("what the flash holds", () => {
  const old = code(20 * sectorBytes);

  test("is also used where nothing is written", () => {
    const plan = planDelta({
      writes: [{ address: 0x80000, data: old.subarray(5000, 5000 + sectorBytes), erases: [] }],
      old: [{ address: 0x10000, data: old }],
      limits,
    });
    expect(plan.blocks.map((block) => [block.ops.length, block.copiedBytes, block.literal])).toEqual([
      [17, sectorBytes, false],
    ]);
  });

  test("may be other than thought: then the block says so and goes over the wire whole, SAVEs included", () => {
    const area = { ...limits, saveBytes: 64 * kib };
    const fresh = concat([old.subarray(16 * sectorBytes), old.subarray(0, 16 * sectorBytes)]);
    const plan = planDelta({
      writes: [{ address: 0, data: fresh, erases: [] }],
      old: [{ address: 0, data: old }],
      limits: area,
    });
    const stub = stubOf(old, area);
    stub.flash[17 * sectorBytes] = 1 + (stub.flash[17 * sectorBytes] ?? 0);
    expect(send(plan, stub)).toBe(1);
    expect(Buffer.compare(stub.flash, fresh)).toBe(0);
  });

  test("may come as pieces that touch or overlap", () => {
    const fresh = concat([old.subarray(300), code(300, 3)]);
    const pieces = [
      { address: 3000, data: old.subarray(3000, 9000) },
      { address: 0, data: old.subarray(0, 3000) },
      { address: 8000, data: old.subarray(8000) },
    ];
    const plan = planDelta({ writes: [{ address: 0, data: fresh, erases: [] }], old: pieces, limits });
    const stub = stubOf(old);
    expect(send(plan, stub)).toBe(0);
    expect(Buffer.compare(stub.flash, fresh)).toBe(0);
    expect(plan.blocks.reduce((sum, block) => sum + block.ops.length, 0)).toBeLessThan(400);
  });

  test("has holes: what stands on both sides of one is neither copied nor saved in one piece", () => {
    const area = { ...limits, saveBytes: 64 * kib };
    const holed = [
      { address: 0, data: old.subarray(0, 4 * sectorBytes) },
      { address: 5 * sectorBytes, data: old.subarray(5 * sectorBytes) },
    ];
    const joined = concat(holed.map((piece) => piece.data));
    const fresh = concat([
      joined.subarray(15 * sectorBytes),
      joined.subarray(0, 15 * sectorBytes),
      code(sectorBytes, 5),
    ]);
    const plan = planDelta({ writes: [{ address: 0, data: fresh, erases: [] }], old: holed, limits: area });
    const stub = stubOf(old, area);
    expect(send(plan, stub)).toBe(0);
    expect(Buffer.compare(stub.flash, fresh)).toBe(0);
    expect(plan.blocks.reduce((sum, block) => sum + block.literalBytes, 0)).toBeLessThan(1.1 * sectorBytes);
  });

  test("may be nothing at all: then everything is literal, and so is code that is nowhere in it", () => {
    const write = { address: 0, data: code(sectorBytes, 9), erases: [] };
    for (const known of [[], [{ address: 0, data: old }]]) {
      const [block] = planDelta({ writes: [write], old: known, limits }).blocks;
      expect([block?.literal, block?.copiedBytes, block?.literalBytes]).toEqual([true, 0, sectorBytes]);
      expect(block?.ops.length).toBe(sectorBytes + 8 + 3 + 2);
    }
  });
});

test("request and plan cross a thread border as they are", () => {
  const old = code(4 * sectorBytes);
  const request: DeltaRequest = {
    writes: [{ address: 0, data: old.toReversed(), erases: [] }],
    old: [{ address: 0, data: old }],
    limits,
  };
  expect(structuredClone(planDelta(structuredClone(request)))).toEqual(planDelta(request));
});

describe("any edit", () => {
  const sectors = 24;
  type Edit =
    | { readonly kind: "insert" | "remove" | "replace" | "blank"; readonly at: number; readonly size: number }
    | { readonly kind: "move"; readonly at: number; readonly size: number; readonly to: number };
  const place = fc.integer({ min: 0, max: sectors * sectorBytes - 1 });
  const size = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 20_000 }));
  const edit: fc.Arbitrary<Edit> = fc.oneof(
    fc.record({ kind: fc.constantFrom("insert", "remove", "replace", "blank"), at: place, size }),
    fc.record({ kind: fc.constant("move"), at: place, size, to: place }),
  );

  function edited(image: Uint8Array, change: Edit, seed: number): Uint8Array {
    const end = change.at + change.size;
    const [before, part, after] = [image.subarray(0, change.at), image.subarray(change.at, end), image.subarray(end)];
    switch (change.kind) {
      case "insert":
        return concat([before, code(change.size, seed), part, after]);
      case "remove":
        return concat([before, after]);
      case "replace":
        return concat([before, part.map((byte, index) => (index % 9 === 0 ? byte ^ seed : byte)), after]);
      case "blank":
        return concat([before, filled(part.length, 0xff), after]);
      case "move": {
        const rest = concat([before, after]);
        return concat([rest.subarray(0, change.to), part, rest.subarray(change.to)]);
      }
    }
  }

  /** The image in whole sectors as runs of those with a bit set in `mask`, all bits again and again. */
  function runs(image: Uint8Array, base: number, mask: number) {
    const padded = filled(Math.ceil(image.length / sectorBytes) * sectorBytes, 0xff);
    padded.set(image);
    const found: { address: number; data: Uint8Array; erases: never[] }[] = [];
    for (let at = 0; at < padded.length; at += sectorBytes) {
      if (((mask >>> ((at / sectorBytes) % 31)) & 1) === 0) continue;
      const data = padded.subarray(at, at + sectorBytes);
      const last = found.at(-1);
      if (last !== undefined && last.address + last.data.length === base + at) last.data = concat([last.data, data]);
      else found.push({ address: base + at, data, erases: [] });
    }
    return found;
  }

  const scenario = fc.record({
    edits: fc.array(edit, { minLength: 1, maxLength: 6 }),
    base: fc.integer({ min: 0, max: 20 }).map((sector) => sector * sectorBytes),
    blockBytes: fc.constantFrom(4 * kib, 8 * kib, 32 * kib, 64 * kib),
    saveBytes: fc.constantFrom(0, 100, 5000, 40_000),
    written: fc.oneof(fc.constant(0x7fffffff), fc.integer({ min: 1, max: 0x7fffffff })),
    known: fc.oneof(fc.constant(0x7fffffff), fc.integer({ min: 0, max: 0x7fffffff })),
    wrong: fc.array(fc.integer({ min: 0, max: 64 * sectorBytes }), { maxLength: 2 }),
  });

  test("comes out byte for byte, with holes, unknown places, circles and whatever the flash really holds", () => {
    fc.assert(
      fc.property(scenario, ({ edits, base, blockBytes, saveBytes, written, known, wrong }) => {
        const flash = code(64 * sectorBytes, 77);
        const old = code(sectors * sectorBytes);
        flash.set(old, base);
        const fresh = edits.reduce((image, change, seed) => edited(image, change, seed + 2), old).subarray(0, 0x28000);
        const area = { blockBytes, saveBytes };
        const writes = runs(fresh, base, written);
        const plan = planDelta({ writes, old: runs(old, base, known), limits: area });

        const expected = flash.slice();
        for (const write of writes) expected.set(write.data, write.address);
        const stub = stubOf(flash, area);
        expect(send(plan, stub)).toBe(0);
        expect(Buffer.compare(stub.flash, expected)).toBe(0);

        const other = stubOf(flash, area);
        for (const at of wrong) {
          if (at >= flash.length) continue;
          other.flash[at] = 1 ^ (other.flash[at] ?? 0);
          expected[at] = 1 ^ (expected[at] ?? 0);
        }
        for (const write of writes) expected.set(write.data, write.address);
        send(plan, other);
        expect(Buffer.compare(other.flash, expected)).toBe(0);

        for (const block of plan.blocks) expect(block.ops.length).toBeLessThanOrEqual(literalBlock(block).ops.length);
      }),
      { numRuns: 60 },
    );
  });
});
