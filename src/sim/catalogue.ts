/**
 * All simulated boards by the words that name them, whatever they speak: `esp32c3`, `rp2040`, and for boards behind a GDB server
 * more about that: `rp2040?server=openocd&clock=1800000&latency=1`.
 */
import { FlashError } from "../core/errors.ts";
import type { SimBoard } from "./board.ts";
import { makeSimBoard, simBoards } from "./boards.ts";
import { makeCortexBoard } from "./cortex-m/cortex-boards.ts";
import { simChips } from "./cortex-m/chips.ts";
import { personalities, type PersonalityName } from "./cortex-m/personalities.ts";
import type { Fault } from "./fault-spec.ts";

export interface CatalogueRow {
  readonly id: string;
  readonly title: string;
  readonly flashBytes: number;
  /** How a host reaches it: a serial port's wire, or a GDB server's port. */
  readonly link: "serial" | "gdb";
}

export const simCatalogue: readonly CatalogueRow[] = [
  ...simBoards.map(({ id, title, flashBytes }) => ({ id, title, flashBytes, link: "serial" }) as const),
  ...simChips.map(({ id, title, flash }) => ({ id, title, flashBytes: flash.bytes, link: "gdb" }) as const),
];

/** What every simulated board can tell, beside what it says on its wire. */
export interface AnySimBoard extends SimBoard {
  /** The contents of the whole flash memory, live. */
  readonly flash: Uint8Array;
  /** What its firmware printed. */
  readonly bootLog: string;
  readonly isUnplugged: boolean;
}

export interface AnySimBoardOptions {
  /** Contents of the whole flash memory. Default: as it leaves the factory, or with `isBlank` all 0xff. */
  readonly flash?: Uint8Array | undefined;
  /** Boards with a loader of their own get a minimal program. */
  readonly factory?: boolean;
  readonly faults?: string | readonly Fault[];
  readonly seed?: number;
  readonly startInLoader?: boolean;
}

/** Which board the words mean. */
export function simBoardId(words: string): string {
  return words.split("?", 1)[0] ?? "";
}

/** How a host reaches the board that the words mean; `serial` for one that there is not. */
export function linkOf(words: string): CatalogueRow["link"] {
  return simCatalogue.find(({ id }) => id === simBoardId(words))?.link ?? "serial";
}

/** @throws FlashError `board-not-found` for a board or server that there is not, `refused` for a bad fault */
export function makeAnySimBoard(words: string, options: AnySimBoardOptions): AnySimBoard {
  const board = simBoardId(words);
  const common = {
    board,
    ...(options.flash === undefined ? {} : { flash: options.flash }),
    ...(options.faults === undefined ? {} : { faults: options.faults }),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
  };
  const row = simCatalogue.find(({ id }) => id === board);
  if (row === undefined) {
    throw new FlashError("board-not-found", `there is no simulated board "${board}"`, {
      remedy: `Choose one of ${simCatalogue.map(({ id }) => id).join(", ")}.`,
    });
  }
  if (row.link === "gdb") {
    return makeCortexBoard({ ...common, ...serverWords(new URLSearchParams(words.slice(board.length + 1))) });
  }
  return makeSimBoard({
    ...common,
    factory: options.factory ?? false,
    startInLoader: options.startInLoader ?? false,
  });
}

/** `server=`, `clock=` in Hz, `latency=` in ms each way, `rate=` in bytes per second, `locked`. */
function serverWords(query: URLSearchParams) {
  const name = query.get("server");
  const number = (key: string) => (query.has(key) ? Number(query.get(key)) : undefined);
  const [clockHz, latencyMs, bytesPerSecond] = [number("clock"), number("latency"), number("rate")];
  const server = personalities.find((one) => one.name === name)?.name;
  if (name !== null && server === undefined) {
    throw new FlashError("board-not-found", `there is no simulated GDB server "${name}"`, {
      remedy: `Choose one of ${personalities.map((one) => one.name).join(", ")}.`,
    });
  }
  return {
    ...(server === undefined ? {} : { server: server satisfies PersonalityName }),
    probe: {
      ...(clockHz === undefined ? {} : { clockHz }),
      ...(latencyMs === undefined ? {} : { latencyMs }),
      ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
    },
    isLocked: query.has("locked"),
  };
}
