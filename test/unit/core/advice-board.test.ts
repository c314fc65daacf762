/** Advice about flashes of simulated boards: what it promises is held against what the other way really takes. */
import { describe, expect, test } from "vitest";
import { estimateFullWrite } from "../../../src/core/advice-estimate.ts";
import { bitRate } from "../../../src/core/advice-facts.ts";
import { advise } from "../../../src/core/advice.ts";
import type { Report } from "../../../src/engine/report.ts";
import { bytesAt, firmware, pseudoFirmware, Rig } from "../../sim/rig.ts";

const official = { officialStub: true };
const app = bytesAt(0x10000, pseudoFirmware(300_000, 1));

const ids = (report: Report, earlier: readonly Report[] = []) => advise(report, earlier).map((advice) => advice.id);

function adviceOf(id: string, report: Report, earlier: readonly Report[] = []) {
  const advice = advise(report, earlier).find((one) => one.id === id);
  if (advice === undefined) throw new Error(`no ${id} in ${ids(report, earlier).join(", ")}`);
  return advice;
}

/** What was promised, as a share of what it turned out to be. */
const promise = (savesMs: number | undefined, before: Report, after: Report) =>
  (savesMs ?? NaN) / (before.totalMs - after.totalMs);

describe.each([
  ["our own stub", {}],
  ["Espressif's stub", official],
] as const)("the saving that advice promises is there, %s:", (_, stub) => {
  test("with a higher bit rate", async () => {
    const at = (baud: number) => new Rig({ board: "esp32c3" }, stub).flash(app, { baud });
    const [slow, middle, usual, high] = [await at(115_200), await at(460_800), await at(921_600), await at(2_000_000)];
    expect([slow, middle, usual].map((one) => advise(one, [])[0]?.action)).toMatchObject([
      { kind: "set-baud", baud: 921_600 },
      { kind: "set-baud", baud: 921_600 },
      { kind: "set-baud", baud: 2_000_000 },
    ]);
    for (const [before, after] of [
      [slow, usual],
      [middle, usual],
      [usual, high],
    ] as const) {
      const kept = promise(adviceOf("bit-rate", before).savesMs, before, after);
      expect(kept).toBeGreaterThan(0.85);
      expect(kept).toBeLessThan(1.15);
    }
    expect(ids(high)).not.toContain("bit-rate");
  });

  test("with a bridge that does not hold answers back", async () => {
    const run = async (bridgeLatencyMs: number) => new Rig({ board: "esp32c3", bridgeLatencyMs }, stub).flash(app);
    const [quick, slow] = [await run(1), await run(8)];
    const advice = adviceOf("bridge-latency", slow);
    expect(advice).toMatchObject({ severity: "warning", action: { kind: "explain", topic: "latency-timer" } });
    expect(advice.explanation).toContain("took 16.5 ms where 3 ms are usual");
    expect(promise(advice.savesMs, slow, quick)).toBeGreaterThan(0.7);
    expect(promise(advice.savesMs, slow, quick)).toBeLessThan(1.3);
  });

  test("with the program in RAM instead of the ROM alone", async () => {
    const run = (useStub: boolean) => new Rig({ board: "esp32c3" }, stub).flash(app, { useStub });
    const [rom, inRam] = [await run(false), await run(true)];
    const advice = adviceOf("rom-only", rom);
    expect(advice.action?.kind).toBe("use-stub");
    expect(promise(advice.savesMs, rom, inRam)).toBeGreaterThan(0.2);
    expect(promise(advice.savesMs, rom, inRam)).toBeLessThan(1);
  });

  test("against a full write", async () => {
    const rig = new Rig({ board: "esp32c3" }, stub);
    const full = await rig.flash(await firmware("base"));
    rig.again();
    const partial = await rig.flash(await firmware("const"));
    rig.again();
    const none = await rig.flash(await firmware("const"));
    expect(estimateFullWrite(full, [])).toBeUndefined();
    for (const report of [partial, none]) {
      const estimate = estimateFullWrite(report, []);
      expect(report.totalMs + (estimate?.savedMs ?? 0)).toBe(estimate?.totalMs);
      expect((estimate?.totalMs ?? 0) / full.totalMs).toBeGreaterThan(0.8);
      expect((estimate?.totalMs ?? 0) / full.totalMs).toBeLessThan(1.2);
    }
  });
});

test("a short flash at the usual rate over a good bridge needs no advice", async () => {
  for (const stub of [{}, official]) {
    const rig = new Rig({ board: "esp32c3" }, stub);
    const first = await rig.flash(await firmware("base"));
    rig.again();
    const second = await rig.flash(await firmware("const"));
    rig.again();
    const third = await rig.flash(await firmware("const"));
    expect([ids(second, [first]), ids(third, [second, first])]).toEqual([[], []]);
  }
});

