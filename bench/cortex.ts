/**
 * Cortex-M boards behind GDB servers: Deltaflash against pages programmed one by one as pyOCD does it, against GDB's `load` through
 * the same server, and against the physical floor. All on the same simulated boards with the same probe, 1 ms each way.
 */
import type { History } from "../src/engine/history.ts";
import type { Report } from "../src/engine/report.ts";
import { CortexBoard } from "../src/sim/cortex-m/cortex-board.ts";
import type { SimChip } from "../src/sim/cortex-m/chips.ts";
import { personalities, type Personality } from "../src/sim/cortex-m/personalities.ts";
import type { ProbeLink } from "../src/sim/cortex-m/probe.ts";
import { FaultPlan } from "../src/sim/faults.ts";
import { VirtualClock } from "../src/sim/virtual-clock.ts";
import { chipNamed, flashFloorMs, serialMs, unitsOf, withoutFlashTimes } from "./cortex-floor.ts";
import { gdbLoad, pageByPage } from "./cortex-peers.ts";
import { cortexWrite, type CortexBench } from "./cortex-way.ts";
import { corpusImage, oneMegabyte } from "./images.ts";

const chips = ["stm32f4", "stm32f767", "nrf51", "rp2040"] as const;
const servers = ["openocd", "pyocd", "st-util"] as const;
const fullBytes = 256 * 1024;
const stLinkBytes = 65 * 1024;
/** An ST-Link/V2 on full-speed USB. */
const stLink: Partial<ProbeLink> = { latencyMs: 1, bytesPerSecond: 150_000, clockHz: 4_000_000 };

/** What is asked of each row. */
const wanted = {
  pagesRatio: 5,
  loadRatio: 2,
  unchangedMs: 60,
  editFloors: 3,
  editMs: 60,
  stLinkFullMs: 1_500,
  stLinkEditMs: 500,
} as const;

interface Setting {
  readonly name: string;
  readonly chip: SimChip;
  readonly server: (typeof servers)[number];
  readonly bytes: number;
  readonly probe?: Partial<ProbeLink>;
}

interface CortexRow {
  readonly board: string;
  readonly server: string;
  readonly imageBytes: number;
  readonly fullMs: number;
  readonly fullFloorMs: number;
  readonly pagesMs: number;
  readonly loadMs: number;
  /** Without the resets before and after. */
  readonly unchangedMs: number;
  readonly resetsMs: number;
  readonly editMs: number;
  readonly editFloorMs: number;
  /** In the last unit, of which the image fills a part only. */
  readonly lastEditMs: number;
  readonly lastEditFloorMs: number;
}

type NewHistory = () => History;

/** Another program than `next` in every unit. */
function otherThan(next: Uint8Array): Uint8Array {
  return next.map((byte) => byte ^ 0x55);
}

/** Some constants of the second unit changed, or of the last. */
function edited(chip: SimChip, image: Uint8Array, which: "second" | "last"): Uint8Array {
  const units = unitsOf(chip).filter(({ start }) => start < image.length);
  const start = (which === "second" ? units[1] : units.at(-1))?.start ?? 0;
  return image.map((byte, at) => (at >= start + 100 && at < start + 140 ? byte ^ 0x3c : byte));
}

/** A program of the corpus in front, what fills the rest behind. */
function imageFor(chip: SimChip, bytes: number): Uint8Array {
  const image = oneMegabyte().subarray(0, bytes);
  const program = corpusImage(chip.id === "nrf51" ? "nrf51" : "stm32", "base");
  image.set(program.subarray(0, bytes));
  return image;
}

function boardOf({ chip, server, probe }: Setting, contents: Uint8Array): CortexBoard {
  const personality: Personality | undefined = personalities.find(({ name }) => name === server);
  if (personality === undefined) throw new Error(`no simulated server ${server}`);
  const flash = new Uint8Array(chip.flash.bytes).fill(0xff);
  flash.set(contents);
  return new CortexBoard({
    ...{ chip, flash, personality, probe: { ...personality.probe, ...probe } },
    socket: { latencyMs: personality.socketMs, bytesPerSecond: Infinity },
    ...{ faults: new FaultPlan([], 1), seed: 1, isLocked: false, packsReplies: false },
  });
}

