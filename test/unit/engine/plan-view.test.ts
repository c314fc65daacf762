import { expect, test } from "vitest";
import { espFamily } from "../../../src/engine/esp-family.ts";
import { planView } from "../../../src/engine/plan-view.ts";
import { changesBetween, programTable, ProgramStore, type ProgramTable } from "../../../src/engine/program-table.ts";
import { firmware, Rig } from "../../sim/rig.ts";

const port = "sim:esp32c3";

function bench() {
  const rig = new Rig({ board: "esp32c3" }, { port });
  const memory = { history: rig.history, programs: new ProgramStore(rig.folder) };
  const flash = async (kind: "base" | "const") => {
    const artifact = await firmware(kind);
    const report = await rig.flash(artifact);
    if (artifact.kind === "elf") await memory.programs.keep(report.identity, programTable(artifact.elf));
    return report;
  };
  const plan = async (kind: "base" | "const", chip?: string) =>
    planView({ family: espFamily, port, chip, baud: undefined, artifact: await firmware(kind) }, memory);
  return { flash, plan };
}

test("of a board that was never seen nothing is known, and everything may have to be written", async () => {
  const { plan } = bench();
  const view = await plan("base", "esp32c3");
  expect(view).toMatchObject({ boardKnown: false, changed: [] });
  expect(view.sectorsToWrite).toBe(view.sectors);
  expect(view.estimateMs).toBe(view.fullEstimateMs);
  await expect(plan("base", "esp9000")).rejects.toMatchObject({ code: "wrong-chip" });
});

test("of a board that was flashed it says exactly what the next flash then writes", async () => {
  const { flash, plan } = bench();
  await flash("base");
  expect(await plan("base")).toMatchObject({
    boardKnown: true,
    sectorsToWrite: 0,
    estimateMs: 0,
    runs: [],
    changed: [],
  });
  const view = await plan("const");
  const { written, image } = await flash("const");
  expect(view).toMatchObject({
    sectors: image.sectors,
    sectorsToWrite: written.sectors,
    bytesToWrite: written.bytes,
  });
  expect(view.runs.reduce((sum, run) => sum + run.bytes, 0)).toBe(written.bytes);
  expect(view.estimateMs).toBeLessThan(view.fullEstimateMs);
  expect(view.changed.filter((item) => item.kind === "section").map((item) => item.name)).toMatchInlineSnapshot(`
    [
      ".flash.text",
    ]
  `);
  expect(view.changed.filter((item) => item.kind === "symbol").slice(0, 5)).toMatchInlineSnapshot(`
    [
      {
        "kind": "symbol",
        "name": "dcblock_run",
        "newAddress": 1107300398,
        "newSize": 28,
        "oldAddress": 1107300398,
        "oldSize": 28,
      },
    ]
  `);
});

test("new, gone, resized, rewritten and moved symbols are told apart, the largest change first", () => {
  const table = (...symbols: ProgramTable["symbols"]): ProgramTable => ({ version: 1, sections: [], symbols });
  const old = table(
    ["same", 0, 4, "a"],
    ["gone", 4, 8, "b"],
    ["grown", 12, 4, "c"],
    ["other", 16, 4, "d"],
    ["twice", 20, 4, "e"],
    ["twice", 24, 4, "f"],
  );
  const next = table(
    ["same", 0, 4, "a"],
    ["grown", 12, 64, "C"],
    ["other", 16, 4, "D"],
    ["new", 80, 16, "g"],
    ["twice", 20, 4, "e"],
    ["twice", 96, 4, "f"],
  );
  expect(changesBetween(old, next)).toEqual([
    { kind: "symbol", name: "grown", oldAddress: 12, oldSize: 4, newAddress: 12, newSize: 64 },
    { kind: "symbol", name: "new", newAddress: 80, newSize: 16 },
    { kind: "symbol", name: "gone", oldAddress: 4, oldSize: 8 },
    { kind: "symbol", name: "other", oldAddress: 16, oldSize: 4, newAddress: 16, newSize: 4 },
    { kind: "symbol", name: "twice", oldAddress: 24, oldSize: 4, newAddress: 96, newSize: 4 },
  ]);
  expect(changesBetween(undefined, next)).toEqual([]);
});
