/** Flashes of simulated Cortex-M boards behind GDB servers where nothing goes wrong: what they take, and what the flash holds after them. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Artifact } from "../../src/build/artifact.ts";
import { loadArtifact } from "../../src/build/load.ts";
import { concat } from "../../src/core/bytes.ts";
import { formatTrace } from "../../src/core/trace-text.ts";
import { phaseTotals } from "../../src/core/trace.ts";
import { traceOf, type Report } from "../../src/engine/report.ts";
import { Random } from "../../src/sim/random.ts";
import { armElf, bytesIn, CortexRig, speaker, type CortexServer } from "./cortex-rig.ts";
import { pseudoFirmware } from "./rig.ts";

const servers: readonly CortexServer[] = ["openocd", "pyocd", "st-util", "black-magic", "plain"];
const boards = ["stm32f4", "nrf51", "rp2040", "stm32f767"] as const;
type BoardName = (typeof boards)[number];

/** `npm test` runs the whole campaign, `npm run check` a part of it. */
/** `npm run check` has less time than `npm test`, and that less than a soak. */
const campaign = process.env["DELTAFLASH_CAMPAIGN"];
const isFull = campaign === "soak";
const usualSteps = campaign === undefined ? 4 : 14;

/** 70,001 bytes that begin with a program which speaks, and so end inside a sector. */
function firmware(board: BoardName, start: number): Uint8Array {
  const data = pseudoFirmware(70_001, 3);
  data.set(speaker(board, start, "meter runs"));
  return data;
}

function edited(data: Uint8Array, ...places: readonly number[]): Uint8Array {
  const fresh = data.slice();
  for (const at of places) fresh[at] = (fresh[at] ?? 0) ^ 0x3c;
  return fresh;
}

/** Something is put in, and all behind it moves. */
function inserted(data: Uint8Array, at: number, bytes = pseudoFirmware(36, 8)): Uint8Array {
  return concat([data.subarray(0, at), bytes, data.subarray(at)]);
}

/** One flash in one line. */
function line(report: Report): string {
  const { written, wire } = report;
  const phases = phaseTotals(traceOf(report)).map(({ phase, durationMs }) => `${phase} ${durationMs.toFixed(0)}`);
  const erased = `${written.sectors} sectors, ${written.erasedBytes / 1024} KiB`;
  const sent = `${(wire.sentBytes / 1024).toFixed(1)} KiB sent in ${wire.roundTrips} round trips`;
  return `${report.result} in ${report.totalMs.toFixed(0)} ms: ${phases.join(", ")}; ${erased}, ${sent}`;
}

/** A first flash, the same again, an edit in one place, an edit that shifts. */
async function fourFlashes(board: BoardName, server: CortexServer): Promise<readonly Report[]> {
  const rig = new CortexRig({ board, server });
  const before = rig.board.flash.slice();
  const first = firmware(board, rig.start);
  const second = edited(first, 0x6123);
  const reports: Report[] = [];
  for (const data of [first, first, second, inserted(second, 0x2800)]) {
    rig.again();
    const artifact = bytesIn([rig.start, data]);
    const report = await rig.flash(artifact);
    expect(report.error).toBeNull();
    rig.expectFlash(rig.shouldHold(before, artifact), `${board} ${server}`);
    expect(rig.board.counters().violations).toEqual({});
    rig.says();
    if (board !== "rp2040") expect(rig.board.bootLog.endsWith("meter runs\n")).toBe(true);
    expect(rig.board.running).toBe("running");
    reports.push(report);
  }
  return reports;
}

