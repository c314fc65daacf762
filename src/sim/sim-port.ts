/** A simulated board behind a port name: `esp32c3`, `esp32c3?speed=max`, `esp32c3?fault=unplug@erase:2`. Its flash chip is bytes that the caller keeps. */
import type { Clock } from "../core/clock.ts";
import type { SerialTransport } from "../transport/transport.ts";
import { linkOf, makeAnySimBoard, simBoardId, type CatalogueRow } from "./catalogue.ts";
import { SimTransport } from "./sim-transport.ts";
import { PacedClock, VirtualClock } from "./virtual-clock.ts";

export interface SimPort {
  /** The catalogue's name, `esp32c3-sim`. */
  readonly board: string;
  /** How a host reaches it. */
  readonly link: CatalogueRow["link"];
  readonly clock: Clock;
  /** The contents of the whole flash chip, live. */
  readonly flash: Uint8Array;
  /** What the board said while nobody listened is lost. */
  open(): SerialTransport;
  /** Lets the time that nobody waited for pass: a board that was left alone for a minute is a minute older. */
  wake(): void;
  /** The last line of its boot, a second from now: which program runs, or why none does. */
  says(): string | undefined;
}

/** Longer than a simulated board takes from reset to its program's first line. */
const bootMs = 1_000;
/** Other work of this process gets its turn this often. */
const turnMs = 8;

/**
 * @param flash contents of the flash chip; undefined: as it leaves the factory
 * @throws FlashError `board-not-found` for a board that there is not, `refused` for a bad fault
 */
export function simPort(port: string, words: string, flash: Uint8Array | undefined): SimPort {
  const id = simBoardId(words);
  const query = new URLSearchParams(words.slice(id.length + 1));
  const startMs = performance.now();
  const hurries = query.get("speed") === "max";
  const clock = hurries ? new HurriedClock() : new PacedClock();
  const faults = query.get("fault");
  const board = makeAnySimBoard(words, {
    ...(flash === undefined ? { factory: true } : { flash }),
    ...(faults === null ? {} : { faults }),
  });
  const hasModemLines = board.hostConnects === undefined;
  const wake = () => {
    if (!hurries) clock.advanceTo(performance.now() - startMs);
  };
  return {
    board: `${id}-sim`,
    link: linkOf(words),
    clock,
    flash: board.flash,
    open: () => {
      if (!board.isUnplugged) board.advance(clock.nowMs());
      return new SimTransport(board, clock, { name: port, hasModemLines });
    },
    wake,
    says: () => {
      try {
        board.advance(clock.nowMs() + bootMs);
      } catch {
        return undefined; // its cable was pulled
      }
      const last = board.bootLog.trim().split(/\r?\n/).at(-1);
      return last === "" ? undefined : last;
    },
  };
}

/** Waits for nothing, but lets the rest of the process live. */
class HurriedClock extends VirtualClock {
  #turnAt = performance.now();

  override settle(): Promise<void> | undefined {
    if (performance.now() - this.#turnAt < turnMs) return undefined;
    return new Promise((resolve) =>
      setImmediate(() => {
        this.#turnAt = performance.now();
        resolve();
      }),
    );
  }
}
