/** Faults while Espressif's stub writes; for our own see `patch-stub-faults.test.ts`. */
import { describe, expect, test } from "vitest";
import { bytesAt, pseudoFirmware, Rig } from "./rig.ts";

const official = { officialStub: true };
const address = 0x10000;
const old = pseudoFirmware(0xc000, 5);
const next = (() => {
  const data = old.slice();
  for (const at of [0x0123, 0x5123, 0x6123, 0xb123]) data[at] = (data[at] ?? 0) ^ 0x3c;
  return data;
})();

/** Longer than any single deadline of the protocol, and far shorter than for ever. Virtual time. */
const longestFlashMs = 60_000;

/** A board that holds the old contents misbehaves while it gets the new ones; then it is well again and is flashed once more. */
async function flashWithFault(faults: string, seed: number): Promise<string> {
  const rig = new Rig({ board: "esp32c3" }, official);
  await rig.flash(bytesAt(address, old));
  rig.again({ faults, seed });
  const report = await rig.flash(bytesAt(address, next));
  expect(report.totalMs, `${faults} seed ${seed}: ${report.error?.message ?? ""}`).toBeLessThan(longestFlashMs);
  if (report.error === null) {
    expect(rig.differsAt(address, next), `${faults} seed ${seed} reported ${report.result}`).toBe(-1);
  } else {
    expect(report.error.message).not.toMatch(/internal error/);
    expect(report.error.remedy).not.toBe("");
  }
  rig.again();
  const repaired = await rig.flash(bytesAt(address, next));
  expect(repaired.error, `${faults} seed ${seed}: the next flash`).toBeNull();
  expect(rig.differsAt(address, next), `${faults} seed ${seed}: the next flash`).toBe(-1);
  return report.error === null ? report.result : report.error.code;
}

async function outcomes(faults: readonly string[], seed = 1): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const fault of faults) {
    const outcome = await flashWithFault(fault, seed);
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

/** `npm test` runs the whole campaign, `npm run check` a quarter of it, spread over the same places. */
const share = process.env["DELTAFLASH_CAMPAIGN"] === "full" ? 1 : 0.25;
const some = (count: number) => Math.max(3, Math.ceil(count * share));

const spread = (wanted: number, last: number, count = some(wanted)) =>
  Array.from({ length: count }, (_, index) => Math.round((index * last) / (count - 1)));

describe("never reported as flashed with wrong contents, and repaired by the next flash", () => {
  test("a cable pulled at any byte to the board", async () => {
    const found = await outcomes(spread(40, 24_000).map((at) => `unplug@in:${at}`));
    expect(Object.keys(found).sort()).toEqual(["disconnected", "flashed"]);
    expect(found["disconnected"]).toBeGreaterThanOrEqual(some(40) * 0.7);
  });

  test("a cable pulled at any byte from the board", async () => {
    const found = await outcomes(spread(25, 900).map((at) => `unplug@out:${at}`));
    expect(found["disconnected"]).toBeGreaterThanOrEqual(some(25) * 0.6);
  });

  test("power lost in the middle of an erase or a page", async () => {
    const faults = [1, 2, 3].flatMap((number) => [`power-cut@erase:${number}`, `unplug@erase:${number}`]);
    faults.push(...[1, 7, 20, 40].flatMap((number) => [`power-cut@program:${number}`, `unplug@program:${number}`]));
    const found = await outcomes(faults);
    expect(found["flashed"] ?? 0).toBeLessThan(faults.length / 2);
  });

  test.each(["drop", "flip", "double"])("a byte hit by %s anywhere in either direction", async (kind) => {
    const into = spread(14, 22_000).map((at) => `${kind}@in:${at}`);
    const out = spread(10, 800).map((at) => `${kind}@out:${at}`);
    await outcomes([...into, ...out]);
  });

  test.each(["drop", "flip", "double"])("noise: %s at a rate of one byte in ten thousand", async (kind) => {
    for (let seed = 1; seed <= some(12); seed++) {
      await flashWithFault(`${kind}@in:rate=0.0001,${kind}@out:rate=0.0001`, seed);
    }
  });

  test("a loader that stops answering at any command", async () => {
    const commands = [
      "SYNC",
      "GET_SECURITY_INFO",
      "CHANGE_BAUDRATE",
      "READ_REG",
      "MEM_BEGIN",
      "MEM_DATA",
      "MEM_END",
      "SPI_SET_PARAMS",
      "SPI_FLASH_MD5",
      "FLASH_DEFL_BEGIN",
      "FLASH_DEFL_DATA",
      "FLASH_DEFL_END",
    ];
    const found = await outcomes(commands.flatMap((name) => [`stall@${name}:1`, `silence@${name}:1`]));
    expect(found["timeout"]).toBeGreaterThan(8);
  });

  test("a sector that does not erase, a bit that does not program, a flash that stays busy", async () => {
    const rig = new Rig({ board: "esp32c3" }, official);
    await rig.flash(bytesAt(address, old));
    rig.again({ faults: "bad-sector@0x15000" });
    const report = await rig.flash(bytesAt(address, next));
    expect(report.error).toMatchObject({
      code: "verify-failed",
      message: "the 8 KiB at 0x15000 read back differently than they were written",
    });
    expect(
      await outcomes(["stuck-bit@0x15200.3", "stuck-bit@0x16200.4", "stuck-busy@erase:2", "stuck-busy@program:9"]),
    ).toBeDefined();
  });

  test("a crystal that is off by more than the wire tolerates, and noise while the board boots", async () => {
    const found = await outcomes(["clock@+6%", "clock@-6%", "clock@+2%", "boot-noise@40", "boot-noise@400"]);
    expect(found["flashed"]).toBeGreaterThanOrEqual(3);
  });
});

test("a digest that never matches is an error, the sectors stay in doubt, and the next flash writes them again", async () => {
  const rig = new Rig({ board: "esp32c3" }, official);
  await rig.flash(bytesAt(address, old));
  rig.again({ faults: "bad-sector@0x15000" });
  await rig.flash(bytesAt(address, next));
  expect(await rig.history.boards()).toMatchObject([{ interruptedSectors: 4 }]);
  rig.again();
  const repaired = await rig.flash(bytesAt(address, next));
  expect(repaired).toMatchObject({ result: "flashed", error: null });
  expect(repaired.notes).toContain("An earlier flash was cut short; 4 sectors were left in doubt and looked at again.");
  expect(await rig.history.boards()).toMatchObject([{ interruptedSectors: 0 }]);
});

test("a cancelled flash says what it leaves behind, and the next one repairs it", async () => {
  const rig = new Rig({ board: "esp32c3" }, official);
  await rig.flash(bytesAt(address, old));
  rig.again();
  const cancel = new AbortController();
  const advance = rig.board.advance.bind(rig.board);
  rig.board.advance = (toMs) => {
    if (rig.board.counters().commands["stub:FLASH_DEFL_DATA"] === 2) cancel.abort();
    return advance(toMs);
  };
  const report = await rig.flash(bytesAt(address, next), {}, cancel.signal);
  expect(report.error).toEqual({
    code: "cancelled",
    message: "the flash was cancelled half way; the board waits in its loader with a program that is not complete",
    remedy: "Flash again: what was half written is found and repaired.",
  });
  rig.again();
  expect(await rig.flash(bytesAt(address, next))).toMatchObject({ result: "flashed", error: null });
  expect(rig.differsAt(address, next)).toBe(-1);
});
