/** The NOR model against what flash chips may and may not do. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NorCommands } from "../../../src/sim/nor-commands.ts";
import { NorFlash, type NorOptions } from "../../../src/sim/nor-flash.ts";

const SIZE = 256 * 1024;
const blank = () => new Uint8Array(SIZE).fill(0xff);

function nor(bytes = blank(), options: NorOptions = { profile: "instant" }): NorFlash {
  return new NorFlash(bytes, options);
}

test("programming only clears bits, and wraps inside its page", () => {
  const page = fc.record({
    address: fc.nat(SIZE - 1),
    old: fc.uint8Array({ minLength: 256, maxLength: 256 }),
    data: fc.uint8Array({ minLength: 1, maxLength: 256 }),
  });
  fc.assert(
    fc.property(page, ({ address, old, data }) => {
      const start = address - (address % 256);
      const flash = nor();
      flash.bytes.set(old, start);
      const expected = old.slice();
      data.forEach((byte, i) => {
        const at = (address - start + i) % 256;
        expected[at] = (expected[at] ?? 0) & byte;
      });
      flash.startProgram(address, data, "32-byte commands", 0);
      flash.settle(0);
      expect(flash.bytes.subarray(start, start + 256)).toEqual(expected);
      expect(flash.bytes.subarray(0, start).every((byte) => byte === 0xff)).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test("an erase sets its own unit to 0xff, counts its wear, and nothing else", () => {
  fc.assert(
    fc.property(fc.nat(SIZE - 1), fc.constantFrom(4096, 32768, 65536), (address, size) => {
      const flash = nor(new Uint8Array(SIZE));
      flash.startErase(address, size, 0);
      flash.settle(0);
      const start = address - (address % size);
      expect(flash.bytes.reduce((count, byte) => count + (byte === 0xff ? 1 : 0), 0)).toBe(size);
      expect(flash.bytes[start]).toBe(0xff);
      expect(flash.bytes[start + size - 1]).toBe(0xff);
      expect(flash.wear.reduce((sum, count) => sum + count, 0)).toBe(size / 4096);
      expect(flash.wear[start / 4096]).toBe(1);
    }),
    { numRuns: 20 },
  );
});

test("any two programs of one page end in old AND a AND b, in either order", () => {
  const data = fc.uint8Array({ minLength: 256, maxLength: 256 });
  fc.assert(
    fc.property(data, data, (a, b) => {
      const results = [
        [a, b],
        [b, a],
      ].map((order) => {
        const flash = nor();
        for (const one of order) {
          flash.startProgram(0, one, "64 bytes or more", 0);
          flash.settle(0);
        }
        return flash.bytes.slice(0, 256);
      });
      expect(results[0]).toEqual(results[1]);
      expect(results[0]).toEqual(a.map((byte, i) => byte & (b[i] ?? 0)));
    }),
    { numRuns: 50 },
  );
});

describe("times", () => {
  test("work takes effect at its end, and further work is ignored until then", () => {
    const flash = nor(new Uint8Array(SIZE), { profile: "typical" });
    expect(flash.startErase(0, 4096, 0)).toBe(true);
    flash.settle(44.9);
    expect(flash.bytes[0]).toBe(0);
    expect(flash.startErase(4096, 4096, 44.9)).toBe(false);
    flash.settle(45);
    expect(flash.bytes[0]).toBe(0xff);
    expect(flash.isBusy(45)).toBe(false);
  });

  test.each([
    ["typical", [45, 120, 150, 20_000, 0.5, 0.55]],
    ["measured", [55, 150, 215, 30_000, 0.87, 0.93]],
    ["worst", [400, 1600, 2000, 100_000, 3, 4]],
    ["instant", [0, 0, 0, 0, 0, 0]],
  ] as const)("profile %s: 4K, 32K, 64K, chip, page in large and in small commands, in ms", (profile, expected) => {
    const flash = nor(new Uint8Array(4 << 20), { profile });
    let now = 0;
    const times = [4096, 32768, 65536, 4 << 20].map((size) => {
      const startMs = now;
      flash.startErase(0, size, now);
      now = flash.readyAtMs();
      flash.settle(now);
      return now - startMs;
    });
    for (const style of ["64 bytes or more", "32-byte commands"] as const) {
      const startMs = now;
      flash.startProgram(0, new Uint8Array(256), style, now);
      now = flash.readyAtMs();
      flash.settle(now);
      times.push(now - startMs);
    }
    expect(times.map((ms) => Number(ms.toFixed(3)))).toEqual(expected);
    expect(flash.busyMs).toBeCloseTo(now);
  });

  test("erase times vary by seed when asked to, within their share, and are the same again with the same seed", () => {
    const times = (seed: number) => {
      const flash = nor(blank(), { profile: "typical", variation: 0.05, seed });
      let now = 0;
      return Array.from({ length: 20 }, () => {
        const startMs = now;
        flash.startErase(0, 4096, now);
        now = flash.readyAtMs();
        flash.settle(now);
        return now - startMs;
      });
    };
    const first = times(1);
    expect(first.every((ms) => ms >= 45 * 0.95 && ms <= 45 * 1.05)).toBe(true);
    expect(new Set(first).size).toBeGreaterThan(10);
    expect(times(1)).toEqual(first);
    expect(times(2)).not.toEqual(first);
  });
});

describe("power cuts", () => {
  test("inside an erase leave the sector between old and new, the same with the same seed, and neighbours whole", () => {
    const cut = (seed: number) => {
      const flash = nor(new Uint8Array(SIZE).fill(0x0f), { profile: "typical", seed });
      flash.startErase(4096, 4096, 0);
      flash.cutPower(20);
      return flash.bytes;
    };
    const bytes = cut(7);
    const sector = bytes.subarray(4096, 8192);
    expect(sector.every((byte) => (byte & 0x0f) === 0x0f)).toBe(true);
    expect(new Set(sector).size).toBeGreaterThan(8);
    expect(bytes[4095]).toBe(0x0f);
    expect(bytes[8192]).toBe(0x0f);
    expect(cut(7)).toEqual(bytes);
    expect(cut(8)).not.toEqual(bytes);
  });

  test("inside a page clear only some of the bits", () => {
    const flash = nor(blank(), { profile: "typical" });
    flash.startProgram(0, new Uint8Array(256).fill(0x55), "64 bytes or more", 0);
    flash.cutPower(0.2);
    const page = flash.bytes.subarray(0, 256);
    expect(page.every((byte) => (byte & 0x55) === 0x55)).toBe(true);
    expect(page.some((byte) => byte !== 0x55)).toBe(true);
  });
});

describe("commands", () => {
  const bus = (nowMs: number, inBytes = 0) => ({ inBytes, nowMs });
  const none = new Uint8Array(0);

  test("change nothing without write enable, which one change uses up", () => {
    const flash = nor();
    const commands = new NorCommands(flash);
    commands.transact(0x02, 0, Uint8Array.of(0x12), bus(0));
    flash.settle(0);
    expect(flash.bytes[0]).toBe(0xff);
    commands.transact(0x06, 0, none, bus(0));
    expect(commands.transact(0x05, 0, none, bus(0, 1))).toEqual(Uint8Array.of(0x02));
    commands.transact(0x02, 0, Uint8Array.of(0x12), bus(0));
    commands.transact(0x02, 1, Uint8Array.of(0x34), bus(0));
    flash.settle(0);
    expect(flash.bytes.subarray(0, 2)).toEqual(Uint8Array.of(0x12, 0xff));
  });

  test("while busy only the status is readable", () => {
    const flash = nor(new Uint8Array(SIZE), { profile: "typical" });
    const commands = new NorCommands(flash);
    commands.transact(0x06, 0, none, bus(0));
    commands.transact(0x20, 0, none, bus(0));
    expect(commands.transact(0x05, 0, none, bus(10, 1))).toEqual(Uint8Array.of(0x01));
    expect(commands.transact(0x03, 8192, none, bus(10, 2))).toEqual(Uint8Array.of(0xff, 0xff));
    expect(commands.transact(0x05, 0, none, bus(50, 1))).toEqual(Uint8Array.of(0x00));
    expect(commands.transact(0x03, 8192, none, bus(50, 2))).toEqual(Uint8Array.of(0, 0));
  });

  test("identify the chip and its parameters", () => {
    const commands = new NorCommands(nor(new Uint8Array(4 << 20)));
    expect(commands.transact(0x9f, 0, none, bus(0, 3))).toEqual(Uint8Array.of(0xef, 0x40, 0x16));
    expect(Buffer.from(commands.transact(0x5a, 0, none, bus(0, 4))).toString()).toBe("SFDP");
  });

  test("protect bits refuse in silence, and the quad-enable bit survives", () => {
    const flash = nor();
    const commands = new NorCommands(flash);
    commands.transact(0x06, 0, none, bus(0));
    commands.transact(0x01, 0, Uint8Array.of(0x1c), bus(0));
    commands.transact(0x06, 0, none, bus(0));
    commands.transact(0x02, 0, Uint8Array.of(0), bus(0));
    flash.settle(0);
    expect(flash.bytes[0]).toBe(0xff);
    expect(commands.transact(0x35, 0, none, bus(0, 1))).toEqual(Uint8Array.of(0x02));
  });
});

test("a chip of an odd size is refused", () => {
  expect(() => nor(new Uint8Array(1000))).toThrow("a flash chip of 1000 bytes: the size must be a multiple of 64 KiB");
});
