/** From the word behind --port to something a job can open: real ports, and simulated boards in this process. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FlashError } from "../core/errors.ts";
import { realBoard, type BoardAtPort } from "../engine/board-port.ts";
import { familyBehind } from "../engine/families.ts";
import { systemClock } from "../engine/system-clock.ts";
import { replaceFile } from "../engine/state-folder.ts";
import { parsePortName } from "../transport/port-name.ts";

/** @throws FlashError `board-not-found` for a name that is no port */
export async function boardAtPort(port: string, stateFolder: string): Promise<BoardAtPort> {
  const name = parsePortName(port);
  if (name.kind === "gdb-launch") return launchedBoard(port, name.name);
  return name.kind === "sim" ? simulatedBoard(port, name.board, stateFolder) : realBoard(port);
}

/** Behind the GDB server that this folder's launch.json names; if it has to be started, it ends with the command. */
async function launchedBoard(port: string, name: string): Promise<BoardAtPort> {
  const [{ launchServerNamed, launchServers }, { boardBehindServer }, { GdbServers }] = await Promise.all([
    import("../build/find-launch-server.ts"),
    import("../engine/gdb-server-board.ts"),
    import("../engine/gdb-server.ts"),
  ]);
  const servers = new GdbServers({ clock: systemClock, log: () => undefined });
  const board = boardBehindServer(port, servers, async () =>
    launchServerNamed(name, await launchServers([process.cwd()], process.env)),
  );
  return { ...board, finish: () => servers.close().then(() => undefined) };
}

/** `esp32c3`, or `esp32c3?speed=max` for one that does not wait for real time. Its flash chip is a file in the state folder. */
async function simulatedBoard(port: string, words: string, stateFolder: string): Promise<BoardAtPort> {
  const { simBoardId } = await import("../sim/catalogue.ts");
  const { simPort } = await import("../sim/sim-port.ts");
  const file = join(stateFolder, "sim", `${simBoardId(words)}.bin`);
  const sim = simPort(port, words, await readFile(file).catch(() => undefined));
  return {
    port,
    board: sim.board,
    family: familyBehind(sim.link),
    clock: sim.clock,
    open: () => Promise.resolve(sim.open()),
    wake: () => sim.wake(),
    finish: async () => {
      await replaceFile(file, sim.flash);
      return sim.says();
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