test("where our own stub writes, advice says whether wire or flash chip binds", async () => {
  const at = (baud: number) => new Rig({ board: "esp32c3" }).flash(app, { baud });
  const slow = await at(460_800);
  expect(slow.waits?.wireMs).toBeGreaterThan(slow.waits?.flashMs ?? Infinity);
  expect(adviceOf("bit-rate", slow).explanation).toMatch(
    /While it wrote, the board waited [\d.]+ m?s for the wire and [\d.]+ m?s for its flash chip\.$/,
  );
  const high = await at(2_000_000);
  expect(high.waits?.flashMs).toBeGreaterThan(high.waits?.wireMs ?? Infinity);
  expect(adviceOf("flash-chip", high).explanation).toContain("A higher bit rate would not help");
});

test("erases that our own stub tells of are not taken for those of the ROM", async () => {
  const rig = new Rig({ board: "esp32c3" });
  await rig.flash(app);
  rig.again();
  const over = await rig.flash(bytesAt(0x10000, pseudoFirmware(300_000, 2)), { baud: 2_000_000 });
  expect(over.spans.some(({ phase }) => phase === "erase")).toBe(true);
  expect(ids(over)).toContain("flash-chip");
  expect(ids(over)).not.toContain("rom-only");
});

test("what another tool wrote costs our own stub next to nothing, and a full write of what is there neither", async () => {
  const rig = new Rig({ board: "esp32c3" });
  const first = await rig.flash(app);
  rig.board.flash.fill(0xff, 0x20000, 0x21000);
  rig.again();
  const second = await rig.flash(app);
  const advice = adviceOf("other-writer", second, [first]);
  expect(advice.explanation).toMatch(/one by one took \d+ ms, and 1 of 74 had to be written/);
  expect(advice.savesMs).toBeUndefined();
  rig.again();
  const full = await rig.flash(app, { full: true });
  expect(ids(full, [second, first])).not.toContain("wrote-everything");
});

test("a board that another tool wrote, with Espressif's stub", async () => {
  const rig = new Rig({ board: "esp32c3" }, official);
  const first = await rig.flash(app);
  rig.board.flash.fill(0xff, 0x20000, 0x21000);
  rig.again();
  const second = await rig.flash(app);
  const advice = adviceOf("other-writer", second, [first]);
  expect(advice.explanation).toMatch(/one by one took \d+ ms, and 1 of 74 had to be written/);
  expect(advice.savesMs).toBeGreaterThan(100);
});

test("code that moved behind an insertion of a few bytes, and a full write after it, with Espressif's stub", async () => {
  const before = pseudoFirmware(300_000, 1);
  const after = new Uint8Array(before.length + 12);
  after.set(before.subarray(0, 100_000));
  after.set(before.subarray(100_000), 100_012);
  const rig = new Rig({ board: "esp32c3" }, official);
  const first = await rig.flash(bytesAt(0x10000, before));
  rig.again();
  const second = await rig.flash(bytesAt(0x10000, after));
  expect(ids(second, [first])[0]).toBe("address-shift");
  expect(adviceOf("address-shift", second, [first]).title).toMatchInlineSnapshot(
    `"58 sectors were written though the image grew by 12 B only"`,
  );
  expect(ids(second), "nothing to compare with").not.toContain("address-shift");
  rig.again();
  const full = await rig.flash(bytesAt(0x10000, after), { full: true });
  const advice = adviceOf("wrote-everything", full, [second, first]);
  expect(advice).toMatchObject({ action: { kind: "flash-changed" } });
  expect(advice.savesMs).toBeGreaterThan(500);
});

test("a board that comes late out of its reset, once the way is known", async () => {
  const rig = new Rig({ board: "esp32c3", enRiseMs: "slow" });
  const first = await rig.flash(await firmware("base"));
  rig.again();
  const second = await rig.flash(await firmware("base"));
  expect(ids(first)).not.toContain("slow-reset");
  expect(adviceOf("slow-reset", second, [first])).toMatchObject({
    title: "The loader answered only after 457 ms",
    action: { topic: "slow-reset" },
  });
});

test("nothing is said about what cannot be changed: the chip's own USB, and a rate that is raised after the upload", async () => {
  const usb = { vendorId: 0x303a, productId: 0x1001 };
  const rig = new Rig({ board: "esp32c3", link: "usb" }, { usb });
  const first = await rig.flash(await firmware("base"));
  rig.again();
  const second = await rig.flash(await firmware("base"));
  expect(bitRate(first)).toBeUndefined();
  expect([ids(first), ids(second, [first])]).toEqual([[], []]);

  const old = await new Rig({ board: "esp8266" }).flash(app);
  expect(bitRate(old)).toBeUndefined();
  expect(ids(old)).not.toContain("bit-rate");
});

test("the bit rate is read off the upload", async () => {
  for (const [board, baud] of [
    ["esp32", 921_600],
    ["esp32", 460_800],
    ["esp32s3", 115_200],
    ["esp32p4", 921_600],
    ["esp32c6", 1_500_000],
  ] as const) {
    const report = await new Rig({ board }).flash(bytesAt(0x10000, pseudoFirmware(4096, 1)), { baud });
    expect(bitRate(report), `${board} at ${baud}`).toBe(baud);
  }
});