describe("new, unchanged, edited in one place, shifted", () => {
  /** All boards' lines; the whole of it is one sentence about how fast which board is. */
  const lines = async (server: CortexServer) => {
    const found: string[] = [];
    for (const board of boards)
      for (const report of await fourFlashes(board, server)) found.push(`${board} ${line(report)}`);
    return found.join("\n");
  };

  test("behind OpenOCD", async () => {
    expect(await lines("openocd")).toMatchInlineSnapshot(`
      "stm32f4 flashed in 2245 ms: connect 56, survey 156, write 1968, verify 37, reset 28; 5 sectors, 128 KiB, 79.2 KiB sent in 248 round trips
      stm32f4 unchanged in 103 ms: connect 47, survey 28, reset 28; 0 sectors, 0 KiB, 2.4 KiB sent in 18 round trips
      stm32f4 flashed in 483 ms: connect 47, survey 24, write 362, verify 21, reset 28; 1 sectors, 16 KiB, 20.0 KiB sent in 61 round trips
      stm32f4 flashed in 2208 ms: connect 47, survey 128, write 1968, verify 37, reset 28; 5 sectors, 128 KiB, 78.8 KiB sent in 234 round trips
      nrf51 flashed in 2608 ms: connect 57, survey 35, write 2454, verify 33, reset 28; 69 sectors, 69 KiB, 82.7 KiB sent in 263 round trips
      nrf51 unchanged in 106 ms: connect 50, survey 28, reset 28; 0 sectors, 0 KiB, 2.1 KiB sent in 18 round trips
      nrf51 flashed in 179 ms: connect 50, survey 28, write 55, verify 17, reset 28; 1 sectors, 1 KiB, 4.0 KiB sent in 35 round trips
      nrf51 flashed in 2248 ms: connect 50, survey 35, write 2102, verify 32, reset 28; 59 sectors, 59 KiB, 70.9 KiB sent in 223 round trips
      rp2040 flashed in 1209 ms: connect 50, survey 60, write 1025, verify 46, reset 28; 18 sectors, 72 KiB, 75.7 KiB sent in 109 round trips
      rp2040 unchanged in 119 ms: connect 45, survey 45, reset 28; 0 sectors, 0 KiB, 2.5 KiB sent in 22 round trips
      rp2040 flashed in 260 ms: connect 45, survey 41, write 128, verify 17, reset 28; 1 sectors, 4 KiB, 7.5 KiB sent in 40 round trips
      rp2040 flashed in 1384 ms: connect 45, survey 53, write 1212, verify 46, reset 28; 18 sectors, 72 KiB, 7.5 KiB sent in 126 round trips
      stm32f767 flashed in 1383 ms: connect 56, survey 95, write 1172, verify 32, reset 28; 3 sectors, 96 KiB, 76.9 KiB sent in 157 round trips
      stm32f767 unchanged in 106 ms: connect 49, survey 28, reset 28; 0 sectors, 0 KiB, 2.6 KiB sent in 18 round trips
      stm32f767 flashed in 574 ms: connect 49, survey 21, write 455, verify 21, reset 28; 1 sectors, 32 KiB, 36.5 KiB sent in 65 round trips
      stm32f767 flashed in 1348 ms: connect 49, survey 66, write 1172, verify 32, reset 28; 3 sectors, 96 KiB, 76.4 KiB sent in 143 round trips"
    `);
  });

  test("behind a plain server", async () => {
    expect(await lines("plain")).toMatchInlineSnapshot(`
      "stm32f4 flashed in 2212 ms: connect 27, survey 127, write 1993, verify 23, reset 41; 5 sectors, 128 KiB, 73.5 KiB sent in 65 round trips
      stm32f4 unchanged in 80 ms: connect 26, survey 14, reset 41; 0 sectors, 0 KiB, 2.3 KiB sent in 26 round trips
      stm32f4 flashed in 447 ms: connect 26, survey 11, write 364, verify 5, reset 41; 1 sectors, 16 KiB, 5.2 KiB sent in 39 round trips
      stm32f4 flashed in 2234 ms: connect 26, survey 113, write 2030, verify 23, reset 41; 5 sectors, 128 KiB, 10.4 KiB sent in 40 round trips
      nrf51 flashed in 2576 ms: connect 27, survey 8, write 2484, verify 15, reset 41; 69 sectors, 69 KiB, 76.7 KiB sent in 95 round trips
      nrf51 unchanged in 81 ms: connect 26, survey 14, reset 41; 0 sectors, 0 KiB, 2.0 KiB sent in 28 round trips
      nrf51 flashed in 123 ms: connect 26, survey 14, write 39, verify 3, reset 41; 1 sectors, 1 KiB, 3.5 KiB sent in 40 round trips
      nrf51 flashed in 2212 ms: connect 26, survey 8, write 2123, verify 13, reset 41; 59 sectors, 59 KiB, 65.9 KiB sent in 84 round trips
      rp2040 flashed in 1151 ms: connect 26, survey 33, write 1019, verify 31, reset 41; 18 sectors, 72 KiB, 73.5 KiB sent in 62 round trips
      rp2040 unchanged in 96 ms: connect 25, survey 30, reset 41; 0 sectors, 0 KiB, 2.4 KiB sent in 25 round trips
      rp2040 flashed in 204 ms: connect 25, survey 28, write 105, verify 4, reset 41; 1 sectors, 4 KiB, 5.2 KiB sent in 38 round trips
      rp2040 flashed in 1309 ms: connect 25, survey 24, write 1187, verify 31, reset 41; 18 sectors, 72 KiB, 5.5 KiB sent in 44 round trips
      stm32f767 flashed in 1340 ms: connect 27, survey 68, write 1186, verify 18, reset 41; 3 sectors, 96 KiB, 73.6 KiB sent in 65 round trips
      stm32f767 unchanged in 81 ms: connect 26, survey 14, reset 41; 0 sectors, 0 KiB, 2.5 KiB sent in 27 round trips
      stm32f767 flashed in 556 ms: connect 26, survey 9, write 472, verify 8, reset 41; 1 sectors, 32 KiB, 5.3 KiB sent in 40 round trips
      stm32f767 flashed in 1410 ms: connect 26, survey 54, write 1271, verify 18, reset 41; 3 sectors, 96 KiB, 5.4 KiB sent in 40 round trips"
    `);
  });

  test.each(boards)("%s behind pyOCD, st-util and Black Magic ends with the same contents", async (board) => {
    for (const server of ["pyocd", "st-util", "black-magic"] as const) await fourFlashes(board, server);
  });

  test("where the time goes on an STM32F4 behind OpenOCD", async () => {
    const [first, , edit] = await fourFlashes("stm32f4", "openocd");
    if (first === undefined || edit === undefined) throw new Error("no reports");
    expect(formatTrace(traceOf(first))).toMatchInlineSnapshot(`
      "connect  GDB server                         4.9 ms  #
      connect  reset + halt                      26.2 ms  #
      connect  chip                              17.3 ms  #
      connect  loader upload                      7.4 ms  #                                           1.6 KiB  220.2 KiB/s
      survey   look at 5 sectors                 28.4 ms  ##
      survey   what stands beside the image     127.7 ms   ###
      write    streamed                        1968.4 ms     ####################################   128.0 KiB   65.0 KiB/s
      verify   digests                           36.6 ms                                        #   128.0 KiB   3.42 MiB/s
      reset    start the program                 28.4 ms                                         #
      total                                    2245.3 ms
      round trips: connect 16 · survey 29 · write 192 · verify 9 · reset 2"
    `);
    expect(formatTrace(traceOf(edit))).toMatchInlineSnapshot(`
      "connect  GDB server              4.9 ms  #
      connect  reset + halt           26.2 ms  ###
      connect  chip                    8.4 ms    #
      connect  loader upload           7.4 ms     #                                        1.6 KiB  220.2 KiB/s
      survey   confirm 4 sectors      24.5 ms     ###
      write    streamed              362.1 ms       ###############################       16.0 KiB   44.2 KiB/s
      verify   digests                20.9 ms                                     ###     16.0 KiB  764.6 KiB/s
      reset    start the program      28.4 ms                                       ###
      total                          482.9 ms
      round trips: connect 9 · survey 6 · write 39 · verify 5 · reset 2"
    `);
  });

  test("where the time goes on an nRF51 behind a plain server", async () => {
    const [first, same, edit] = await fourFlashes("nrf51", "plain");
    if (first === undefined || same === undefined || edit === undefined) throw new Error("no reports");
    expect(formatTrace(traceOf(first))).toMatchInlineSnapshot(`
      "connect  GDB server                         1.9 ms  #
      connect  reset + halt                      20.8 ms  #
      connect  chip                               3.2 ms  #
      connect  loader upload                      1.4 ms  #                                           1.3 KiB  956.7 KiB/s
      survey   look at 69 sectors                 4.2 ms  #
      survey   what stands beside the image       3.9 ms  #
      write    in batches                      2484.1 ms  #######################################    69.0 KiB   27.8 KiB/s
      verify   digests                           15.1 ms                                         #   69.0 KiB   4.48 MiB/s
      reset    start the program                 41.1 ms                                         #
      total                                    2575.6 ms
      round trips: connect 22 · survey 12 · write 51 · verify 7 · reset 3"
    `);
    expect(formatTrace(traceOf(same))).toMatchInlineSnapshot(`
      "connect  GDB server               1.9 ms  #
      connect  reset + halt            20.8 ms  ###########
      connect  chip                     2.1 ms             #
      connect  loader upload            1.4 ms              #                               1.3 KiB  956.7 KiB/s
      survey   confirm 69 sectors      13.7 ms              ########
      reset    start the program       41.1 ms                     #####################
      total                            80.9 ms
      round trips: connect 19 · survey 6 · reset 3"
    `);
    expect(formatTrace(traceOf(edit))).toMatchInlineSnapshot(`
      "connect  GDB server               1.9 ms  #
      connect  reset + halt            20.8 ms  #######
      connect  chip                     2.1 ms         #
      connect  loader upload            1.4 ms          #                                   1.3 KiB  956.7 KiB/s
      survey   confirm 68 sectors      13.7 ms          #####
      write    in batches              38.7 ms              ##############                  1.0 KiB   25.9 KiB/s
      verify   digests                  2.9 ms                           ##                 1.0 KiB  341.5 KiB/s
      reset    start the program       41.1 ms                            ##############
      total                           122.5 ms
      round trips: connect 19 · survey 6 · write 6 · verify 6 · reset 3"
    `);
  });
});

