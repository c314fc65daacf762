/** From the word for a port to its board: real ports, and simulated boards that live as long as the server does. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { realBoard, type BoardAtPort } from "../engine/board-port.ts";
import { familyBehind } from "../engine/families.ts";
import type { Family } from "../engine/family.ts";
import { replaceFile } from "../engine/state-folder.ts";
import { linkOf, simBoardId } from "../sim/catalogue.ts";
import { simPort, type SimPort } from "../sim/sim-port.ts";
import { isBehindGdbServer, parsePortName } from "../transport/port-name.ts";
import type { GdbLaunches } from "./gdb-launches.ts";

interface KeptBoard {
  readonly sim: SimPort;
  /** Milliseconds since 1970 of the flash chip's file as this board has read or written it; 0 = there was none. */
  fileMs: number;
}

export class Boards {
  readonly #stateFolder: string;
  readonly #launches: GdbLaunches | undefined;
  readonly #simulated = new Map<string, KeptBoard>();

  /** @param launches undefined: GDB servers are reached by their address only */
  constructor(stateFolder: string, launches?: GdbLaunches) {
    this.#stateFolder = stateFolder;
    this.#launches = launches;
  }

  /** @throws FlashError `board-not-found` for a name that is no port, `refused` for a bad fault */
  async at(port: string): Promise<BoardAtPort> {
    const name = parsePortName(port);
    if (name.kind === "sim") return this.#simulatedBoard(port, name.board);
    const isLookedUp = name.kind === "gdb-launch" || name.kind === "gdb-settings";
    return (isLookedUp ? this.#launches?.board(port, name) : undefined) ?? realBoard(port);
  }

  /** How boards at this port are spoken to; opens nothing. @throws FlashError `board-not-found` for a name that is no port */
  familyAt(port: string): Family {
    const name = parsePortName(port);
    return familyBehind(name.kind === "sim" ? linkOf(name.board) : isBehindGdbServer(name) ? "gdb" : "serial");
  }

  /** The flash chip is a file that the command line uses too: who finds it changed takes it as it is now. */
  async #simulatedBoard(port: string, words: string): Promise<BoardAtPort> {
    const file = join(this.#stateFolder, "sim", `${simBoardId(words)}.bin`);
    const fileMs = await changedAt(file);
    let kept = this.#simulated.get(port);
    if (kept?.fileMs !== fileMs) {
      const flash = fileMs === 0 ? undefined : await readFile(file).catch(() => undefined);
      kept = { sim: simPort(port, words, flash), fileMs };
      this.#simulated.set(port, kept);
    }
    const { sim } = kept;
    const board = kept;
    return {
      port,
      board: sim.board,
      clock: sim.clock,
      open: () => Promise.resolve(sim.open()),
      family: familyBehind(sim.link),
      wake: () => sim.wake(),
      finish: async () => {
        await replaceFile(file, sim.flash);
        board.fileMs = await changedAt(file);
        return undefined;
      },
    };
  }
}

async function changedAt(file: string): Promise<number> {
  return stat(file).then(
    (found) => found.mtimeMs,
    () => 0,
  );
}
