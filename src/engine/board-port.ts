/** A port with a board behind it, real or simulated, as jobs see it. Names of simulated boards are for front ends to resolve. */
import type { Clock } from "../core/clock.ts";
import { isBehindGdbServer, parsePortName } from "../transport/port-name.ts";
import type { SerialTransport } from "../transport/transport.ts";
import { familyBehind } from "./families.ts";
import type { Family } from "./family.ts";
import { systemClock } from "./system-clock.ts";

export interface BoardAtPort {
  /** As the user named it. */
  readonly port: string;
  /** The catalogue's name, for simulated boards only. */
  readonly board?: string;
  readonly family: Family;
  /** The time in which the board lives. */
  readonly clock: Clock;
  open(): Promise<SerialTransport>;
  /** To be called before each use after a pause: the time of a simulated board catches up with ours. */
  wake(): void;
  /** To be called when the job is over, however it ended. @returns what the board said when its program started, where that is known */
  finish(): Promise<string | undefined>;
}

/** @throws FlashError `board-not-found` for a name that is no port */
export function realBoard(port: string): BoardAtPort {
  return {
    port,
    family: familyBehind(isBehindGdbServer(parsePortName(port)) ? "gdb" : "serial"),
    clock: systemClock,
    open: async () => (await import("../transport/open.ts")).openPort(port, { baudRate: 115_200 }),
    wake: () => undefined,
    finish: () => Promise.resolve(undefined),
  };
}