test("the report tells sectors, bytes and round trips as they were", async () => {
  const rig = new CortexRig({ board: "nrf51", server: "openocd" });
  const data = firmware("nrf51", 0);
  await rig.flash(bytesIn([0, data]));
  rig.again();
  const report = await rig.flash(bytesIn([0, edited(data, 0x2123, 0x6123)]));
  expect(report).toMatchObject({
    ...{ version: 1, chip: "nrf51822", identity: "5117a0010d5b77e3", result: "flashed", notes: [] },
    image: { bytes: 70_001, sectors: 69 },
    written: { bytes: 2048, sectors: 2, erasedBytes: 2048 },
  });
  expect([...rig.board.wear].reduce((sum, one) => sum + one, 0)).toBe(2);
  expect(rig.board.wear[8]).toBe(1);
  expect(rig.board.wear[24]).toBe(1);
  const inSpans = report.spans.reduce((sum, span) => sum + (span.roundTrips ?? 0), 0);
  expect(inSpans).toBe(report.wire.roundTrips);
  expect(report.spans.reduce((sum, span) => sum + span.durationMs, 0)).toBeCloseTo(report.totalMs, 6);
});

describe("what stands beside the image stays", () => {
  test.each(boards)("tiny images anywhere in the sectors of an %s full of other bytes", async (board) => {
    const rig = new CortexRig({ board, server: "openocd" });
    rig.board.flash.set(pseudoFirmware(0x24000, 7));
    rig.board.flash.set(speaker(board, rig.start, "old"));
    for (const [round, [at, size]] of [
      [0x1801, 1],
      [0x1fff, 2],
      [0x2003, 5],
      [0x3ffe, 4],
      [0x23ffd, 6],
    ].entries()) {
      rig.again({ server: servers[round] ?? "plain" });
      const before = rig.board.flash.slice();
      const artifact = bytesIn([rig.start + (at ?? 0), pseudoFirmware(size ?? 0, 50 + round)]);
      const report = await rig.flash(artifact);
      expect(report).toMatchObject({ error: null, result: "flashed", image: { bytes: size } });
      rig.expectFlash(rig.shouldHold(before, artifact), `${size} bytes at ${at}`);
    }
  });

  test.each(boards)("several segments with gaps in and between sectors of an %s", async (board) => {
    const rig = new CortexRig({ board, server: "plain" });
    rig.board.flash.set(pseudoFirmware(0x20000, 11));
    const before = rig.board.flash.slice();
    const artifact = bytesIn(
      [rig.start, speaker(board, rig.start, "parts")],
      [rig.start + 0x403, pseudoFirmware(7, 1)],
      [rig.start + 0x40b, pseudoFirmware(0x1000, 2)],
      [rig.start + 0x14001, pseudoFirmware(0x4ffd, 3)],
      [rig.start + 0x1f000, pseudoFirmware(1, 4)],
    );
    expect((await rig.flash(artifact)).error).toBeNull();
    rig.expectFlash(rig.shouldHold(before, artifact));
    rig.again();
    expect(await rig.flash(artifact)).toMatchObject({ result: "unchanged", written: { sectors: 0 } });
    expect(rig.board.counters().erases).toEqual({});
  });

  test("up to the very last byte of the flash, from the first", async () => {
    for (const board of boards) {
      const rig = new CortexRig({ board, server: "openocd" });
      const end = rig.board.flash.length;
      const artifact = bytesIn([rig.start, pseudoFirmware(3, 1)], [rig.start + end - 3, pseudoFirmware(3, 2)]);
      const before = rig.board.flash.slice();
      expect((await rig.flash(artifact)).error).toBeNull();
      rig.expectFlash(rig.shouldHold(before, artifact), board);
    }
  });
});