async function measure(setting: Setting, newHistory: NewHistory): Promise<CortexRow> {
  const { chip, server, bytes } = setting;
  const image = imageFor(chip, bytes);
  const before = otherThan(image);
  const place = { address: chip.flash.start, data: image };
  const ours: CortexBench = { board: boardOf(setting, before), clock: new VirtualClock(), history: newHistory() };
  await cortexWrite(ours, { ...place, data: before }, true);
  const full = await cortexWrite(ours, place, true);
  const unchanged = await cortexWrite(ours, place, false);
  const [change, lastChange] = [edited(chip, image, "second"), edited(chip, image, "last")];
  const edit = await cortexWrite(ours, { ...place, data: change }, false);
  await cortexWrite(ours, place, false);
  const lastEdit = await cortexWrite(ours, { ...place, data: lastChange }, false);
  const asMeant = unchanged.result === "unchanged" && edit.written.sectors === 1 && lastEdit.written.sectors === 1;
  if (!asMeant) throw new Error(`${chip.id}: not what was meant`);
  const pages = pageByPage(boardOf(setting, before), place);
  const loaded = boardOf(setting, before);
  const loadMs = await gdbLoad(loaded, new VirtualClock(), place);
  if (Buffer.compare(loaded.flash.subarray(0, bytes), image) !== 0) throw new Error(`${chip.id}: load failed`);
  const resetsMs = resetsIn(unchanged);
  return {
    board: setting.name,
    server,
    imageBytes: bytes,
    fullMs: full.totalMs,
    fullFloorMs: flashFloorMs(chip, before, image),
    pagesMs: pages.totalMs + serialMs(chip, bytes),
    loadMs: loadMs + serialMs(chip, bytes),
    unchangedMs: unchanged.totalMs - resetsMs,
    resetsMs,
    editMs: edit.totalMs,
    editFloorMs: flashFloorMs(chip, image, change),
    lastEditMs: lastEdit.totalMs,
    lastEditFloorMs: flashFloorMs(chip, image, lastChange),
  };
}

function resetsIn({ spans }: Report): number {
  return spans
    .filter(({ phase, label }) => phase === "reset" || label === "reset + halt")
    .reduce((sum, { durationMs }) => sum + durationMs, 0);
}

async function cortexRows(newHistory: NewHistory): Promise<readonly CortexRow[]> {
  const rows: CortexRow[] = [];
  for (const name of chips)
    for (const server of servers)
      rows.push(await measure({ name, chip: chipNamed(name), server, bytes: fullBytes }, newHistory));
  return rows;
}

/** What is left when the flash takes no time, as on the emulators that the wanted ratios come from. */
async function cortexRowsWithoutFlash(newHistory: NewHistory): Promise<readonly CortexRow[]> {
  const rows: CortexRow[] = [];
  for (const name of ["nrf51", "stm32f4"] as const)
    for (const server of servers)
      rows.push(
        await measure({ name, chip: withoutFlashTimes(chipNamed(name)), server, bytes: fullBytes }, newHistory),
      );
  return rows;
}

async function stLinkRows(newHistory: NewHistory): Promise<readonly CortexRow[]> {
  const rows: CortexRow[] = [];
  const chip = chipNamed("stm32f767");
  for (const server of servers)
    rows.push(await measure({ name: chip.id, chip, server, bytes: stLinkBytes, probe: stLink }, newHistory));
  return rows;
}

/** One wish: what was measured, and whether that is enough. `possible`: what the floor would give. */
interface Verdict {
  readonly row: CortexRow;
  readonly what: string;
  readonly wanted: string;
  readonly measured: string;
  readonly possible: string;
  readonly met: boolean;
}

const ms = (value: number) => `${value.toFixed(0)} ms`;
const times = (value: number) => `x ${value.toFixed(2)}`;

function ratios(row: CortexRow): readonly Verdict[] {
  const faster = (what: string, peerMs: number, least: number): Verdict => ({
    ...{ row, what, wanted: `>= x ${least}`, measured: times(peerMs / row.fullMs) },
    possible: row.fullFloorMs > 0 ? times(peerMs / row.fullFloorMs) : "",
    met: peerMs / row.fullMs >= least,
  });
  return [
    faster(`full, pages one by one ${ms(row.pagesMs)} / ours ${ms(row.fullMs)}`, row.pagesMs, wanted.pagesRatio),
    faster(`full, load ${ms(row.loadMs)} / ours ${ms(row.fullMs)}`, row.loadMs, wanted.loadRatio),
  ];
}

