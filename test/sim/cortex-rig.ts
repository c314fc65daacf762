/** A simulated Cortex-M board behind a GDB server, with a history of its own, and jobs on it as the command line would run them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import type { Artifact, ElfArtifact } from "../../src/build/artifact.ts";
import { concat } from "../../src/core/bytes.ts";
import { loadSegments, readElf } from "../../src/core/elf.ts";
import { makeImage } from "../../src/core/image.ts";
import { gdbFamily } from "../../src/engine/gdb-family.ts";
import { History } from "../../src/engine/history.ts";
import { runJob, type BoardJob } from "../../src/engine/job.ts";
import type { JobOptions } from "../../src/engine/job-options.ts";
import type { Report } from "../../src/engine/report.ts";
import { simChips } from "../../src/sim/cortex-m/chips.ts";
import { makeCortexBoard, type CortexBoardOptions } from "../../src/sim/cortex-m/cortex-boards.ts";
import { SimTransport } from "../../src/sim/sim-transport.ts";
import { writeElf, type SectionToWrite } from "../fixtures/elf-writer.ts";
import { AlarmClock } from "./alarm-clock.ts";
import { usualJob } from "./rig.ts";

type Board = ReturnType<typeof makeCortexBoard>;
export type CortexServer = NonNullable<CortexBoardOptions["server"]>;

/** What of a job a test may set. */
export type JobChanges = Partial<Pick<BoardJob, "open" | "signal" | "stop" | "handOver" | "ahead">>;

export class CortexRig {
  board: Board;
  clock = new AlarmClock();
  readonly history: History;
  readonly log: string[] = [];
  readonly port: string;
  readonly #options: CortexBoardOptions;

  constructor(options: CortexBoardOptions, port = "gdb://sim") {
    const folder = mkdtempSync(join(tmpdir(), "deltaflash-cortex-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    this.history = new History(folder);
    this.port = port;
    this.#options = options;
    this.board = makeCortexBoard(options);
  }

  /** Where the flash begins. */
  get start(): number {
    return this.board.chip.flash.start;
  }

  /** The same board with the same flash, powered up anew; it may misbehave now. */
  again(changes: Partial<CortexBoardOptions> = {}): this {
    this.board = makeCortexBoard({ ...this.#options, faults: [], flash: this.board.flash, ...changes });
    this.clock = new AlarmClock();
    return this;
  }

  /** Another board on the same port. */
  replaceBy(options: CortexBoardOptions): this {
    this.board = makeCortexBoard(options);
    this.clock = new AlarmClock();
    return this;
  }

  transport(): SimTransport {
    return new SimTransport(this.board, this.clock, { name: this.port, hasModemLines: false });
  }

  flash(artifact: Artifact, options: Partial<JobOptions> = {}, changes: JobChanges = {}): Promise<Report> {
    return runJob({
      family: gdbFamily,
      artifact,
      clock: this.clock,
      history: this.history,
      port: this.port,
      open: () => Promise.resolve(this.transport()),
      signal: new AbortController().signal,
      observer: { phase: () => undefined, progress: () => undefined, log: (line) => void this.log.push(line) },
      options: { ...usualJob, ...options },
      ...changes,
    });
  }

  /** The image at its addresses, and everything beside it as it was before. */
  shouldHold(before: Uint8Array, artifact: Artifact): Uint8Array {
    const wanted = before.slice();
    const segments = artifact.kind === "elf" ? loadSegments(artifact.elf) : artifact.image.segments;
    for (const { address, data } of segments) wanted.set(data, address - this.start);
    return wanted;
  }

  /** @throws when a byte is not as it should be, saying which */
  expectFlash(wanted: Uint8Array, what = ""): void {
    const { flash } = this.board;
    if (Buffer.compare(flash, wanted) === 0) return;
    const at = flash.findIndex((byte, index) => byte !== wanted[index]);
    const last = flash.findLastIndex((byte, index) => byte !== wanted[index]);
    const place = (offset: number) => `0x${(this.start + offset).toString(16)}`;
    expect.fail(`${what}: the flash is not as it should be from ${place(at)} to ${place(last)}`);
  }

  /** What the firmware says in the time after now. */
  says(ms = 100): string {
    const from = this.board.bootLog.length;
    this.clock.advanceTo(this.clock.nowMs() + ms);
    this.board.advance(this.clock.nowMs());
    return this.board.bootLog.slice(from);
  }
}

/** Bytes at addresses of the target's memory, as an Intel HEX file gives them. */
export function bytesIn(...pieces: readonly (readonly [address: number, data: Uint8Array])[]): Artifact {
  const segments = pieces.map(([address, data], index) => ({ address, data, name: `part ${index}` }));
  return { kind: "image", system: "files", addresses: "memory", image: makeImage(segments), files: [] };
}

export function armElf(sections: readonly SectionToWrite[], name = "program.elf"): ElfArtifact {
  const [first] = sections;
  const elf = readElf(writeElf({ machine: 40, entry: (first?.address ?? 0) + 9, sections }), name);
  return { kind: "elf", path: `/build/${name}`, elf, elfSha256: "0".repeat(64), system: "files" };
}

/** Where the first serial port takes a byte. */
const sendRegister: Readonly<Record<string, number>> = {
  nrf51: 0x4000_251c,
  stm32f4: 0x4001_1004,
  stm32f767: 0x4001_1028,
  rp2040: 0x4003_4000,
};

/** A program that says `text` and then does nothing for ever: vector table and code, to lie and run at `address`. */
export function speaker(board: string, address: number, text: string): Uint8Array {
  const ram = simChips.find(({ id }) => id === board)?.ram[0];
  const tableBytes = 0xc0;
  const code = address + tableBytes;
  const words = Buffer.alloc(tableBytes);
  words.writeUInt32LE((ram?.start ?? 0) + 0x2000, 0);
  for (let at = 4; at < tableBytes; at += 4) words.writeUInt32LE(code + 1, at);
  // ldr r0, =register; ldr r1, =text; next: ldrb r2, [r1]; cmp r2, #0; beq end; str r2, [r0]; adds r1, #1; b next; end: b end; nop
  const program = Buffer.from("04480549 0a78002a 02d00260 0131f9e7 fee7c046".replaceAll(" ", ""), "hex");
  const literals = Buffer.alloc(8);
  literals.writeUInt32LE(sendRegister[board] ?? 0, 0);
  literals.writeUInt32LE(code + program.length + literals.length, 4);
  return concat([words, program, literals, Buffer.from(`${text}\n\0`, "latin1")]);
}