/** A walk over all ordered pairs of `count` things that uses each pair once: every step goes from one to another. */
function allPairs(count: number, random: Random): readonly number[] {
  const open = Array.from({ length: count }, (_, from) =>
    Array.from({ length: count }, (_, to) => to)
      .filter((to) => to !== from)
      .map((to) => ({ to, order: random.u32() }))
      .sort((a, b) => a.order - b.order)
      .map(({ to }) => to),
  );
  const walk: number[] = [];
  const stack = [0];
  for (let here = stack.at(-1); here !== undefined; here = stack.at(-1)) {
    const next = open[here]?.pop();
    if (next === undefined) walk.push(stack.pop() ?? 0);
    else stack.push(next);
  }
  return walk.reverse();
}

const variants = [
  "base",
  "const",
  "string",
  "early",
  "late",
  "newfunc",
  "struct",
  "static",
  "removed",
  "rebuild",
  "version",
];

describe("chains of builds of the same program", () => {
  test.each([
    ["stm32", "stm32f4", 3],
    ["stm32", "stm32f767", 2],
    ["nrf51", "nrf51", 4],
  ] as const)(
    "%s on one %s, each on top of the other",
    async (target, board, seed) => {
      const folder = join(process.cwd(), "..", "shared", "corpus", "meter", "elf", target);
      const builds = await Promise.all(variants.map((name) => loadArtifact([join(folder, `${name}.elf.gz`)])));
      const random = new Random(seed);
      const rig = new CortexRig({ board, server: "plain" });
      rig.board.flash.set(pseudoFirmware(0x400, 2), 0x22c00); // behind the image, inside its last sector or not
      const walk = allPairs(builds.length, random);
      expect(new Set(walk.map((to, at) => `${walk[at - 1] ?? ""} ${to}`)).size).toBe(111);
      const steps = isFull ? walk : walk.slice(0, usualSteps);
      let beside: Uint8Array = rig.board.flash.slice();
      for (const [step, number] of steps.entries()) {
        const build = builds[number] as Artifact;
        rig.again({ server: servers[random.u32() % servers.length] ?? "plain", seed: step });
        const report = await rig.flash(build);
        const name = `step ${step} to ${variants[number] ?? ""}`;
        expect(report.error, name).toBeNull();
        // What an earlier, longer build wrote stays behind a shorter one.
        beside = rig.shouldHold(beside, build);
        rig.expectFlash(beside, name);
      }
    },
    300_000,
  );
});

