/** `deltaflash sim`: serves a simulated board to any program until it is told to stop. */
import { readFile } from "node:fs/promises";
import { FlashError } from "../core/errors.ts";
import { replaceFile } from "../engine/state-folder.ts";
import {
  makeAnySimBoard,
  simBoardId,
  simCatalogue,
  type AnySimBoard,
  type AnySimBoardOptions,
} from "../sim/catalogue.ts";
import { parseFaults } from "../sim/fault-spec.ts";
import { serve } from "../sim/serve.ts";
import { exitCodes, UsageError, type ExitCode } from "./exit.ts";
import { readNumber, readOptions } from "./options.ts";
import { unwritable } from "./outputs.ts";

const text = { type: "string" } as const;
const options = {
  listen: text,
  flash: text,
  speed: text,
  fault: text,
  seed: text,
  factory: { type: "boolean" },
} as const;
const speeds = ["real", "10x", "max"] as const;
const smallestChip = 64 * 1024;

export async function simCommand(args: readonly string[]): Promise<ExitCode> {
  const stopped = untilToldToStop();
  const { values, positionals } = readOptions(args, options);
  const [words = "", ...more] = positionals;
  const row = simCatalogue.find((one) => one.id === simBoardId(words));
  if (row === undefined || more.length > 0) {
    throw new UsageError(`sim takes one board: ${simCatalogue.map((one) => one.id).join(", ")}`);
  }
  const speed = speeds.find((one) => one === (values.speed ?? "real"));
  if (speed === undefined) throw new UsageError(`--speed ${values.speed ?? ""} is not one of ${speeds.join(", ")}`);
  const faults = values.fault === undefined ? [] : offWords(() => parseFaults(values.fault ?? ""));
  const seed = values.seed === undefined ? 1 : readNumber(values.seed, "--seed");
  const listen = values.listen ?? (row.link === "gdb" ? "gdb://127.0.0.1:0" : "tcp://127.0.0.1:0");
  const flash = values.flash === undefined ? undefined : await flashContents(values.flash, row.flashBytes);
  // Over raw TCP and a pty nobody can reset the board, so it starts in its loader.
  const startInLoader = !listen.startsWith("rfc2217:");
  const factory = values.factory ?? false;
  const board = boardOf(words, { flash, factory, faults, seed, startInLoader });
  const server = await serve(board, listen, { speed }).catch((error: unknown) => {
    throw error instanceof FlashError && error.code === "board-not-found" ? inWords(error) : error;
  });
  process.stdout.write(`listening ${server.address}\n`);
  const lost = await Promise.race([stopped, server.ended]);
  await server.close();
  if (values.flash !== undefined) await replaceFile(values.flash, board.flash);
  process.stdout.write(`${JSON.stringify(board.counters())}\n`);
  if (lost !== undefined) {
    throw new FlashError(lost.code, lost.message, { cause: lost, remedy: "Start the simulated board again." });
  }
  return exitCodes.done;
}

/** A server that there is not is a word that is off; contents that do not fit the board are not. */
function boardOf(words: string, options: AnySimBoardOptions): AnySimBoard {
  try {
    return makeAnySimBoard(words, options);
  } catch (error) {
    throw error instanceof FlashError && error.code === "board-not-found" ? inWords(error) : error;
  }
}

/** What is wrong with the words of an option is a matter of the command line, not of a board. */
function offWords<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof FlashError ? inWords(error) : error;
  }
}

function inWords(error: FlashError): UsageError {
  return new UsageError(`${error.message}\n${error.remedy}`);
}

/** A new file stands for a blank chip. */
async function flashContents(path: string, flashBytes: number): Promise<Uint8Array> {
  let contents: Uint8Array;
  try {
    contents = await readFile(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw unwritable(path, cause);
    contents = new Uint8Array(flashBytes).fill(0xff);
    await replaceFile(path, contents).catch((error: unknown) => {
      throw unwritable(path, error);
    });
  }
  if (contents.length >= smallestChip && Number.isInteger(Math.log2(contents.length))) return contents;
  throw new FlashError("bad-image", `${path} holds ${contents.length} bytes, which is no size of a flash chip`, {
    remedy: "Give the contents of a whole chip, 64 KiB or more and a power of two, or a file that does not exist yet.",
  });
}

function untilToldToStop(): Promise<undefined> {
  return new Promise((resolve) => {
    process.once("SIGINT", () => resolve(undefined));
    process.once("SIGTERM", () => resolve(undefined));
  });
}
