/**
 * `npm run bench`: Deltaflash against (a) everything as esptool writes it, (b) changed sectors as its --diff-with does, and
 * (c) the physical floor; all in one run, on the same simulated ESP32-C3 with typical flash times, on the virtual clock. Then the same
 * for Cortex-M boards behind GDB servers, against their peers.
 * Prints tables and writes bench/out/bench.json.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { phaseTotals } from "../src/core/trace.ts";
import { History } from "../src/engine/history.ts";
import { traceOf } from "../src/engine/report.ts";
import { makeSimBoard } from "../src/sim/boards.ts";
import { VirtualClock } from "../src/sim/virtual-clock.ts";
import { benchCortex } from "./cortex.ts";
import { deltaflashWrite } from "./deltaflash-way.ts";
import { esptoolWrite } from "./esptool-way.ts";
import { floorOf } from "./floor.ts";
import { hostWork } from "./host-work.ts";
import { corpusImage, edits, oneMegabyte, targets } from "./images.ts";
import { dailyFigures, patchRows, shifting, type PatchRow } from "./patch-stub.ts";

const address = 0x10000;
const baud = 921_600;
/** The chip's own digest, which every verified write needs and which the floor leaves out. Source: the simulated board's model. */
const digestMsPerByte = 1_100 / 0x100000;

interface Row {
  readonly image: string;
  readonly edit: string;
  readonly sectors: number;
  readonly of: number;
  readonly deltaflashMs: number;
  readonly connectMs: number;
  readonly wroteEverythingMs: number;
  readonly wroteChangedMs: number;
  readonly floorMs: number;
}

const folder = mkdtempSync(join(tmpdir(), "deltaflash-bench-"));
let boards = 0;
const freshBoard = () => ({
  board: makeSimBoard({ board: "esp32c3", factory: true }),
  clock: new VirtualClock(),
  history: new History(join(folder, String(boards++))),
});

async function measure(image: string, edit: string, old: Uint8Array, next: Uint8Array): Promise<Row> {
  const ours = freshBoard();
  await deltaflashWrite({ ...ours, address, image: old, baud, full: true });
  const report = await deltaflashWrite({ ...ours, address, image: next, baud, full: false });
  const theirs = freshBoard();
  await esptoolWrite({ ...theirs, address, image: old, baud });
  const wroteChangedMs = await esptoolWrite({ ...theirs, address, image: next, old, baud });
  const wroteEverythingMs = await esptoolWrite({ ...theirs, address, image: next, baud });
  const connectMs = phaseTotals(traceOf(report)).find((total) => total.phase === "connect")?.durationMs ?? 0;
  const floor = floorOf(address, old, next, baud);
  return {
    image,
    edit,
    sectors: report.written.sectors,
    of: report.image.sectors,
    deltaflashMs: report.totalMs,
    connectMs,
    wroteEverythingMs,
    wroteChangedMs,
    floorMs: floor.flashMs, // a board that composes what moved needs next to nothing of the wire
  };
}

async function fullImage(): Promise<Record<string, number>> {
  const image = oneMegabyte();
  const blank = new Uint8Array(image.length).fill(0xff);
  const dirty = image.map((byte) => byte ^ 0x55);
  const ours = freshBoard();
  await deltaflashWrite({ ...ours, address, image: dirty, baud, full: true });
  const report = await deltaflashWrite({ ...ours, address, image, baud, full: true });
  const unchanged = await deltaflashWrite({ ...ours, address, image, baud, full: false });
  const theirs = freshBoard();
  await esptoolWrite({ ...theirs, address, image: dirty, baud });
  const esptoolMs = await esptoolWrite({ ...theirs, address, image, baud });
  const floor = floorOf(address, blank, image, baud);
  const digestMs = image.length * digestMsPerByte;
  return {
    imageBytes: image.length,
    deflateRatio: round((floor.wireMs * baud) / 10_000 / image.length, 3),
    deltaflashMs: round(report.totalMs),
    unchangedMs: round(unchanged.totalMs),
    esptoolMs: round(esptoolMs),
    floorMs: round(floor.ms),
    floorWireMs: round(floor.wireMs),
    floorFlashMs: round(floor.flashMs),
    digestMs: round(digestMs),
    ratioToFloor: round(report.totalMs / floor.ms, 3),
    ratioToFloorWithDigest: round(report.totalMs / (floor.ms + digestMs), 3),
    ratioEsptoolToDeltaflash: round(esptoolMs / report.totalMs, 2),
  };
}

