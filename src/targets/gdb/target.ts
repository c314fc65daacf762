/**
 * From an open GDB server to a Cortex-M board that stands halted and can be asked and written: which chip it is, and which way its
 * flash is written best. Knows no images.
 */
import { FlashError } from "../../core/errors.ts";
import type { FlashMap } from "../../core/flash-map.ts";
import type { Range } from "../../core/image.ts";
import type { Transport } from "../../transport/transport.ts";
import type { Context } from "../target.ts";
import type { GdbClient } from "./client.ts";
import { identifyChip, type Identified } from "./chips/identify.ts";
import { wordReader } from "./chips/known-words.ts";
import { chipRows } from "./chips/list.ts";
import type { ChipRow } from "./chips/row.ts";
import { connectGdb } from "./connect.ts";
import { flashCosts, type LinkFacts } from "./costs.ts";
import type { FlashWay } from "./flash-way.ts";
import { digestDriver, loadLoader } from "./loader-blobs.ts";
import { LoaderWay } from "./loader-way.ts";
import { Loader } from "./loader.ts";
import type { MemoryMap } from "./memory-map.ts";
import { ReadDigests } from "./read-digests.ts";
import { leaveRunning, resetAndHalt } from "./reset.ts";
import { ServerWay } from "./server-way.ts";
import { CortexSession } from "./session.ts";
import { hasVFlash } from "./vflash.ts";

export interface CortexOptions {
  /** False: the server's own driver writes, whatever the chip. */
  readonly useLoader: boolean;
  /** The chip that was behind this server last time. */
  readonly likelyChip: string | undefined;
}

/** What is known of the board before its flash is touched. */
export interface CortexBoard {
  readonly client: GdbClient;
  readonly found: Identified;
  /** The catalogue's name, or `cortex-m` for chips that we do not know. */
  readonly chip: string;
  readonly title: string;
  /** The chip's unique number; where it tells none, the chip's name and the port's. */
  readonly identity: string;
  /** RAM that may be used, the largest piece of it; undefined where nobody knows. */
  readonly ram: Range | undefined;
}

/** Recognises server and chip, and halts the core as after a reset. @throws FlashError as `connectGdb` does */
export async function findBoard(
  transport: Transport,
  context: Context,
  likelyChip: string | undefined,
): Promise<CortexBoard> {
  context.trace.enter("connect", "GDB server");
  const client = await connectGdb(transport, context);
  return orLeave(client, context, () => look(client, context, likelyChip));
}

/** The core stands halted, and is not left so when nothing comes of it. */
export async function orLeave<T>(client: GdbClient, context: Context, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await leaveRunning(client, context);
    throw error;
  }
}

async function look(client: GdbClient, context: Context, likelyChip: string | undefined): Promise<CortexBoard> {
  const { transport } = client.wire;
  context.trace.enter("connect", "reset + halt");
  if (client.traits.resetAndHalt.length > 0) await resetAndHalt(client);
  context.trace.enter("connect", "chip");
  const found = await identify(client, likelyChip);
  const known = found.kind === "known" ? found : undefined;
  const chip = known?.row.name ?? "cortex-m";
  context.log(found.kind === "known" ? `${found.row.title}, ${found.row.evidence}` : whyUnknown(found));
  const ram = known?.memory.ram ?? largest((await client.memoryMap())?.ram ?? []);
  return {
    ...{ client, found, chip, ram },
    title: known?.row.title ?? "Cortex-M",
    identity: known?.uniqueId ?? `${chip}@${transport.name}`,
  };
}

async function identify(client: GdbClient, likelyChip: string | undefined): Promise<Identified> {
  const likely = chipRows.find(({ name }) => name === likelyChip);
  const read = await wordReader(client, likely);
  if (likely !== undefined) {
    const found = await identifyChip(read, [likely]);
    if (found.kind === "known") return found;
  }
  const found = await identifyChip(read);
  if (found.kind !== "unknown" || found.wake.length === 0) return found;
  for (const { address, bits } of found.wake) {
    const [word = 0] = await client.readWords(address, 1);
    await client.writeWords(address, [word | bits]);
  }
  return identifyChip(await wordReader(client, undefined));
}

function largest(ranges: readonly Range[]): Range | undefined {
  return ranges.reduce<Range | undefined>((best, one) => (one.size > (best?.size ?? 0) ? one : best), undefined);
}

export interface CortexConnection extends CortexBoard {
  readonly session: CortexSession;
  /** Sentences for the user. */
  readonly notes: readonly string[];
}

/** @throws FlashError `wrong-chip` when neither we nor the server know how to write the chip, and as `findBoard` does */
export async function connectCortex(
  transport: Transport,
  context: Context,
  { useLoader, likelyChip }: CortexOptions,
): Promise<CortexConnection> {
  const board = await findBoard(transport, context, likelyChip);
  return orLeave(board.client, context, () => chooseWay(board, context, useLoader));
}

async function chooseWay(board: CortexBoard, context: Context, useLoader: boolean): Promise<CortexConnection> {
  if (board.found.kind === "known" && board.found.lock !== undefined) throw isLocked(board.title, board.found.lock);
  const own = useLoader ? await ownWay(board, context) : undefined;
  const { way, map, link, notes } = own ?? (await serverWay(board, context));
  const { client, found, chip, identity } = board;
  const row = found.kind === "known" ? found.row : undefined;
  const costs = flashCosts({ row, link, way });
  context.log(`flash is written by ${way.label}`);
  return { ...board, notes, session: new CortexSession({ client, way, chip, identity, map, costs }) };
}

