/**
 * What others do, on the same simulated chip through the same probe: a flash algorithm in RAM is called once per erase unit and
 * once per page, each call by register writes, a resume, and looks whether it has ended. For comparison in benchmarks only; no
 * machine code runs, the flash memory's times and the probe's are the same.
 */
import type { CortexBoard } from "./cortex-board.ts";
import type { FlashDevice } from "./flash-device.ts";
import type { Probe, Work } from "./probe.ts";

export interface BaselineOptions {
  /** Everything, or the units that the image touches. */
  readonly erase: "chip" | "units";
  /** Bytes per call of the program function. */
  readonly pageBytes: number;
  /** Two buffers: the next page travels while this one is programmed. */
  readonly isDoubleBuffered: boolean;
  /** Register writes, start, and the result register: round trips of one call, without the looks. */
  readonly callRoundTrips: number;
  /** Between two looks, ms. */
  readonly pollMs: number;
  /** Finding and opening the probe. */
  readonly connectMs: number;
  readonly disconnectMs: number;
}

/**
 * pyOCD with its defaults, and with options set by somebody who looked: 0.8 s to find the probe and 5 s to let go of it were seen in
 * the field with an STM32F767 and an ST-Link.
 */
export const baselines: Readonly<Record<"default" | "tuned", BaselineOptions>> = {
  default: {
    erase: "chip",
    pageBytes: 1024,
    isDoubleBuffered: true,
    callRoundTrips: 8,
    pollMs: 1,
    connectMs: 800,
    disconnectMs: 5_000,
  },
  tuned: {
    erase: "units",
    pageBytes: 1024,
    isDoubleBuffered: true,
    callRoundTrips: 8,
    pollMs: 1,
    connectMs: 800,
    disconnectMs: 0,
  },
};

export interface BaselineResult {
  readonly totalMs: number;
  readonly eraseMs: number;
  readonly programMs: number;
  /** Calls into the algorithm: a halt each. */
  readonly calls: number;
  readonly probeRoundTrips: number;
}

export interface BaselineSegment {
  /** In the target's memory map; a multiple of the page size. */
  readonly address: number;
  readonly data: Uint8Array;
}

/** Work that the algorithm does on the chip without the host. */
interface Job {
  readonly ops: ((nowMs: number) => boolean)[];
}

/** Flashes the segments into the board, moving the board's time, which nobody else may move meanwhile. */
export function flashPageByPage(
  board: CortexBoard,
  segments: readonly BaselineSegment[],
  options: BaselineOptions,
): BaselineResult {
  const { probe, machine, advance } = board.bench;
  const runner = new Runner(probe, machine.flash, options);
  const startMs = probe.nowMs;
  const trips = probe.roundTrips;
  const offsetOf = (address: number) => address - machine.chip.flash.start;
  const marks = { erasedMs: 0 };
  function* all(): Work<void> {
    yield options.connectMs;
    yield* probe.reset("halt", 0);
    const beginMs = probe.nowMs;
    if (options.erase === "chip") yield* runner.eraseChip();
    else for (const unit of unitsUnder(board, segments)) yield* runner.erase(unit.start, unit.bytes);
    marks.erasedMs = probe.nowMs - beginMs;
    for (const { address, data } of segments) yield* runner.program(offsetOf(address), data);
    yield* runner.finish();
    machine.showFlash();
    yield options.disconnectMs;
  }
  for (let work = all(), step = work.next(); step.done !== true; step = work.next()) advance(step.value);
  const totalMs = probe.nowMs - startMs;
  const programMs = totalMs - marks.erasedMs - options.connectMs - options.disconnectMs;
  return {
    totalMs,
    eraseMs: marks.erasedMs,
    programMs,
    calls: runner.calls,
    probeRoundTrips: probe.roundTrips - trips,
  };
}

class Runner {
  calls = 0;
  readonly #probe: Probe;
  readonly #flash: FlashDevice;
  readonly #options: BaselineOptions;
  #job: Job | undefined;

  constructor(probe: Probe, flash: FlashDevice, options: BaselineOptions) {
    this.#probe = probe;
    this.#flash = flash;
    this.#options = options;
  }

  *eraseChip(): Work<void> {
    yield* this.#call([(nowMs) => this.#flash.startChipErase(nowMs)]);
    yield* this.finish();
  }

  *erase(offset: number, bytes: number): Work<void> {
    yield* this.#call([(nowMs) => this.#flash.startErase(offset, bytes, nowMs)]);
    yield* this.finish();
  }

  *program(offset: number, data: Uint8Array): Work<void> {
    for (let at = 0; at < data.length; at += this.#options.pageBytes) {
      const page = data.slice(at, at + this.#options.pageBytes);
      if (!this.#options.isDoubleBuffered) yield* this.finish();
      yield* this.#pass(this.#probe.transferMs(page.length));
      yield* this.#trips(1);
      yield* this.finish();
      yield* this.#call(this.#pageOps(offset + at, page));
    }
  }

  /** Until the call that is under way has ended, as far as the host can tell. */
  *finish(): Work<void> {
    while (this.#job !== undefined) {
      yield* this.#trips(1);
      yield* this.#pass(this.#options.pollMs);
    }
  }

  *#call(ops: Job["ops"]): Work<void> {
    this.calls++;
    yield* this.#trips(this.#options.callRoundTrips);
    this.#job = { ops };
    this.#proceed();
  }

  #pageOps(offset: number, page: Uint8Array): Job["ops"] {
    const ops: Job["ops"] = [];
    for (let at = 0; at < page.length; at += this.#flash.pageBytes) {
      const piece = page.slice(at, at + this.#flash.pageBytes);
      ops.push((nowMs) => this.#flash.startProgram(offset + at, piece, nowMs));
    }
    return ops;
  }

  *#trips(count: number): Work<void> {
    for (const ms of this.#probe.roundTrip(count)) yield* this.#pass(ms);
  }

  /** Lets time pass while the chip goes on with what it was told. */
  *#pass(ms: number): Work<void> {
    for (let leftMs = ms; leftMs > 0;) {
      const readyMs = this.#flash.readyAtMs(this.#probe.nowMs) - this.#probe.nowMs;
      const stepMs = this.#job !== undefined && readyMs > 0 ? Math.min(leftMs, readyMs) : leftMs;
      yield stepMs;
      leftMs -= stepMs;
      this.#proceed();
    }
  }

  #proceed(): void {
    if (this.#job === undefined || this.#flash.readyAtMs(this.#probe.nowMs) > this.#probe.nowMs) return;
    const op = this.#job.ops.shift();
    if (op === undefined) this.#job = undefined;
    else op(this.#probe.nowMs);
  }
}

function unitsUnder(board: CortexBoard, segments: readonly BaselineSegment[]) {
  const { flash } = board.chip;
  let start = 0;
  const units = flash.runs.flatMap(({ bytes, count }) =>
    Array.from({ length: count }, () => {
      start += bytes;
      return { start: start - bytes, bytes };
    }),
  );
  const touches = (unit: { start: number; bytes: number }) =>
    segments.some(({ address, data }) => {
      const from = address - flash.start;
      return from < unit.start + unit.bytes && from + data.length > unit.start;
    });
  return units.filter(touches);
}
