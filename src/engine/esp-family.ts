/** ESP chips over a serial line, as jobs see them. */
import { formatBytes, hex } from "../core/bytes.ts";
import { FlashError } from "../core/errors.ts";
import { chipMeant, type Chip } from "../targets/esp/chips.ts";
import { chipsThatHold } from "../targets/esp/elf-chips.ts";
import { flashSizeOf } from "../targets/esp/identify.ts";
import { espCosts, espFlashMap } from "../targets/esp/session.ts";
import { checkRamProgram } from "../targets/esp/ram-image.ts";
import { resetIntoProgram, type ResetWay } from "../targets/esp/reset.ts";
import { startInRam } from "../targets/esp/stub.ts";
import { connectEsp, enterRom, type EspFindings } from "../targets/esp/target.ts";
import type { Context } from "../targets/target.ts";
import type { SerialTransport } from "../transport/transport.ts";
import { expectedChip, requireChip, requireSupported } from "./esp-checks.ts";
import { chipOfArtifact, imageForEsp } from "./esp-image.ts";
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

const usualBaud = 921_600;
const romBaud = 115_200;
const otherStubNote =
  "Deltaflash's own stub did not run on this board; Espressif's stub was used instead, which takes no patches.";

export const espFamily: Family = {
  countsRoundTrips: false,
  hasConsole: true,
  requireSupported,
  requireChip: (name) => void requireChip(name),
  offline,
  connect,
  runInRam,
  leave: (transport, context) => resetIntoProgram(transport, context, "quick"),
};

async function connect(
  transport: SerialTransport,
  context: Context,
  { wishes, meant, memory }: { wishes: ConnectWishes; meant: Meant | undefined; memory: PortMemory },
): Promise<BoardConnection> {
  const { history, port } = memory;
  const hints = await history.portHints(port);
  const remembered = new Map((await history.boards()).map((board) => [board.identity, board.flashId]));
  const handed = new HandedContext(context);
  const follows = transport.hasModemLines || !transport.name.startsWith("tcp:");
  const { session, findings } = await connectEsp(transport, handed, {
    baud: wishes.baud ?? (follows ? (hints.baud ?? usualBaud) : romBaud),
    useStub: wishes.useStub,
    officialStub: wishes.officialStub ?? false,
    expectedChip: meant === undefined ? undefined : expectedChip(meant.chip, meant.artifact),
    resetWay: hints.resetWay as ResetWay | undefined,
    flashBytes: wishes.flashBytes,
    failedStub: hints.failedStub,
    recallFlashId: (identity) => remembered.get(identity),
  });
  return {
    ...{ transport, session, context: handed, flashId: findings.flashId },
    notes: findings.usesOtherStub ? [otherStubNote] : [],
    hints: hintsOf(findings, wishes),
    canReset: transport.hasModemLines,
    check: ({ chip, artifact }) => {
      const expected = expectedChip(chip, artifact);
      if (expected !== undefined && expected !== session.chip) {
        const { title } = findings.chip;
        throw new FlashError("wrong-chip", `the image is for ${expected}, the board on ${port} is an ${title}`);
      }
    },
    image: (request) => imageForEsp({ ...request, chip: findings.chip, session }),
    leave: async (final) => {
      if (transport.hasModemLines) return resetIntoProgram(transport, final, findings.resetWay);
      handed.handTo(final);
      return session.reset();
    },
  };
}

function hintsOf({ identity, resetWay, baud, failedStub }: EspFindings, wishes: ConnectWishes): PortHints {
  // A rate that the user asked for once is not what the next flash should begin with, unless it had to be lowered.
  const lowered = baud < (wishes.baud ?? usualBaud) ? { baud } : {};
  return { identity, resetWay, ...lowered, ...(failedStub === undefined ? {} : { failedStub }) };
}

/** Where the flash chip is not known: larger than any that maps directly, so that everything fits. */
const unknownFlashBytes = 16 * 1024 * 1024;

function offline({ meant, baud, hints, seen }: OfflineQuestion): OfflineBoard {
  const chip = chipFor(meant, seen?.chip);
  return {
    chip: chip.name,
    map: espFlashMap(seen?.flashId === undefined ? unknownFlashBytes : flashSizeOf(seen.flashId)),
    costs: espCosts(baud ?? hints.baud ?? usualBaud),
    image: (request, session) => imageForEsp({ ...request, chip, session }),
  };
}

function chipFor({ chip, artifact }: Meant, seen: string | undefined): Chip {
  const fitting = artifact.kind === "elf" ? chipsThatHold(artifact.elf) : [];
  const only = fitting.length === 1 ? fitting[0] : undefined;
  const name = chip ?? chipOfArtifact(artifact) ?? seen ?? only;
  const found = name === undefined ? undefined : chipMeant(name);
  if (found !== undefined) return found;
  throw new FlashError(
    "wrong-chip",
    name === undefined ? "nobody says which chip it is for" : `'${name}' is not a chip that Deltaflash knows`,
    { remedy: "Choose the board, or flash it once: then its chip is known." },
  );
}

async function runInRam(
  transport: SerialTransport,
  context: Context,
  request: RamRequest & { readonly memory: PortMemory },
): Promise<RamProgram> {
  const { meant, memory } = request;
  const { artifact } = meant;
  if (artifact.kind !== "elf") {
    throw new FlashError("bad-image", "only an .elf can be loaded into RAM: it says where its sections belong", {
      remedy: "Give the .elf of a program that is linked for RAM.",
    });
  }
  const hints = await memory.history.portHints(memory.port);
  const { client, chip, identity, entered } = await enterRom(transport, context, {
    baud: request.baud,
    expectedChip: expectedChip(meant.chip, artifact),
    resetWay: hints.resetWay as ResetWay | undefined,
  });
  const leave = (final: Context) => resetIntoProgram(transport, final, entered.way);
  request.onBoard({ chip: chip.name, identity, leave });
  context.trace.enter("plan", "RAM program");
  const segments = checkRamProgram(artifact.elf, chip.name);
  const bytes = segments.reduce((sum, segment) => sum + segment.data.length, 0);
  const { entry } = artifact.elf;
  if (request.dryRun) return { bytes, notes: [] };
  context.trace.enter("load", `${formatBytes(bytes)} into RAM`);
  client.forgetHeard();
  await startInRam(client, { pieces: segments, entry });
  request.onProgramText?.(Buffer.from(client.heard, "latin1"));
  const note = `${formatBytes(bytes)} run from RAM at ${hex(entry)}; a reset starts the program in the flash again.`;
  return { bytes, notes: [note] };
}
