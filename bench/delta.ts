/**
 * What the delta planner makes of the corpus: bytes on the wire and time, per edit pair. Prints a table; nothing is flashed.
 * Prints when run by itself: `node bench/delta.ts`, or bundled by esbuild into `delta.mjs` where Node does not take TypeScript.
 */
import { basename } from "node:path";
import { deflateRawSync } from "node:zlib";
import { concat } from "../src/core/bytes.ts";
import { literalBlock, packed, planDelta, type DeltaBlock, type DeltaPlan } from "../src/core/delta.ts";
import { changedSectors } from "./floor.ts";
import { corpusImage, edits, oneMegabyte, targets } from "./images.ts";

const address = 0x10000;
const sectorBytes = 0x1000;
const rounds = 5;

export interface DeltaRow {
  readonly pair: string;
  readonly imageBytes: number;
  readonly sectors: number;
  readonly wholeDeflated: number;
  readonly changedDeflated: number;
  readonly rawOps: number;
  /** Each block deflated by itself where that is shorter, literally where that is shorter still. */
  readonly wireBytes: number;
  /** All blocks deflated as one stream. */
  readonly oneStream: number;
  readonly blocks: number;
  readonly operations: number;
  readonly ms: number;
}

/** Changed sectors only, each erased by itself. */
export function planPair(old: Uint8Array, next: Uint8Array): DeltaPlan {
  const padded = new Uint8Array(Math.ceil(next.length / sectorBytes) * sectorBytes).fill(0xff);
  padded.set(next);
  const runs: { first: number; end: number }[] = [];
  for (const sector of changedSectors(old, next)) {
    const last = runs.at(-1);
    if (last?.end === sector) last.end++;
    else runs.push({ first: sector, end: sector + 1 });
  }
  const writes = runs.map(({ first, end }) => ({
    address: address + first * sectorBytes,
    data: padded.subarray(first * sectorBytes, end * sectorBytes),
    erases: [],
  }));
  return planDelta({ writes, old: [{ address, data: old }], limits: { blockBytes: 0x10000, saveBytes: 0x4000 } });
}

const deflated = (bytes: Uint8Array) => deflateRawSync(bytes, { level: 9 });

function wireBytesOf(block: DeltaBlock): number {
  const { ops } = literalBlock(block);
  return Math.min(block.ops.length, packed(deflated(block.ops)).length, packed(deflated(ops)).length);
}

export function measureDelta(pair: string, old: Uint8Array, next: Uint8Array): DeltaRow {
  const times: number[] = [];
  let plan = planPair(old, next);
  for (let round = 0; round < rounds; round++) {
    const startMs = performance.now();
    plan = planPair(old, next);
    times.push(performance.now() - startMs);
  }
  const sectors = changedSectors(old, next);
  const changed = concat(sectors.map((index) => next.subarray(index * sectorBytes, (index + 1) * sectorBytes)));
  const sum = (of: (block: DeltaBlock) => number) => plan.blocks.reduce((total, block) => total + of(block), 0);
  return {
    pair,
    imageBytes: next.length,
    sectors: sectors.length,
    wholeDeflated: deflated(next).length,
    changedDeflated: changed.length === 0 ? 0 : deflated(changed).length,
    rawOps: sum((block) => block.ops.length),
    wireBytes: sum(wireBytesOf),
    oneStream: deflated(concat(plan.blocks.map((block) => block.ops))).length,
    blocks: plan.blocks.length,
    operations: sum((block) => block.operations),
    ms: median(times),
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

export function corpusRows(): readonly DeltaRow[] {
  return targets.flatMap((target) => {
    const base = corpusImage(target, "base");
    return edits.map((edit) => measureDelta(`${target} ${edit}`, base, corpusImage(target, edit)));
  });
}

/** The image with some bytes put in near the beginning, and one statement in 64 changed: a shift with corrections all over. */
function shifted(image: Uint8Array): Uint8Array {
  const next = new Uint8Array(image.length + 36);
  next.set(image.subarray(0, 3000));
  next.fill(0x5a, 3000, 3036);
  next.set(image.subarray(3000), 3036);
  for (let at = 4000; at < next.length; at += 64 + (at % 61)) next[at] = (next[at] ?? 0) + 36;
  return next;
}

export function largeRows(): readonly DeltaRow[] {
  const megabyte = oneMegabyte();
  const large = concat([megabyte, megabyte.map((byte) => byte ^ 0x2d)]).subarray(0, 1_800_000);
  return [
    measureDelta("600 KB shifted", megabyte.subarray(0, 600_000), shifted(megabyte.subarray(0, 600_000))),
    measureDelta("1.8 MB shifted", large, shifted(large)),
    measureDelta(
      "600 KB of other code",
      megabyte.subarray(400_000, 1_000_000),
      megabyte.subarray(0, 600_000).map((byte) => byte ^ 0x77),
    ),
  ];
}

export function formatDeltaRows(rows: readonly DeltaRow[]): string {
  const head = [
    "pair",
    "sectors",
    "deflate(all)",
    "deflate(changed)",
    "raw",
    "%",
    "wire",
    "%",
    "one stream",
    "blocks",
    "ops",
    "ms",
  ];
  const lines = rows.map((row) => [
    row.pair,
    row.sectors,
    row.wholeDeflated,
    row.changedDeflated,
    row.rawOps,
    percent(row.rawOps / row.wholeDeflated),
    row.wireBytes,
    percent(row.wireBytes / row.wholeDeflated),
    row.oneStream,
    row.blocks,
    row.operations,
    row.ms.toFixed(1),
  ]);
  return [head, ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function percent(share: number): string {
  return (share * 100).toFixed(1);
}

if (basename(process.argv[1] ?? "").startsWith("delta.")) {
  const rows = corpusRows();
  const moving = rows.filter((row) => !/const|rebuild|version/.test(row.pair));
  const raw = (list: readonly DeltaRow[]) => percent(median(list.map((row) => row.rawOps / row.wholeDeflated)));
  const wire = (list: readonly DeltaRow[]) => percent(median(list.map((row) => row.wireBytes / row.wholeDeflated)));
  process.stdout.write(`${formatDeltaRows([...rows, ...largeRows()])}\n`);
  process.stdout.write(`median of all ${rows.length}: raw ${raw(rows)} %, wire ${wire(rows)} %\n`);
  process.stdout.write(`median of the ${moving.length} that move code: raw ${raw(moving)} %, wire ${wire(moving)} %\n`);
}
