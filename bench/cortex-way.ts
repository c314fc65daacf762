/** One Deltaflash job on a simulated Cortex-M board behind a simulated GDB server, as the command line would run it. */
import type { Artifact } from "../src/build/artifact.ts";
import { makeImage } from "../src/core/image.ts";
import { gdbFamily } from "../src/engine/gdb-family.ts";
import type { History } from "../src/engine/history.ts";
import { runJob } from "../src/engine/job.ts";
import type { Report } from "../src/engine/report.ts";
import type { CortexBoard } from "../src/sim/cortex-m/cortex-board.ts";
import { SimTransport } from "../src/sim/sim-transport.ts";
import type { VirtualClock } from "../src/sim/virtual-clock.ts";
import type { PeerImage } from "./cortex-peers.ts";

export interface CortexBench {
  readonly board: CortexBoard;
  readonly clock: VirtualClock;
  readonly history: History;
}

/** @throws Error with the report's error, or when the flash does not hold the image afterwards */
export async function cortexWrite(
  { board, clock, history }: CortexBench,
  { address, data }: PeerImage,
  full: boolean,
): Promise<Report> {
  const artifact: Artifact = {
    kind: "image",
    system: "files",
    addresses: "memory",
    image: makeImage([{ address, data, name: "bench" }]),
    files: [],
  };
  const report = await runJob({
    family: gdbFamily,
    artifact,
    clock,
    history,
    port: "gdb://sim",
    open: () => Promise.resolve(new SimTransport(board, clock, { name: "gdb://sim", hasModemLines: false })),
    signal: new AbortController().signal,
    observer: { phase: () => undefined, progress: () => undefined, log: () => undefined },
    options: {
      baud: undefined,
      full,
      chip: undefined,
      identity: undefined,
      ram: false,
      dryRun: false,
      reset: true,
      useStub: true,
      appOffset: undefined,
      flashBytes: undefined,
    },
  });
  if (report.error !== null) throw new Error(`${report.error.code}: ${report.error.message}`);
  const offset = address - board.chip.flash.start;
  if (Buffer.compare(board.flash.subarray(offset, offset + data.length), data) !== 0)
    throw new Error(`${board.chip.title} does not hold the image`);
  if (board.running !== "running" && board.running !== "lockup" && board.running !== "asleep")
    throw new Error(`${board.chip.title} is ${board.running} at the end`);
  return report;
}