describe("whatever was there before, and whatever the record says", () => {
  const seeds = Array.from({ length: isFull ? 60 : 8 }, (_, index) => index + 1);
  test.each(seeds)("random images, edits, strangers' writes and servers, seed %i", async (seed) => {
    const random = new Random(seed * 7919);
    const below = (count: number) => Math.floor(random.unit() * count);
    const board = boards[seed % boards.length] ?? "nrf51";
    const rig = new CortexRig({ board, seed });
    const span = { stm32f4: 0x30000, nrf51: 0x6000, rp2040: 0x24000, stm32f767: 0x28000 }[board];
    const noise = pseudoFirmware(span, seed);
    for (let at = 0; at < span; at += 0x800)
      if (random.unit() < 0.6) rig.board.flash.set(noise.subarray(at, at + 0x800), at);
    let main = pseudoFirmware(1 + below(span / 2), seed);
    let extra: Uint8Array | undefined;
    for (let round = 0; round < 5; round++) {
      const at = below(main.length);
      const change = below(6);
      if (change === 0) main = edited(main, at);
      else if (change === 1) main = inserted(main, at, pseudoFirmware(1 + below(64), round));
      else if (change === 2) main = main.subarray(0, 1 + at);
      else if (change === 3) main = concat([main.subarray(at), main.subarray(0, at)]);
      else if (change === 4) extra = extra === undefined ? pseudoFirmware(1 + below(5000), round) : undefined;
      main = main.subarray(0, (span * 3) / 4 - 8192);
      if (random.unit() < 0.5) rig.board.flash.set(pseudoFirmware(1 + below(3000), round), below(span));
      rig.again({ server: servers[below(servers.length)] ?? "plain", seed: below(9999) });
      const before = rig.board.flash.slice();
      const parts: (readonly [number, Uint8Array])[] = [[rig.start + 0x400, main]];
      if (extra !== undefined) parts.push([rig.start + (span * 3) / 4, extra]);
      const artifact = bytesIn(...parts);
      const report = await rig.flash(artifact, { full: below(8) === 0 });
      expect(report.error, `${board} round ${round}`).toBeNull();
      rig.expectFlash(rig.shouldHold(before, artifact), `${board} round ${round}`);
    }
  });

  test("somebody else's write in any sector is found and repaired, and told of", async () => {
    const rig = new CortexRig({ board: "nrf51", server: "plain" });
    const data = firmware("nrf51", 0).subarray(0, 0x2801);
    const artifact = bytesIn([0, data]);
    await rig.flash(artifact);
    const wanted = rig.board.flash.slice();
    for (let sector = 0; sector < 10; sector++) {
      const at = sector * 0x400 + ((sector * 77) % 0x400);
      rig.board.flash[at] = (rig.board.flash[at] ?? 0) ^ 0x10;
      rig.again();
      const report = await rig.flash(artifact);
      expect(report).toMatchObject({ result: "flashed", written: { sectors: 1 } });
      expect(report.notes).toContain(
        "Something else has written to this board since the last flash; what differs is written again.",
      );
      rig.expectFlash(wanted, `sector ${sector}`);
    }
  });

  test("another board on the same port is recognised, whatever was learned about the first", async () => {
    const rig = new CortexRig({ board: "nrf51", server: "openocd" });
    await rig.flash(bytesIn([0, pseudoFirmware(3000, 1)]));
    rig.replaceBy({ board: "stm32f4", server: "plain" });
    const before = rig.board.flash.slice();
    const artifact = bytesIn([rig.start, firmware("stm32f4", rig.start)]);
    expect(await rig.flash(artifact)).toMatchObject({ result: "flashed", chip: "stm32f405" });
    rig.expectFlash(rig.shouldHold(before, artifact));
  });

  test("--full writes every sector, once", async () => {
    const rig = new CortexRig({ board: "nrf51", server: "openocd" });
    const artifact = bytesIn([0, firmware("nrf51", 0)]);
    const before = rig.board.flash.slice();
    await rig.flash(artifact);
    rig.again();
    expect(await rig.flash(artifact, { full: true })).toMatchObject({ result: "flashed", written: { sectors: 69 } });
    rig.expectFlash(rig.shouldHold(before, artifact));
    expect([...rig.board.wear.subarray(0, 70)]).toEqual([...Array<number>(69).fill(1), 0]);
  });

  test.each(servers)("a dry run changes nothing, and lets the program go on, through %s", async (server) => {
    const rig = new CortexRig({ board: "stm32f4", server });
    rig.board.flash.set(speaker("stm32f4", rig.start, "old"));
    rig.again();
    const before = rig.board.flash.slice();
    const report = await rig.flash(bytesIn([rig.start, firmware("stm32f4", rig.start)]), { dryRun: true });
    expect(report).toMatchObject({ result: "planned", error: null, written: { sectors: 5, bytes: 0x20000 } });
    expect(report.estimateMs).toBeGreaterThan(1_000);
    rig.expectFlash(before);
    rig.says();
    expect(rig.board.bootLog).toBe("old\nold\n");
    expect(rig.board.counters().erases).toEqual({});
  });
});

