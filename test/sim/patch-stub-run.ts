/** Carries out one scenario of the fault campaign: a flash in which things go wrong, and the next one, in which nothing does. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Artifact } from "../../src/build/artifact.ts";
import { FlashError } from "../../src/core/errors.ts";
import { makeImage } from "../../src/core/image.ts";
import { espFamily } from "../../src/engine/esp-family.ts";
import { runJob } from "../../src/engine/job.ts";
import { History } from "../../src/engine/history.ts";
import type { Report } from "../../src/engine/report.ts";
import { makeSimBoard, simBoards } from "../../src/sim/boards.ts";
import { SimTransport } from "../../src/sim/sim-transport.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";
import { flashBytes, type Scenario } from "./patch-stub-scenario.ts";

const sectorBytes = 0x1000;
const port = "sim";
/** Longer than any single deadline, and far shorter than for ever. Virtual time. */
const longestFlashMs = 60_000;

export interface Outcome {
  /** What the first flash reported: `flashed`, `timeout` … */
  readonly result: string;
  readonly totalMs: number;
  /** What was not as it must be; empty when all was. */
  readonly wrong: readonly string[];
  readonly log: readonly string[];
}

const usualOptions = {
  ...{ chip: undefined, identity: undefined, appOffset: undefined, flashBytes: undefined },
  ...{ full: false, ram: false, dryRun: false, reset: true, useStub: true },
};

function artifactOf({ address, next }: Scenario): Artifact {
  const image = makeImage([{ address, data: next, name: "data.bin" }]);
  return { kind: "image", system: "files", addresses: "flash-offset", image, files: [] };
}

type Board = ReturnType<typeof makeSimBoard>;

class Run {
  readonly scenario: Scenario;
  readonly history: History;
  readonly wrong: string[] = [];
  readonly log: string[] = [];
  board: Board;
  clock = new VirtualClock();

  constructor(scenario: Scenario, folder: string) {
    this.scenario = scenario;
    this.history = new History(folder);
    const flash = background.slice();
    flash.set(scenario.old, scenario.address);
    this.board = this.#makeBoard(flash, "");
  }

  get identity(): string {
    return simBoards.find(({ id }) => id === this.scenario.board)?.mac ?? "";
  }

  /** The same flash on a board that was powered up anew. */
  powerUp(faults: string): void {
    this.board = this.#makeBoard(this.board.flash, faults);
    this.clock = new VirtualClock();
  }

  #makeBoard(flash: Uint8Array, faults: string): Board {
    const { board, seed, link, cpuTimeFactor } = this.scenario;
    return makeSimBoard({ board, seed, link, cpuTimeFactor, flash, faults, eraseVariation: 0.2 });
  }

  /** What the record knows: all sectors of the old image, with what stands beside it. */
  async remember(): Promise<void> {
    const { address, old, board } = this.scenario;
    const record = await this.history.board(this.identity, board);
    const sectors = sectorsOf(address, old.length).map((at) => ({
      address: at,
      data: this.board.flash.slice(at, at + sectorBytes),
    }));
    await record.enter(sectors, { port });
  }

  async flash(hasTrouble: boolean): Promise<Report> {
    const { scenario, clock } = this;
    const end = new AbortController();
    const usb = { vendorId: 0x303a, productId: 0x1001 };
    const options = { name: port, ...(scenario.link === "usb" ? { usb } : {}) };
    return runJob({
      family: espFamily,
      ...{ clock, port, history: this.history, signal: end.signal },
      artifact: artifactOf(scenario),
      open: () =>
        Promise.resolve(
          hasTrouble
            ? new TroubledTransport(this.board, clock, options, { scenario, end })
            : new SimTransport(this.board, clock, options),
        ),
      observer: { phase: () => undefined, progress: () => undefined, log: (line) => void this.log.push(line) },
      options: { ...usualOptions, baud: scenario.baud },
    });
  }

  check(isRight: boolean, what: string): void {
    if (!isRight) this.wrong.push(what);
  }

  /** Whether the flash holds the image, and otherwise what it held. */
  checkContents(before: Uint8Array, which: string): void {
    const { address, next } = this.scenario;
    const expected = before.slice();
    expected.set(next, address);
    const at = Buffer.compare(expected, this.board.flash) === 0 ? -1 : firstDifference(expected, this.board.flash);
    this.check(at < 0, `${which} reported success with wrong contents at 0x${at.toString(16)}`);
  }

  /** Nothing outside the sectors of the image may ever change. */
  checkNeighbours(before: Uint8Array, which: string): void {
    const { address, next } = this.scenario;
    const [from, to] = [down(address), down(address + next.length + sectorBytes - 1)];
    const { flash } = this.board;
    const same = (a: number, b: number) => Buffer.compare(before.subarray(a, b), flash.subarray(a, b)) === 0;
    this.check(same(0, from) && same(to, flashBytes), `${which} changed something beside the image`);
  }

  /** What the record says after a success is what the board holds. */
  async checkRecord(which: string): Promise<void> {
    const { address, next, board } = this.scenario;
    const record = await this.history.board(this.identity, board);
    this.check(record.interrupted.length === 0, `${which}: the record speaks of an interrupted flash`);
    for (const at of sectorsOf(address, next.length)) {
      const known = record.known({ address: at, size: sectorBytes });
      const isRight =
        known === undefined || Buffer.compare(known, this.board.flash.subarray(at, at + sectorBytes)) === 0;
      this.check(isRight, `${which}: the record is wrong about 0x${at.toString(16)}`);
    }
  }
}

