/** Cortex-M boards behind a GDB server, as jobs see them. */
import type { Artifact } from "../build/artifact.ts";
import { formatBytes, hex } from "../core/bytes.ts";
import { loadSegments } from "../core/elf.ts";
import { FlashError } from "../core/errors.ts";
import { makeImage, type Image } from "../core/image.ts";
import { chipRows } from "../targets/gdb/chips/list.ts";
import { seriesOf } from "../targets/gdb/chips/series.ts";
import { usualCosts } from "../targets/gdb/costs.ts";
import { checkRamProgram, type RamChip } from "../targets/gdb/ram-image.ts";
import { loadIntoRam } from "../targets/gdb/ram-loader.ts";
import { leaveRunning } from "../targets/gdb/reset.ts";
import { connectCortex, findBoard, orLeave, type CortexBoard } from "../targets/gdb/target.ts";
import type { Context } from "../targets/target.ts";
import type { SerialTransport } from "../transport/transport.ts";
import {
  HandedContext,
  type BoardConnection,
  type ConnectWishes,
  type Family,
  type Meant,
  type OfflineBoard,
  type OfflineQuestion,
  type PortMemory,
  type RamProgram,
  type RamRequest,
} from "./family.ts";
import type { PortHints } from "./history.ts";

export const gdbFamily: Family = {
  countsRoundTrips: true,
  hasConsole: false,
  requireSupported: (artifact) => void programOf(artifact),
  requireChip: () => undefined, // servers know chips that we do not
  offline,
  connect,
  runInRam,
  // Whatever did not come to a connection has not halted the core for long: a server lets it run when its client leaves.
  leave: () => Promise.resolve(),
};

async function connect(
  transport: SerialTransport,
  context: Context,
  { wishes, meant, memory }: { wishes: ConnectWishes; meant: Meant | undefined; memory: PortMemory },
): Promise<BoardConnection> {
  const handed = new HandedContext(context);
  const { chip: likelyChip } = await memory.history.portHints(memory.port);
  const board = await connectCortex(transport, handed, { useLoader: wishes.useStub, likelyChip });
  const { session } = board;
  const check = (asked: Meant) => checkChip(board, asked.chip, memory.port);
  if (meant !== undefined) await orLeave(board.client, context, () => Promise.resolve(meant).then(check));
  return {
    ...{ transport, session, context: handed, notes: board.notes, check },
    hints: hintsOf(board),
    flashId: undefined,
    canReset: board.client.traits.resetAndRun.length > 0,
    image: ({ artifact }) => Promise.resolve().then(() => imageOf(artifact)),
    leave: async (final) => {
      handed.handTo(final);
      if (board.client.wire.broken === undefined) await session.reset();
      else await leaveRunning(board.client, final);
    },
  };
}

function hintsOf({ identity, chip, found }: CortexBoard): PortHints {
  return { identity, chip, ...(found.kind === "known" ? { chipWords: found.words } : {}) };
}

/** Only for chips that we know, and have seen at this port: the size of the flash stands in the chip. */
function offline({ hints, seen }: OfflineQuestion): OfflineBoard {
  const row = chipRows.find(({ name }) => name === (seen?.chip ?? hints.chip));
  const memory = row?.memory(hints.chipWords ?? []);
  if (row === undefined || memory === undefined) {
    throw new FlashError("wrong-chip", "the chip behind the GDB server is not known yet", {
      remedy: "Flash it once: then its chip is known.",
    });
  }
  const costs = usualCosts(row);
  return { chip: row.name, map: memory.flash, costs, image: ({ artifact }) => Promise.resolve(imageOf(artifact)) };
}

/** @param asked as the user or the project names it: `STM32F407VGTx` @throws FlashError `wrong-chip` for a board of another series */
function checkChip({ chip, title, found }: CortexBoard, asked: string | undefined, port: string): void {
  const wanted = asked === undefined ? undefined : seriesOf(asked);
  if (wanted === undefined || found.kind !== "known" || wanted === seriesOf(chip)) return;
  throw new FlashError("wrong-chip", `the project is for ${asked ?? ""}, the board on ${port} is an ${title}`, {
    remedy: "Connect the board you mean, or correct the chip in the project's settings.",
  });
}

/** @throws FlashError `wrong-chip` for what no Cortex-M can run */
function programOf(artifact: Artifact): Artifact {
  const name = artifact.kind === "elf" ? artifact.elf.name : (artifact.files[0]?.path ?? "this build");
  const forOther =
    artifact.kind === "elf"
      ? artifact.elf.machine !== "arm" && `${artifact.elf.machine.toUpperCase()} processors`
      : artifact.addresses === "flash-offset" && `a flash chip from offset 0 on (${artifact.system})`;
  if (forOther === false) return artifact;
  throw new FlashError("wrong-chip", `${name} is for ${forOther}, not for a Cortex-M behind a GDB server`, {
    remedy: "Choose an .elf or .hex for a Cortex-M, or the port of the board that it is for.",
  });
}

/** Bytes at the addresses where they are stored before the program runs. */
function imageOf(artifact: Artifact): Image {
  const checked = programOf(artifact);
  return checked.kind === "elf" ? makeImage(loadSegments(checked.elf)) : checked.image;
}

/** Where ARM has RAM for code and data on all Cortex-M, if nobody knows more. Source: ARMv7-M Architecture Reference Manual, B3.1. */
const sramRegion = { address: 0x20000000, size: 0x20000000 };
const CPUID = 0xe000ed00;
const cortexM0 = 0xc20;

async function ramOf({ client, found }: CortexBoard): Promise<Pick<RamChip, "ram" | "hasVectorTableOffset">> {
  const told = (await client.memoryMap())?.ram ?? [];
  const known = found.kind === "known" ? [found.memory.ram] : [];
  const [cpuid = 0] = await client.readWords(CPUID, 1);
  return {
    ram: told.length > 0 ? told : known.length > 0 ? known : [sramRegion],
    hasVectorTableOffset: ((cpuid >>> 4) & 0xfff) !== cortexM0,
  };
}

async function runInRam(
  transport: SerialTransport,
  context: Context,
  request: RamRequest & { readonly memory: PortMemory },
): Promise<RamProgram> {
  const { meant, memory } = request;
  const artifact = programOf(meant.artifact);
  if (artifact.kind !== "elf") {
    throw new FlashError("bad-image", "only an .elf can be loaded into RAM: it says where its sections belong", {
      remedy: "Give the .elf of a program that is linked for RAM.",
    });
  }
  const { chip: likelyChip } = await memory.history.portHints(memory.port);
  const board = await findBoard(transport, context, likelyChip);
  const { client, chip, identity, title } = board;
  request.onBoard({ chip, identity, leave: (final) => leaveRunning(client, final) });
  checkChip(board, meant.chip, memory.port);
  context.trace.enter("plan", "RAM program");
  const program = checkRamProgram(artifact.elf, { title, ...(await ramOf(board)) });
  const bytes = program.segments.reduce((sum, segment) => sum + segment.data.length, 0);
  if (request.dryRun) return { bytes, notes: program.notes };
  context.trace.enter("load", "RAM program");
  await loadIntoRam(client, program, (count) => context.trace.addBytes(count));
  const note = `${formatBytes(bytes)} run from RAM, vector table at ${hex(program.vectorTable)}; a reset starts the program in the flash again.`;
  return { bytes, notes: [...program.notes, note] };
}
