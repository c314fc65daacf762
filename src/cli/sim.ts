/** `deltaflash sim`: serves a simulated board to any program until it is told to stop. */
import { readFile } from "node:fs/promises";
import { replaceFile } from "../engine/state-folder.ts";
import { makeSimBoard, simBoards } from "../sim/boards.ts";
import { serve } from "../sim/serve.ts";
import { exitCodes, UsageError, type ExitCode } from "./exit.ts";
import { readNumber, readOptions } from "./options.ts";

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

export async function simCommand(args: readonly string[]): Promise<ExitCode> {
  const { values, positionals } = readOptions(args, options);
  const [id, ...more] = positionals;
  if (id === undefined || more.length > 0) {
    throw new UsageError(`sim takes one board: ${simBoards.map((board) => board.id).join(", ")}`);
  }
  const speed = speeds.find((one) => one === (values.speed ?? "real"));
  if (speed === undefined) throw new UsageError(`--speed is ${speeds.join(", ")}`);
  const listen = values.listen ?? "tcp://127.0.0.1:0";
  const flash = values.flash === undefined ? undefined : await flashContents(values.flash, id);
  // Over raw TCP and a pty nobody can reset the board, so it starts in its loader.
  const hasLines = listen.startsWith("rfc2217:");
  const board = makeSimBoard({
    board: id,
    ...(flash === undefined ? {} : { flash }),
    ...(values.factory === true ? { factory: true } : {}),
    ...(values.fault === undefined ? {} : { faults: values.fault }),
    ...(values.seed === undefined ? {} : { seed: readNumber(values.seed, "--seed") }),
    startInLoader: !hasLines,
  });
  const server = await serve(board, listen, { speed });
  process.stdout.write(`listening ${server.address}\n`);
  await untilToldToStop();
  await server.close();
  if (values.flash !== undefined) await replaceFile(values.flash, board.flash);
  process.stdout.write(`${JSON.stringify(board.counters())}\n`);
  return exitCodes.done;
}

/** A new file stands for a blank chip. */
async function flashContents(path: string, id: string): Promise<Uint8Array> {
  const size = simBoards.find((board) => board.id === id)?.flashBytes ?? 0x400000;
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    const blank = new Uint8Array(size).fill(0xff);
    await replaceFile(path, blank);
    return blank;
  }
}

function untilToldToStop(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
  });
}