/** @returns what became of it; never throws */
export async function runScenario(scenario: Scenario): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "deltaflash-campaign-"));
  try {
    return await runIn(scenario, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runIn(scenario: Scenario, folder: string): Promise<Outcome> {
  const run = new Run(scenario, folder);
  if (scenario.isRecorded) await run.remember();
  for (const { address, byte } of scenario.altered) run.board.flash[address] = byte;
  const before = run.board.flash.slice();
  run.powerUp(scenario.faults);
  const first = await run.flash(true);
  const limitMs = longestFlashMs + (scenario.stall?.ms ?? 0);
  run.check(first.totalMs < limitMs, `the flash took ${Math.round(first.totalMs)} ms`);
  run.checkNeighbours(before, "the flash");
  if (first.error === null) {
    run.checkContents(before, "the flash");
    // What a ROM says has no check sum: a changed byte may make another board of it.
    if (first.identity === run.identity) await run.checkRecord("the flash");
  } else {
    run.check(!first.error.message.includes("internal error"), first.error.message);
    run.check(first.error.remedy !== "", "an error without remedy");
  }
  const { flash } = run.board;
  const isWhole = first.error === null || Buffer.compare(before, flash) === 0;
  if (scenario.isPowerCycled) run.powerUp("");
  else run.clock.advanceTo(run.clock.nowMs() + (scenario.seed % 40) * 50);
  // Erased with the sector, what stood beside the image cannot be had again.
  const then = isWhole ? before : flash.slice();
  const second = await run.flash(false);
  run.check(second.error === null, `the next flash failed: ${second.error?.message ?? ""}`);
  run.checkNeighbours(before, "the next flash");
  if (second.error === null) {
    const isStill = scenario.isPowerCycled || first.error === null;
    run.checkContents(isStill ? then : overlaid(run.board.flash, scenario), "the next flash");
    await run.checkRecord("the next flash");
  }
  return {
    result: first.error?.code ?? resultOf(first, run.log),
    totalMs: first.totalMs,
    wrong: run.wrong,
    log: run.log,
  };
}
/** The flash with the image where it belongs: what the stub was still at when the host died may have changed the rest of its sectors. */
function overlaid(flash: Uint8Array, { address, next }: Scenario): Uint8Array {
  const copy = flash.slice();
  copy.set(next, address);
  return copy;
}

function resultOf({ result }: Report, log: readonly string[]): string {
  if (log.some((line) => line.includes("Espressif's stub is used instead"))) return `${result} by Espressif's stub`;
  if (log.some((line) => line.includes("it is sent whole"))) return `${result}, some sent whole`;
  return result;
}

/** What stands in the flash beside the image: never blank, never the same twice. */
const background = Uint8Array.from({ length: flashBytes }, (_, at) => (Math.imul(at + 1, 2_654_435_761) >>> 13) & 0xff);

function down(address: number): number {
  return address - (address % sectorBytes);
}

function sectorsOf(address: number, bytes: number): readonly number[] {
  const from = down(address);
  return Array.from(
    { length: Math.ceil((address + bytes - from) / sectorBytes) },
    (_, index) => from + index * sectorBytes,
  );
}

function firstDifference(a: Uint8Array, b: Uint8Array): number {
  return a.findIndex((byte, at) => byte !== b[at]);
}

interface Trouble {
  readonly scenario: Scenario;
  readonly end: AbortController;
}

/** A host that pauses, is cancelled, or dies when it has sent so many bytes. */
class TroubledTransport extends SimTransport {
  readonly #clock: VirtualClock;
  readonly #trouble: Trouble;
  #hasStalled = false;

  constructor(
    board: Board,
    clock: VirtualClock,
    options: ConstructorParameters<typeof SimTransport>[2],
    trouble: Trouble,
  ) {
    super(board, clock, options);
    this.#clock = clock;
    this.#trouble = trouble;
  }

  override async write(bytes: Uint8Array): Promise<void> {
    const { stall } = this.#trouble.scenario;
    this.#checkAlive();
    if (stall !== undefined && !this.#hasStalled && this.counters.sentBytes + bytes.length > stall.atByte) {
      this.#hasStalled = true;
      this.#clock.advanceTo(this.#clock.nowMs() + stall.ms);
    }
    await super.write(bytes);
  }

  override async read(timeoutMs: number): Promise<Uint8Array> {
    this.#checkAlive();
    return super.read(timeoutMs);
  }

  override async setSignals(lines: Parameters<SimTransport["setSignals"]>[0]): Promise<void> {
    this.#checkAlive();
    await super.setSignals(lines);
  }

  #checkAlive(): void {
    const { scenario, end } = this.#trouble;
    if (scenario.death === undefined || this.counters.sentBytes < scenario.death.atByte) return;
    if (scenario.death.how === "gone") throw new FlashError("disconnected", "the host has died");
    end.abort();
  }
}
