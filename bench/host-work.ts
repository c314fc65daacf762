/** What the host itself needs for an image of 4 MiB, on the wall clock: reading, cutting, comparing, hashing, planning. */
import { md5 } from "../src/core/digest.ts";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadArtifact } from "../src/build/load.ts";
import { planWrites } from "../src/core/plan.ts";
import { sectorsOf } from "../src/core/sectors.ts";
import { compareWithRecord, questionsPerRun } from "../src/core/survey.ts";
import { pack } from "../src/targets/esp/run-stream.ts";
import { espCosts, espFlashMap } from "../src/targets/esp/session.ts";
import { oneMegabyte } from "./images.ts";

/** Medians of a few runs, milliseconds. */
export async function hostWork(): Promise<Record<string, number>> {
  const megabyte = oneMegabyte();
  const image = new Uint8Array(4 * megabyte.length);
  for (let part = 0; part < 4; part++) image.set(megabyte, part * megabyte.length);
  const folder = mkdtempSync(join(tmpdir(), "deltaflash-host-"));
  try {
    const file = join(folder, "image.bin");
    writeFileSync(file, image);
    const times: number[] = [];
    for (let round = 0; round < 9; round++) times.push(await readHashPlan(file, image, round));
    times.sort((a, b) => a - b);
    const startMs = performance.now();
    await pack(megabyte);
    return {
      readHashPlan4MiBMs: Number((times[4] ?? NaN).toFixed(1)),
      deflate1MiBMs: Number((performance.now() - startMs).toFixed(1)),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function readHashPlan(file: string, old: Uint8Array, round: number): Promise<number> {
  const edited = 0x123456 + round;
  const startMs = performance.now();
  const artifact = await loadArtifact([`0x10000:${file}`]);
  if (artifact.kind !== "image") throw new Error("not an image");
  const map = espFlashMap(16 * 1024 * 1024);
  const sectors = sectorsOf(artifact.image, map);
  const before = old.slice();
  before[edited] = (before[edited] ?? 0) ^ 1;
  const opinion = compareWithRecord(sectors, ({ address, size }) =>
    before.subarray(address - 0x10000, address - 0x10000 + size),
  );
  questionsPerRun(opinion.same, md5);
  planWrites(sectors, new Map(opinion.different.map((sector) => [sector.address, sector])), map, espCosts(921_600));
  return performance.now() - startMs;
}
