/** Writes one run of sectors through the ROM or the official stub, and makes sure the loader has finished with it. */
import { hex } from "../../core/bytes.ts";
import { FlashError } from "../../core/errors.ts";
import { StoppedBetweenRequests } from "../target.ts";
import type { Chip } from "./chips.ts";
import { LoaderRefusal, type LoaderClient } from "./client.ts";
import { flashBegin, flashBeginEncrypted, word } from "./commands.ts";
import { Packer, stubBlockBytes, writtenOf, type Run, type Stream } from "./run-stream.ts";

/** How often a block is sent again, and a run begun again, before the flash is given up. */
const blockAttempts = 3;
const runAttempts = 3;
/** How long erasing and programming for one block may take when a run is ended early; it needs 0.2 s. */
const lastWorkMs = 1_000;

/** The run that is written now, and the one that will be next, which is got ready while this one travels. */
export interface RunInTurn {
  readonly run: Run;
  readonly next: Run | undefined;
}

export class FlashWriter {
  readonly #client: LoaderClient;
  readonly #chip: Chip;
  readonly #packer: Packer;

  constructor(client: LoaderClient, chip: Chip) {
    this.#client = client;
    this.#chip = chip;
    this.#packer = new Packer(client, chip);
  }

  /** @throws FlashError when the run could not be written after a few attempts */
  async write({ run, next }: RunInTurn): Promise<void> {
    const stream = await this.#packer.streamOf(run);
    if (next !== undefined) this.#packer.getReady(next);
    await writeRun(this.#client, this.#chip, run, stream);
  }
}

async function writeRun(client: LoaderClient, chip: Chip, run: Run, stream: Stream): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await begin(client, chip, run, stream);
      await sendBlocks(client, run, stream);
      if (client.personality === "stub") await client.request(stream.end, word.write({ value: 1 }));
      return;
    } catch (error) {
      if (attempt === runAttempts || !isWorthAnotherTry(error)) throw placed(error, run);
      client.context.log(`run at ${hex(run.address)}: ${String(error)}; once more`);
      if (!(await resync(client))) throw placed(error, run);
    }
  }
}

async function begin(client: LoaderClient, chip: Chip, run: Run, stream: Stream): Promise<void> {
  const { context } = client;
  const stub = client.personality === "stub";
  const size = run.data.length;
  const fields = {
    eraseSize: stub || chip.romIsComplete ? size : esp8266EraseSize(run.address, size),
    blocks: stream.blocks.length,
    blockSize: stream.blockBytes,
    offset: run.address,
  };
  const words =
    !stub && chip.romBeginWords === 5
      ? flashBeginEncrypted.write({ ...fields, encrypted: 0 })
      : flashBegin.write(fields);
  // A ROM erases the whole run before it answers; the stub erases as it goes.
  if (stub) context.trace.enter("write", writeLabel(client, run));
  else context.trace.enter("erase", `${hex(run.address)} ${size / 1024} KiB`);
  await client.request(stream.begin, words, { flashBytes: size });
}

function writeLabel(client: LoaderClient, run: Run): string {
  return `${hex(run.address)} ${client.personality === "stub" ? "erase + write" : "write"} ${run.data.length / 1024} KiB`;
}

/** The ESP8266's ROM erases too much unless it is told too little. Source: esptool `esp8266.py`. */
function esp8266EraseSize(offset: number, size: number): number {
  const sectors = Math.ceil(size / 4096);
  const head = Math.min(sectors, 16 - ((offset / 4096) % 16));
  return 4096 * (sectors < 2 * head ? Math.ceil(sectors / 2) : sectors - head);
}

async function sendBlocks(client: LoaderClient, run: Run, stream: Stream): Promise<void> {
  const { trace } = client.context;
  trace.enter("write", writeLabel(client, run));
  // A block deflates to at most this much contents, whose erase and programming its answer may have to wait for.
  const inflation = Math.ceil(run.data.length / stream.bytes.length);
  let reported = 0;
  for (const [sequence, { from, to }] of stream.blocks.entries()) {
    if (sequence > 0) await stopIfAsked(client, stream, from);
    await sendBlock(client, stream, sequence, (to - from + stubBlockBytes) * inflation);
    const done = Math.round((to / stream.bytes.length) * run.data.length);
    trace.addBytes(done - reported);
    client.context.onProgress(done - reported);
    reported = done;
  }
}

/** A stub whose run ends here waits for a request once it has done its work; a ROM is left to finish what it has begun. */
async function stopIfAsked(client: LoaderClient, stream: Stream, sentBytes: number): Promise<void> {
  if (client.context.stop?.aborted !== true || client.personality === "rom") return;
  if ((await client.sync(lastWorkMs)) === "stub") throw new StoppedBetweenRequests(await writtenOf(stream, sentBytes));
  throw new FlashError("cancelled", "the flash was cancelled");
}

async function sendBlock(client: LoaderClient, stream: Stream, sequence: number, flashBytes: number): Promise<void> {
  const block = stream.blocks[sequence];
  if (block === undefined) return;
  const data = stream.bytes.subarray(block.from, block.to);
  for (let attempt = 1; ; attempt++) {
    try {
      await client.block(stream.data, data, sequence, { flashBytes });
      return;
    } catch (error) {
      // A stub takes a block again whose checksum was wrong; a ROM has counted it already.
      const again = client.personality === "stub" && error instanceof LoaderRefusal && error.status[0] === 0xc1;
      if (!again || attempt === blockAttempts) throw error;
    }
  }
}

function isWorthAnotherTry(error: unknown): boolean {
  return error instanceof LoaderRefusal || (error instanceof FlashError && error.code === "timeout");
}

/** After an error anything may be on the line: ends a frame that was cut, lets late answers come, and asks for a sign of life; false when none comes. */
async function resync(client: LoaderClient): Promise<boolean> {
  for (let tries = 0; tries < 10; tries++) {
    if (tries % 2 === 0) await client.realign();
    await client.flush();
    if ((await client.sync(100)) !== undefined) return true;
  }
  return false;
}

function placed(error: unknown, run: Run): unknown {
  if (!(error instanceof FlashError) || error.code === "cancelled" || error.code === "disconnected") return error;
  return new FlashError(
    error.code,
    `writing ${run.data.length / 1024} KiB at ${hex(run.address)} failed: ${error.message}`,
    {
      cause: error,
    },
  );
}