describe("a program that is linked for RAM", () => {
  const ramElf = (board: BoardName) =>
    armElf([{ name: ".text", address: 0x2000_0000, data: speaker(board, 0x2000_0000, "from RAM"), flags: 6 }]);

  test.each(servers)("is loaded and speaks, the flash is not touched, through %s", async (server) => {
    for (const board of boards) {
      const rig = new CortexRig({ board, server });
      rig.board.flash.set(pseudoFirmware(0x3000, 3));
      rig.again();
      const before = rig.board.flash.slice();
      const report = await rig.flash(ramElf(board), { ram: true });
      expect(report).toMatchObject({ result: "loaded", error: null, written: { bytes: 0 } });
      expect(report.notes.join(" ")).toMatch(/run from RAM, vector table at 0x20000000/);
      expect(report.spans.some(({ phase }) => phase === "load")).toBe(true);
      rig.says();
      expect(rig.board.bootLog.endsWith("from RAM\n"), `${board}: ${rig.board.bootLog}`).toBe(true);
      rig.expectFlash(before, board);
      expect(rig.board.running).toBe("running");
    }
  });

  test("is refused when sections belong into the flash, which are named, and the old program goes on", async () => {
    const rig = new CortexRig({ board: "stm32f4", server: "openocd" });
    rig.board.flash.set(speaker("stm32f4", rig.start, "old"));
    rig.again();
    const data = speaker("stm32f4", 0x2000_0000, "from RAM");
    const mixed = armElf([
      { name: ".isr_vector", address: 0x0800_0000, data, flags: 6 },
      { name: ".text", address: 0x2000_0000, data, flags: 6 },
    ]);
    const report = await rig.flash(mixed, { ram: true });
    expect(report.error).toMatchObject({
      code: "refused",
      message: expect.stringMatching(
        /^program\.elf is no RAM program: \.isr_vector at 0x8000000 is outside the RAM/,
      ) as string,
      remedy: "Flash it without --ram, or link it for RAM alone.",
    });
    rig.says();
    expect(rig.board.bootLog).toBe("old\nold\n");
  });
});
