/** A simulated board with a history of its own, and jobs on it as the command line would run them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Artifact } from "../../src/build/artifact.ts";
import { loadArtifact } from "../../src/build/load.ts";
import { makeImage } from "../../src/core/image.ts";
import { espFamily } from "../../src/engine/esp-family.ts";
import { runJob } from "../../src/engine/job.ts";
import { History } from "../../src/engine/history.ts";
import type { JobOptions } from "../../src/engine/job-options.ts";
import type { Report } from "../../src/engine/report.ts";
import { makeSimBoard, type SimBoardOptions } from "../../src/sim/boards.ts";
import { SimTransport } from "../../src/sim/sim-transport.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";

type Board = ReturnType<typeof makeSimBoard>;

/** What a flash is asked for when nothing is said. */
export const usualJob: JobOptions = {
  baud: undefined,
  chip: undefined,
  identity: undefined,
  full: false,
  ram: false,
  dryRun: false,
  reset: true,
  useStub: true,
  appOffset: undefined,
  flashBytes: undefined,
};

export interface RigOptions {
  readonly hasModemLines?: boolean;
  readonly port?: string;
  readonly usb?: { readonly vendorId: number; readonly productId: number };
  /** Espressif's stub instead of our own. */
  readonly officialStub?: boolean;
}

export class Rig {
  board: Board;
  clock = new VirtualClock();
  readonly folder: string;
  readonly history: History;
  readonly log: string[] = [];
  readonly #options: SimBoardOptions;
  readonly #rig: RigOptions;

  constructor(options: SimBoardOptions, rig: RigOptions = {}) {
    this.folder = mkdtempSync(join(tmpdir(), "deltaflash-rig-"));
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }));
    this.history = new History(this.folder);
    this.#options = options;
    this.#rig = rig;
    this.board = makeSimBoard({ factory: true, ...options });
  }

  /** The same board with the same flash, powered up anew; it may misbehave now. */
  again(changes: Partial<SimBoardOptions> = {}): this {
    this.board = makeSimBoard({ ...this.#options, factory: false, faults: [], flash: this.board.flash, ...changes });
    this.clock = new VirtualClock();
    return this;
  }

  async flash(artifact: Artifact, options: Partial<JobOptions> = {}, signal?: AbortSignal): Promise<Report> {
    const { hasModemLines = true, port = "sim", usb, officialStub = false } = this.#rig;
    return runJob({
      family: espFamily,
      artifact,
      clock: this.clock,
      history: this.history,
      port,
      open: () =>
        Promise.resolve(new SimTransport(this.board, this.clock, { name: port, hasModemLines, ...(usb && { usb }) })),
      signal: signal ?? new AbortController().signal,
      observer: { phase: () => undefined, progress: () => undefined, log: (line) => void this.log.push(line) },
      options: { ...usualJob, officialStub, ...options },
    });
  }

  /** What the board says in the second after now; the last line tells which program runs. */
  bootLine(): string {
    this.clock.advanceTo(this.clock.nowMs() + 1000);
    this.board.advance(this.clock.nowMs());
    return this.board.bootLog.trim().split(/\r?\n/).at(-1) ?? "";
  }

  /** Where the flash first differs from `data` at `address`; -1 when it does not. */
  differsAt(address: number, data: Uint8Array): number {
    return data.findIndex((byte, index) => this.board.flash[address + index] !== byte);
  }
}

export function firmware(kind: "base" | "const"): Promise<Artifact> {
  return loadArtifact([`test/fixtures/firmware/meter-esp32c3-${kind}.elf.gz`]);
}

/** Bytes at a flash offset, as `0x10000:file.bin` gives them. */
export function bytesAt(address: number, data: Uint8Array, name = "data.bin"): Artifact {
  return {
    kind: "image",
    system: "files",
    addresses: "flash-offset",
    image: makeImage([{ address, data, name }]),
    files: [],
  };
}

/** Looks like firmware to deflate: packs to about half. */
export function pseudoFirmware(size: number, seed: number): Uint8Array {
  const data = new Uint8Array(size);
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  for (let at = 0; at < size; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    data[at] = state % 3 === 0 ? state >>> 24 : ((at >> 2) * 7) & 0xff;
  }
  return data;
}
