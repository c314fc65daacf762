/**
 * The simulated Cortex-M boards that there are, and how to get one.
 *
 *     const clock = new VirtualClock();
 *     const board = makeCortexBoard({ board: "stm32f4", server: "openocd" });
 *     const transport = new SimTransport(board, clock, { hasModemLines: false });
 *     …speak GDB's remote protocol to it…
 *     board.flash, board.wear, board.bootLog, board.running, board.counters()
 *
 * A board has been under power for a while when time (0 ms) begins: its program runs, if there is one.
 */
import { FlashError } from "../../core/errors.ts";
import { parseFaults, type Fault } from "../fault-spec.ts";
import { FaultPlan } from "../faults.ts";
import { simChips } from "./chips.ts";
import { CortexBoard, type SocketLink } from "./cortex-board.ts";
import { personalities, type PersonalityName } from "./personalities.ts";
import type { ProbeLink } from "./probe.ts";

export interface CortexBoardOptions {
  /** `rp2040`, `stm32f4`, `nrf51` or `stm32f767`. */
  readonly board: string;
  /** Contents of the whole flash memory, used in place. Default: all 0xff. */
  readonly flash?: Uint8Array;
  /** Which server answers. Default `plain`. */
  readonly server?: PersonalityName;
  /** What differs from the server's usual probe: its latency, its rate, its clock. */
  readonly probe?: Partial<ProbeLink>;
  /** What differs from a server on this machine. */
  readonly socket?: Partial<SocketLink>;
  /** A text as of `parseFaults`, or what that gives. */
  readonly faults?: string | readonly Fault[];
  /** For everything that is random, what RAM holds at first included. */
  readonly seed?: number;
  /** Read protection is on. */
  readonly isLocked?: boolean;
  /** The server run-length codes what it says. */
  readonly packsReplies?: boolean;
}

/** @throws FlashError `board-not-found` for an unknown board or server, `refused` for a bad fault, `bad-image` for flash contents of another size */
export function makeCortexBoard(options: CortexBoardOptions): CortexBoard {
  const chip = simChips.find((one) => one.id === options.board);
  if (chip === undefined) {
    throw new FlashError("board-not-found", `there is no simulated board "${options.board}"`, {
      remedy: `Choose one of ${simChips.map((one) => one.id).join(", ")}.`,
    });
  }
  const server = options.server ?? "plain";
  const personality = personalities.find((one) => one.name === server);
  if (personality === undefined) {
    throw new FlashError("board-not-found", `there is no simulated GDB server "${server}"`, {
      remedy: `Choose one of ${personalities.map((one) => one.name).join(", ")}.`,
    });
  }
  const seed = options.seed ?? 1;
  const given = options.faults ?? [];
  return new CortexBoard({
    chip,
    flash: options.flash ?? new Uint8Array(chip.flash.bytes).fill(0xff),
    personality,
    probe: { ...personality.probe, ...options.probe },
    socket: { latencyMs: personality.socketMs, bytesPerSecond: Infinity, ...options.socket },
    faults: new FaultPlan(typeof given === "string" ? parseFaults(given) : given, seed),
    seed,
    isLocked: options.isLocked ?? false,
    packsReplies: options.packsReplies ?? false,
  });
}
