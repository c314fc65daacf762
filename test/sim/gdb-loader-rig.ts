/** A simulated Cortex-M board behind a simulated GDB server, its chip identified, its loader ready to be put there. */
import { FlashError } from "../../src/core/errors.ts";
import type { Range } from "../../src/core/image.ts";
import { makeCortexBoard, type CortexBoardOptions } from "../../src/sim/cortex-m/cortex-boards.ts";
import { SimTransport } from "../../src/sim/sim-transport.ts";
import { identifyChip } from "../../src/targets/gdb/chips/identify.ts";
import { connectGdb } from "../../src/targets/gdb/connect.ts";
import { loaderFlag, type LoaderRecord } from "../../src/targets/gdb/loader-abi.ts";
import { recordsOf } from "../../src/targets/gdb/loader-batches.ts";
import { loadLoader } from "../../src/targets/gdb/loader-blobs.ts";
import { Loader } from "../../src/targets/gdb/loader.ts";
import { resetAndHalt } from "../../src/targets/gdb/reset.ts";
import { AlarmClock } from "./alarm-clock.ts";
import { noise } from "../unit/stubs/operations.ts";

export const servers = ["openocd", "pyocd", "st-util", "black-magic", "plain"] as const;

export async function rig(options: CortexBoardOptions, wanted?: string) {
  const clock = new AlarmClock();
  const board = makeCortexBoard(options);
  const transport = new SimTransport(board, clock, { hasModemLines: false });
  const cancel = new AbortController();
  const context = { clock, signal: cancel.signal, log: () => undefined };
  const client = await connectGdb(transport, context);
  await resetAndHalt(client);
  const chip = await identifyChip(async (address) => {
    try {
      return (await client.readWords(address, 1))[0];
    } catch (error) {
      if (error instanceof FlashError && error.code === "refused") return undefined;
      throw error;
    }
  });
  if (chip.kind !== "known") throw new Error(`${options.board} is ${chip.kind}`);
  const program = await loadLoader(wanted ?? chip.driver);
  const { ram, flash: map, driverWords } = chip.memory;
  const [first] = map;
  const last = map.at(-1);
  if (program === undefined || first === undefined || last === undefined) throw new Error("no loader");
  const flash = { address: first.start, size: last.start + last.size - first.start };
  const { times } = chip.row;
  const loader = new Loader(client, { program, ram, flash, driverWords, times });
  return { board, client, clock, loader, flash, map, cancel };
}

export type Rig = Awaited<ReturnType<typeof rig>>;

/** The first units of the flash, as ranges. */
export function firstUnits({ map }: Rig, count: number): readonly Range[] {
  return map
    .flatMap(({ start, size, sectorSize }) =>
      Array.from({ length: size / sectorSize }, (_, at) => ({ address: start + at * sectorSize, size: sectorSize })),
    )
    .slice(0, count);
}

export function options(done: LoaderRecord[] = []) {
  return {
    flags: loaderFlag.verify,
    onDone: (record: LoaderRecord) => done.push(record),
    shouldStop: () => false,
  };
}

export function records(units: readonly Range[], seed = 1): readonly LoaderRecord[] {
  return units.flatMap(({ address, size }, index) =>
    recordsOf({ address, data: noise(size, seed + index), erases: [{ address, size, unit: "sector" }] }),
  );
}

export function violations({ board }: Rig) {
  return board.counters().violations;
}