interface ChosenWay {
  readonly way: FlashWay;
  readonly map: FlashMap;
  readonly link: LinkFacts;
  readonly notes: readonly string[];
}

/** Undefined where our loader has no driver for the chip, or must leave it alone. */
async function ownWay({ client, found }: CortexBoard, context: Context): Promise<ChosenWay | undefined> {
  if (found.kind !== "known" || found.obstacles.length > 0) return undefined;
  const { memory, row, driver } = found;
  const program = await loadLoader(driver);
  if (program === undefined) return undefined;
  const loader = new Loader(client, {
    ...{ program, ram: memory.ram, flash: spanOf(memory.flash), driverWords: memory.driverWords, times: row.times },
  });
  const link = await installed(loader, context);
  const streams = client.traits.loaderWay === "stream" && client.traits.memoryWhileRunning;
  const way = new LoaderWay({ loader, context, map: memory.flash, streams });
  const untried =
    row.evidence === "from source, untested"
      ? [
          `Deltaflash's flash driver for the ${row.title} has not been tried on a real chip yet; what it writes is verified.`,
        ]
      : [];
  return { way, map: memory.flash, link, notes: untried };
}

/** The chip-independent way: the server's driver writes, our loader digests. */
async function serverWay(board: CortexBoard, context: Context): Promise<ChosenWay> {
  const { client, found, ram } = board;
  const server: MemoryMap | undefined = await client.memoryMap();
  const map = server?.flash ?? [];
  const obstacles = found.kind === "known" ? found.obstacles : [];
  if (map.length === 0 || !hasVFlash(client)) throw cannotWrite(board, obstacles);
  const loader = await digester(board);
  if (loader === undefined) {
    const way = new ServerWay({ client, context, digester: new ReadDigests(client) });
    const what = ram === undefined ? "not known" : "too small for a loader";
    const note = `The chip's RAM is ${what}, so its flash is compared by reading it over the probe, which is slow.`;
    return { way, map, link: { bytesPerMs: undefined, tripMs: undefined }, notes: [...obstacles, note] };
  }
  const link = await installed(loader, context);
  return { way: new ServerWay({ client, context, digester: loader }), map, link, notes: obstacles };
}

/**
 * A loader that is asked for digests only; undefined where there is no room for one. Of a chip that we know it is the chip's own: after a
 * reset serial flash cannot be read before somebody has set its controller up.
 */
async function digester({ client, found, ram }: CortexBoard): Promise<Loader | undefined> {
  const isOwn = found.kind === "known" && found.obstacles.length === 0;
  const own = isOwn ? await loadLoader(found.driver) : undefined;
  const program = own ?? (await loadLoader(digestDriver));
  if (ram === undefined || program === undefined) return undefined;
  const none = { flash: { address: 0, size: 0 }, driverWords: [] };
  const { flash, driverWords } =
    isOwn && own !== undefined ? { flash: spanOf(found.memory.flash), driverWords: found.memory.driverWords } : none;
  try {
    return new Loader(client, { program, ram, flash, driverWords });
  } catch (error) {
    if (error instanceof FlashError && error.code === "does-not-fit") return undefined;
    throw error;
  }
}

/** Loads the loader, which also tells how fast the link is. */
async function installed(loader: Loader, context: Context): Promise<LinkFacts> {
  context.trace.enter("connect", "loader upload");
  const fromMs = context.clock.nowMs();
  const bytes = await loader.install();
  context.trace.addBytes(bytes);
  const ms = context.clock.nowMs() - fromMs;
  return { bytesPerMs: ms > 0 && bytes > 0 ? bytes / ms : undefined, tripMs: undefined };
}

/** From the first byte of flash to the last; what lies between banks is never named by a plan. */
function spanOf(map: FlashMap): Range {
  const start = Math.min(...map.map((region) => region.start));
  const end = Math.max(...map.map((region) => region.start + region.size));
  return { address: start, size: end - start };
}

function whyUnknown(found: Identified): string {
  switch (found.kind) {
    case "known":
      return found.row.title;
    case "unknown":
      return found.because;
    case "ambiguous":
      return `it could be ${found.rows.map(({ title }: ChipRow) => title).join(" or ")}`;
  }
}

/** @param lock what is the matter, and in a second sentence what can be done */
function isLocked(title: string, lock: string): FlashError {
  const [what = "", remedy = ""] = lock.split(/\.\s+(.*)/s, 2);
  return new FlashError("refused", `${what.replace(/^The chip/, `the ${title}`)}; nothing was changed`, { remedy });
}

function cannotWrite({ client, found }: CortexBoard, obstacles: readonly string[]): FlashError {
  const [obstacle] = obstacles;
  if (obstacle !== undefined) {
    return new FlashError("refused", `the flash cannot be written: ${obstacle}`, {
      remedy: "Nothing was changed; use a GDB server that can write this flash itself, then flash again.",
    });
  }
  const cpu = found.kind === "known" ? found.row.title : whyUnknown(found);
  return new FlashError(
    "wrong-chip",
    `nobody knows how to write the flash behind ${client.name}: ${cpu}, and the server tells no flash in its memory map`,
    { remedy: "Name the chip in the server's configuration, so that it can write it, or load to RAM with --ram." },
  );
}
