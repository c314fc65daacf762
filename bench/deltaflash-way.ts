/** One Deltaflash job on a simulated board, as the command line would run it. */
import type { Artifact } from "../src/build/artifact.ts";
import { makeImage } from "../src/core/image.ts";
import type { BoardConnection } from "../src/engine/family.ts";
import { espFamily } from "../src/engine/esp-family.ts";
import { runJob } from "../src/engine/job.ts";
import type { History } from "../src/engine/history.ts";
import type { Report } from "../src/engine/report.ts";
import type { SimBoard } from "../src/sim/board.ts";
import { SimTransport } from "../src/sim/sim-transport.ts";
import type { VirtualClock } from "../src/sim/virtual-clock.ts";

export interface BenchBoard {
  readonly board: SimBoard;
  readonly clock: VirtualClock;
  readonly history: History;
}

export interface DeltaflashRun extends BenchBoard {
  readonly address: number;
  readonly image: Uint8Array;
  readonly baud: number;
  readonly full: boolean;
  readonly officialStub?: boolean;
  /** A connection that was made while the compiler ran. */
  readonly ahead?: BoardConnection;
}

/** @throws the report's error, if the flash failed */
export async function deltaflashWrite(run: DeltaflashRun): Promise<Report> {
  const { board, clock, history, address, image, baud, full, officialStub = false, ahead } = run;
  const artifact: Artifact = {
    kind: "image",
    system: "files",
    addresses: "flash-offset",
    image: makeImage([{ address, data: image, name: "bench" }]),
    files: [],
  };
  const report = await runJob({
    family: espFamily,
    artifact,
    clock,
    history,
    port: "sim",
    open: () => Promise.resolve(new SimTransport(board, clock)),
    ...(ahead === undefined ? {} : { ahead: () => Promise.resolve(ahead) }),
    signal: new AbortController().signal,
    observer: { phase: () => undefined, progress: () => undefined, log: () => undefined },
    options: {
      baud,
      full,
      chip: undefined,
      identity: undefined,
      ram: false,
      dryRun: false,
      reset: true,
      useStub: true,
      officialStub,
      appOffset: undefined,
      flashBytes: undefined,
    },
  });
  if (report.error !== null) throw new Error(`${report.error.code}: ${report.error.message}`);
  return report;
}