function unchangedWithin(row: CortexRow): Verdict {
  return {
    ...{ row, what: `unchanged, without resets (${ms(row.resetsMs)})`, wanted: `<= ${wanted.unchangedMs} ms` },
    ...{ measured: ms(row.unchangedMs), possible: "", met: row.unchangedMs <= wanted.unchangedMs },
  };
}

function dailyWork(row: CortexRow): readonly Verdict[] {
  const limitMs = wanted.editFloors * row.editFloorMs + wanted.editMs;
  const edit: Verdict = {
    ...{ row, what: "edit of one sector, resets and all", wanted: `<= ${ms(limitMs)}`, measured: ms(row.editMs) },
    ...{ possible: ms(row.editFloorMs), met: row.editMs <= limitMs },
  };
  return [unchangedWithin(row), edit];
}

function withStLink(row: CortexRow): readonly Verdict[] {
  const within = (what: string, measuredMs: number, floorMs: number, limitMs: number): Verdict => ({
    ...{ row, what, wanted: `< ${ms(limitMs)}`, measured: ms(measuredMs) },
    ...{ possible: ms(floorMs), met: measuredMs < limitMs },
  });
  return [
    within("65 KiB, full", row.fullMs, row.fullFloorMs, wanted.stLinkFullMs),
    within("65 KiB, edit of a sector that is full", row.editMs, row.editFloorMs, wanted.stLinkEditMs),
    within("65 KiB, edit of the last sector", row.lastEditMs, row.lastEditFloorMs, wanted.stLinkEditMs),
    unchangedWithin(row),
  ];
}

function printFloors(rows: readonly CortexRow[]): void {
  print(["board", "server", "full: ours", "floor", "ours/floor", "edit: ours", "floor", "ours/floor"]);
  for (const row of rows)
    print([
      ...[row.board, row.server, ms(row.fullMs), ms(row.fullFloorMs), times(row.fullMs / row.fullFloorMs)],
      ...[ms(row.editMs), ms(row.editFloorMs), times(row.editMs / row.editFloorMs)],
    ]);
}

function printVerdicts(verdicts: readonly Verdict[]): void {
  const line = (cells: readonly string[]) => {
    const [board = "", server = "", what = "", ...rest] = cells;
    const numbers = rest.map((cell) => cell.padStart(10)).join(" ");
    process.stdout.write(`${board.padEnd(10)} ${server.padEnd(8)} ${what.padEnd(52)} ${numbers}\n`);
  };
  line(["board", "server", "", "wanted", "measured", "possible", "met"]);
  for (const { row, what, wanted: limit, measured, possible, met } of verdicts)
    line([row.board, row.server, what, limit, measured, possible, met ? "yes" : "no"]);
}

function print(cells: readonly string[]): void {
  const padded = cells.map((cell, index) => (index < 2 ? cell.padEnd(10) : cell.padStart(11)));
  process.stdout.write(`${padded.join(" ")}\n`);
}

/** Measures and prints; what it returns is for the file. */
export async function benchCortex(newHistory: NewHistory): Promise<Record<string, unknown>> {
  const [rows, without, stLinked] = [
    await cortexRows(newHistory),
    await cortexRowsWithoutFlash(newHistory),
    await stLinkRows(newHistory),
  ];
  process.stdout.write(
    "\nCortex-M behind GDB servers, 256 KiB, probe 1 ms each way; floor: erase and program what differs\n",
  );
  printFloors(rows);
  process.stdout.write("\nwanted and measured; possible: what the floor alone would give\n");
  printVerdicts([...rows.flatMap(ratios), ...rows.flatMap(dailyWork)]);
  process.stdout.write(
    "\nthe same with flash that takes no time, as on the emulators that the wanted ratios come from\n",
  );
  printVerdicts(without.flatMap(ratios));
  process.stdout.write("\nSTM32F767 behind a probe like an ST-Link/V2 (1 ms each way, 150 kB/s)\n");
  printVerdicts(stLinked.flatMap(withStLink));
  const all = [...rows.flatMap((row) => [...ratios(row), ...dailyWork(row)]), ...stLinked.flatMap(withStLink)];
  const missed = all.filter(({ met }) => !met).map(({ row, what }) => `${row.board} ${row.server}: ${what}`);
  return { wanted, rows, withoutFlashTimes: without, stLink: stLinked, missed };
}
