/** From the word behind --port to something a job can open: real ports, and simulated boards in this process. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import { FlashError } from "../core/errors.ts";
import { replaceFile } from "../engine/state-folder.ts";
import { systemClock } from "../engine/system-clock.ts";
import { parsePortName } from "../transport/port-name.ts";
import type { SerialTransport } from "../transport/transport.ts";

export interface BoardAtPort {
  /** As the user named it. */
  readonly port: string;
  /** The catalogue's name, for simulated boards only. */
  readonly board?: string;
  readonly clock: Clock;
  open(): Promise<SerialTransport>;
  /** To be called when the job is over, however it ended. @returns what the board said when its program started, where that is known */
  finish(): Promise<string | undefined>;
}

/** @throws FlashError `board-not-found` for a name that is no port */
export async function boardAtPort(port: string, stateFolder: string): Promise<BoardAtPort> {
  const name = parsePortName(port);
  if (name.kind === "gdb") {
    throw new FlashError(
      "board-not-found",
      `${port} is a GDB server; boards behind GDB servers are not supported yet`,
      {
        remedy: "Use a serial port, tcp://, rfc2217:// or sim:<board>.",
      },
    );
  }
  if (name.kind === "sim") return simulatedBoard(port, name.board, stateFolder);
  return {
    port,
    clock: systemClock,
    open: async () => (await import("../transport/open.ts")).openPort(port, { baudRate: 115_200 }),
    finish: () => Promise.resolve(undefined),
  };
}

/** `esp32c3`, or `esp32c3?speed=max` for one that does not wait for real time. Its flash chip is a file in the state folder. */
async function simulatedBoard(port: string, words: string, stateFolder: string): Promise<BoardAtPort> {
  const { makeSimBoard } = await import("../sim/boards.ts");
  const { SimTransport } = await import("../sim/sim-transport.ts");
  const { PacedClock, VirtualClock } = await import("../sim/virtual-clock.ts");
  const [id = "", query = ""] = words.split("?", 2);
  const clock = new URLSearchParams(query).get("speed") === "max" ? new VirtualClock() : new PacedClock();
  const file = join(stateFolder, "sim", `${id}.bin`);
  const flash = await readFile(file).catch(() => undefined);
  const board = makeSimBoard(flash === undefined ? { board: id, factory: true } : { board: id, flash });
  return {
    port,
    board: `${id}-sim`,
    clock,
    open: () => Promise.resolve(new SimTransport(board, clock, { name: port })),
    finish: async () => {
      await replaceFile(file, board.flash);
      return whatItSays(board, clock.nowMs());
    },
  };
}

/** The port of the only board that is plugged in. @throws FlashError `board-not-found` when there is none or more than one */
export async function onlyBoardPort(): Promise<string> {
  const { listPorts } = await import("../transport/ports.ts");
  const ports = (await listPorts()).filter((port) => port.bridge !== undefined && port.bridge.kind !== "debug-probe");
  const [only, ...more] = ports;
  if (only === undefined) {
    throw new FlashError("board-not-found", "no board is plugged in that Deltaflash recognises", {
      remedy: "Plug the board in or name its port with --port; sim:esp32c3 is a simulated one.",
    });
  }
  if (more.length > 0) {
    throw new FlashError("board-not-found", `there are several boards: ${ports.map((port) => port.path).join(", ")}`, {
      remedy: "Name the one you mean with --port.",
    });
  }
  return only.path;
}

/** Longer than a simulated board takes from reset to its program's first line. */
const bootMs = 1_000;

/** The last line of a simulated board's boot, a second after the job: which program runs, or why none does. */
function whatItSays(
  board: { advance(toMs: number): Uint8Array; readonly bootLog: string },
  nowMs: number,
): string | undefined {
  try {
    board.advance(nowMs + bootMs);
  } catch {
    return undefined; // its cable was pulled
  }
  return board.bootLog.trim().split(/\r?\n/).at(-1);
}
