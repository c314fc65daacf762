/**
 * What our own stub gains over Espressif's: the corpus's edit pairs on the same simulated board, the same clock and the same
 * host, at two bit rates; then the single figures that a user feels.
 */
import { deflate } from "pako";
import { phaseTotals } from "../src/core/trace.ts";
import { espFamily } from "../src/engine/esp-family.ts";
import type { Report } from "../src/engine/report.ts";
import { traceOf } from "../src/engine/report.ts";
import { SimTransport } from "../src/sim/sim-transport.ts";
import { TraceRecorder } from "../src/core/trace.ts";
import { deltaflashWrite, type BenchBoard } from "./deltaflash-way.ts";
import { changedSectors, floorOf } from "./floor.ts";
import { corpusImage, edits, oneMegabyte, targets } from "./images.ts";

const address = 0x10000;
/** From so many changed sectors on an edit counts as one that shifted something. */
const shiftedSectors = 5;

export interface PatchRow {
  readonly image: string;
  readonly edit: string;
  readonly sectors: number;
  readonly patchMs: number;
  readonly changedMs: number;
  /** Erasing, programming and all else between the plan and the reset, against the floor of erasing and programming. */
  readonly writingToFloor: number;
  /** Bytes that the patches took on the wire, as a share of the deflated image. */
  readonly wireShare: number;
}

export async function patchRows(freshBoard: () => BenchBoard, baud: number): Promise<readonly PatchRow[]> {
  const rows: PatchRow[] = [];
  for (const image of targets) {
    const old = corpusImage(image, "base");
    for (const edit of edits)
      rows.push(await patchRow(freshBoard, baud, { image, edit, old, next: corpusImage(image, edit) }));
  }
  return rows;
}

interface Pair {
  readonly image: string;
  readonly edit: string;
  readonly old: Uint8Array;
  readonly next: Uint8Array;
}

async function patchRow(freshBoard: () => BenchBoard, baud: number, pair: Pair): Promise<PatchRow> {
  const flashed = async (officialStub: boolean) => {
    const board = freshBoard();
    await deltaflashWrite({ ...board, address, image: pair.old, baud: 921_600, full: true, officialStub });
    return board;
  };
  const run = async (officialStub: boolean) =>
    deltaflashWrite({ ...(await flashed(officialStub)), address, image: pair.next, baud, full: false, officialStub });
  const unchanged = freshBoard();
  await deltaflashWrite({ ...unchanged, address, image: pair.old, baud: 921_600, full: true });
  const idle = await deltaflashWrite({ ...unchanged, address, image: pair.old, baud, full: false });
  const [ours, theirs] = [await run(false), await run(true)];
  const floor = floorOf(address, pair.old, pair.next, baud);
  return {
    image: pair.image,
    edit: pair.edit,
    sectors: changedSectors(pair.old, pair.next).length,
    patchMs: ours.totalMs,
    changedMs: theirs.totalMs,
    writingToFloor: writingMs(await flashAhead(await flashed(false), pair.next, baud)) / floor.flashMs,
    wireShare: Math.max(0, ours.wire.sentBytes - idle.wire.sentBytes) / deflate(pair.next, { level: 9 }).length,
  };
}

/** From the first block on the wire to the last byte read back. */
function writingMs(report: Report): number {
  const from = report.spans.findIndex((span) => span.phase === "write" || span.label === "patches");
  const spans = report.spans.slice(Math.max(0, from)).filter((span) => span.phase !== "reset");
  return spans.reduce((sum, span) => sum + span.durationMs, 0);
}

/** The figures of one board in daily use at 921600 baud, milliseconds. */
export async function dailyFigures(freshBoard: () => BenchBoard): Promise<Record<string, number>> {
  const baud = 921_600;
  const [old, next] = [corpusImage("esp32c3", "base"), corpusImage("esp32c3", "const")];
  const board = freshBoard();
  await deltaflashWrite({ ...board, address, image: old, baud, full: true });
  const unchanged = await deltaflashWrite({ ...board, address, image: old, baud, full: false });
  const edited = await deltaflashWrite({ ...board, address, image: next, baud, full: false });
  const image = oneMegabyte();
  const dirty = image.map((byte) => byte ^ 0x55);
  const full = async (officialStub: boolean) => {
    const fresh = freshBoard();
    await deltaflashWrite({ ...fresh, address, image: dirty, baud, full: true, officialStub });
    return (await deltaflashWrite({ ...fresh, address, image, baud, full: true, officialStub })).totalMs;
  };
  return {
    connectMs: phaseTotals(traceOf(unchanged)).find(({ phase }) => phase === "connect")?.durationMs ?? NaN,
    unchangedMs: unchanged.totalMs,
    editWithoutShiftMs: edited.totalMs,
    editConnectedDuringTheBuildMs: (await flashAhead(board, old, baud)).totalMs,
    fullMegabyteMs: await full(false),
    fullMegabyteOfficialStubMs: await full(true),
  };
}

/** From the end of the build to the program's start, if the connection was made while the compiler ran. */
async function flashAhead(board: BenchBoard, image: Uint8Array, baud: number): Promise<Report> {
  const { clock, history } = board;
  const transport = new SimTransport(board.board, clock);
  const trace = new TraceRecorder(clock, { phase: "connect", label: "open port" });
  const signal = new AbortController().signal;
  const context = { clock, signal, trace, onProgress: () => undefined, log: () => undefined };
  const wishes = { baud, useStub: true, flashBytes: undefined };
  const request = { wishes, meant: undefined, memory: { port: "sim", history } };
  const connection = await espFamily.connect(transport, context, request);
  await connection.session.getReady?.();
  return deltaflashWrite({ ...board, address, image, baud, full: false, ahead: connection });
}

export function shifting(rows: readonly PatchRow[]): readonly PatchRow[] {
  return rows.filter((row) => row.sectors >= shiftedSectors);
}