function round(value: number, digits = 1): number {
  return Number(value.toFixed(digits));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

function printRows(rows: readonly Row[]): void {
  const line = (cells: readonly string[]) =>
    process.stdout.write(`${cells.map((cell, index) => (index < 2 ? cell.padEnd(9) : cell.padStart(10))).join(" ")}\n`);
  line([
    "image",
    "edit",
    "sectors",
    "ours ms",
    "connect",
    "(a) all",
    "(b) diff",
    "(c) floor",
    "(a)/ours",
    "(b)/ours",
    "ours/(c)",
  ]);
  for (const row of rows) {
    line([
      row.image,
      row.edit,
      `${row.sectors}/${row.of}`,
      row.deltaflashMs.toFixed(0),
      row.connectMs.toFixed(0),
      row.wroteEverythingMs.toFixed(0),
      row.wroteChangedMs.toFixed(0),
      row.floorMs.toFixed(0),
      (row.wroteEverythingMs / row.deltaflashMs).toFixed(2),
      (row.wroteChangedMs / row.deltaflashMs).toFixed(2),
      (row.deltaflashMs / row.floorMs).toFixed(2),
    ]);
  }
}

async function benchPatches(): Promise<Record<string, unknown>> {
  const result: Record<string, unknown> = {};
  for (const rate of [921_600, 115_200]) {
    const rows = await patchRows(freshBoard, rate);
    process.stdout.write(`\nour stub's patches against changed sectors deflated (Espressif's stub), ${rate} baud\n`);
    printPatches(rows);
    const shifted = shifting(rows);
    const medians = {
      changedToPatch: round(median(shifted.map((row) => row.changedMs / row.patchMs)), 2),
      writingToFloor: round(median(shifted.map((row) => row.writingToFloor)), 3),
      wireShare: round(median(shifted.map((row) => row.wireShare)), 4),
    };
    process.stdout.write(`medians of the ${shifted.length} edits that shift: ${JSON.stringify(medians)}\n`);
    result[String(rate)] = { rows, medians };
  }
  const daily = await dailyFigures(freshBoard);
  for (const [name, value] of Object.entries(daily)) {
    daily[name] = round(value);
    process.stdout.write(`  ${name.padEnd(30)} ${round(value)}\n`);
  }
  return { ...result, daily };
}

function printPatches(rows: readonly PatchRow[]): void {
  for (const row of rows) {
    const cells = [
      row.image.padEnd(9),
      row.edit.padEnd(9),
      String(row.sectors).padStart(4),
      `${row.patchMs.toFixed(0)} ms`.padStart(9),
      `${row.changedMs.toFixed(0)} ms`.padStart(9),
      `x ${(row.changedMs / row.patchMs).toFixed(2)}`.padStart(8),
      `floor x ${row.writingToFloor.toFixed(2)}`.padStart(14),
      `wire ${(100 * row.wireShare).toFixed(1)} %`.padStart(12),
    ];
    process.stdout.write(`${cells.join(" ")}\n`);
  }
}

function helpMs(): number {
  const times = Array.from({ length: 7 }, () => {
    const startMs = performance.now();
    execFileSync(process.execPath, ["dist/cli.mjs", "--help"]);
    return performance.now() - startMs;
  });
  return median(times);
}

try {
  process.stdout.write(
    `simulated ESP32-C3, ${baud} baud, typical flash times, virtual clock; nothing here ran on silicon\n\n`,
  );
  const rows: Row[] = [];
  for (const target of targets) {
    const base = corpusImage(target, "base");
    for (const edit of edits) rows.push(await measure(target, edit, base, corpusImage(target, edit)));
  }
  printRows(rows);
  const medians = {
    allToOurs: round(median(rows.map((row) => row.wroteEverythingMs / row.deltaflashMs)), 2),
    diffToOurs: round(median(rows.map((row) => row.wroteChangedMs / row.deltaflashMs)), 2),
    oursToFloor: round(median(rows.map((row) => row.deltaflashMs / row.floorMs)), 2),
  };
  process.stdout.write(
    `\nmedians: (a)/ours ${medians.allToOurs}, (b)/ours ${medians.diffToOurs}, ours/(c) ${medians.oursToFloor}\n`,
  );
  const patches = await benchPatches();
  const full = await fullImage();
  process.stdout.write(
    `\n1 MiB, everything:\n${Object.entries(full)
      .map(([name, value]) => `  ${name.padEnd(26)} ${value}`)
      .join("\n")}\n`,
  );
  const cortex = await benchCortex(() => new History(join(folder, String(boards++))));
  const host = { ...(await hostWork()), helpMs: round(helpMs()) };
  process.stdout.write(
    `\nhost work, wall clock:\n${Object.entries(host)
      .map(([name, value]) => `  ${name.padEnd(26)} ${value}`)
      .join("\n")}\n`,
  );
  mkdirSync(join("bench", "out"), { recursive: true });
  writeFileSync(
    join("bench", "out", "bench.json"),
    `${JSON.stringify({ baud, rows, medians, patches, full, cortex, host }, null, 2)}\n`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
