import { describe, expect, test } from "vitest";
import { simBoards } from "../../src/sim/boards.ts";
import { bytesAt, pseudoFirmware, Rig } from "./rig.ts";

const old = pseudoFirmware(0x14000, 2);
const edited = old.slice();
edited[0x6001] = 0x77;

describe.each(simBoards.map((board) => board.id))("%s", (board) => {
  test("is flashed whole, then only where it changed, then not at all", async () => {
    const rig = new Rig({ board });
    const first = await rig.flash(bytesAt(0x20000, old));
    expect(first).toMatchObject({ result: "flashed", error: null, chip: board, written: { sectors: 20 } });
    expect(rig.differsAt(0x20000, old)).toBe(-1);
    const second = await rig.flash(bytesAt(0x20000, edited));
    expect(second).toMatchObject({ result: "flashed", error: null, written: { sectors: 1, bytes: 0x1000 } });
    expect(rig.differsAt(0x20000, edited)).toBe(-1);
    expect(await rig.flash(bytesAt(0x20000, edited))).toMatchObject({ result: "unchanged" });
  });

  if (board === "esp8266") {
    test("cannot be asked by its ROM alone what it holds, so without a stub it is left alone", async () => {
      const rig = new Rig({ board });
      const report = await rig.flash(bytesAt(0x20000, old), { useStub: false });
      expect(report.error).toMatchObject({
        code: "refused",
        message: "the ROM of the ESP8266 cannot tell what the flash holds",
        remedy: "Flash without --no-stub.",
      });
      expect(rig.differsAt(0x20000, new Uint8Array(0x14000).fill(0xff))).toBe(-1);
    });
  } else {
    test("is flashed by its ROM alone, without any stub", async () => {
      const rig = new Rig({ board });
      expect(await rig.flash(bytesAt(0x20000, old), { useStub: false })).toMatchObject({
        result: "flashed",
        error: null,
      });
      expect(rig.differsAt(0x20000, old)).toBe(-1);
      const second = await rig.flash(bytesAt(0x20000, edited), { useStub: false });
      expect(second).toMatchObject({ result: "flashed", error: null, written: { sectors: 1 } });
      expect(rig.differsAt(0x20000, edited)).toBe(-1);
      expect(Object.keys(rig.board.counters().commands).filter((name) => name.startsWith("stub:"))).toEqual([]);
    });
  }

  test("works at 115200 and at 2 Mbaud", async () => {
    for (const baud of [115_200, 2_000_000]) {
      const rig = new Rig({ board });
      expect(await rig.flash(bytesAt(0x20000, old), { baud })).toMatchObject({ result: "flashed", error: null });
      expect(rig.differsAt(0x20000, old)).toBe(-1);
    }
  });
});
