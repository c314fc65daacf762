/**
 * GDB servers that flashes need: attached to where one listens, else started, kept running between flashes, and ended with us. Ends
 * nothing that it has not started. Knows nothing of the protocol that is spoken there.
 */
import { freePortMark, gdbPortMark, type GdbServerKind, type GdbServerLaunch } from "../build/gdb-server-launch.ts";
import type { ServerProgram } from "../build/gdb-server-launch.ts";
import type { Clock } from "../core/clock.ts";
import { FlashError } from "../core/errors.ts";
import { parsePortName, type SocketAddress } from "../transport/port-name.ts";
import {
  clientTurnedAway,
  isPortTaken,
  nothingListens,
  serverDied,
  serverNeverReady,
  serverOf,
} from "./gdb-server-errors.ts";
import { freePort, hasClients, isListening } from "./listening.ts";
import { ServerProcess } from "./server-process.ts";

export interface GdbServersParts {
  readonly clock: Clock;
  log(line: string): void;
  /** How long a server may take until it listens; undefined: 10 s. */
  readonly readyMs?: number;
}

export interface GdbServerAddress extends SocketAddress {
  /** `foreign`: it was there already, and is left alone. */
  readonly origin: "started" | "kept" | "foreign";
}

interface Own {
  readonly launch: GdbServerLaunch;
  readonly process: ServerProcess;
  port: number | undefined;
}

const usualReadyMs = 10_000;
const pollMs = 20;
/** Where looking means connecting, it is done less often. */
const pollsPerLook = process.platform === "linux" ? 1 : 5;
/** A server that listens but has not said so, because it was told to be quiet. */
const quietMs = process.platform === "linux" ? 1_000 : 5_000;
const tries = 3;

/** What servers say when they listen; the first group is the port. Without an entry: they are ready as soon as they listen. */
const readyWords: Partial<Record<GdbServerKind, RegExp>> = {
  openocd: /Listening on port (\d+) for gdb connections/, // src/server/server.c; the first core comes first
  jlink: /Waiting for GDB connection/, // UM08001; its own words for the port are another line
  pyocd: /GDB server (?:listening|started) (?:at|on) port (\d+)/i, // pyocd/gdbserver/gdbserver.py
  "st-util": /Listening at \*:(\d+)/, // src/st-util/gdb-server.c
  "st-link": /Waiting for debugger connection/,
};
/** J-Link's says that it waits before it can answer: Cortex-Debug's src/jlink.ts gives it this long. */
const settleMs: Partial<Record<GdbServerKind, number>> = { jlink: 500 };

export class GdbServers {
  readonly #parts: GdbServersParts;
  readonly #own = new Map<string, Own>();
  /** By launch: one thing at a time. */
  readonly #turns = new Map<string, Promise<unknown>>();
  #closed = false;

  constructor(parts: GdbServersParts) {
    this.#parts = parts;
  }

  /**
   * The server's address; starts it if need be. The same launch gets the same server, a changed one a new one in its place.
   * @throws FlashError `board-not-found` where there is nothing to connect to or to start; `disconnected` for a server that ends,
   * `timeout` for one that never listens, `port-busy` for a probe or port that is taken, each with its last words; `cancelled` after `close`
   */
  at(launch: GdbServerLaunch): Promise<GdbServerAddress> {
    const before = this.#turns.get(launch.id) ?? Promise.resolve();
    const turn = before.catch(() => undefined).then(() => this.#at(launch));
    this.#turns.set(launch.id, turn);
    return turn;
  }

  /**
   * What an error of a connection means, now that the server can be asked what became of it.
   * @param answered false: the connection broke, or nothing came, before the server's first answer
   */
  async explain(
    {
      port,
      launch,
      answered,
    }: { readonly port: string; readonly launch?: GdbServerLaunch; readonly answered: boolean },
    error: unknown,
  ): Promise<FlashError> {
    const own = launch === undefined ? undefined : this.#own.get(launch.id);
    if (own !== undefined && launch !== undefined) {
      await Promise.race([own.process.ended, this.#parts.clock.sleep(pollMs * 5)]); // the connection's end comes first
      if (own.process.end !== undefined) return serverDied(launch, own.process);
    }
    if (!answered) return clientTurnedAway(port, own?.process, error);
    return error instanceof FlashError ? error : clientTurnedAway(port, own?.process, error);
  }

  /** Ends servers whose configuration is gone or another one now, unless somebody is connected: that may be a flash. */
  async keepOnly(launches: readonly GdbServerLaunch[]): Promise<void> {
    const kept = new Map(launches.map((launch) => [launch.id, commandLine(launch)]));
    const over = [...this.#own.values()].filter(({ launch }) => kept.get(launch.id) !== commandLine(launch));
    await Promise.all(
      over.map(async (own) => {
        const isUsed = own.port === undefined || (await hasClients(own.port)) === true;
        if (!isUsed) await this.#end(own);
      }),
    );
  }

  /** Ends what was started: SIGTERM, after 500 ms SIGKILL. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#own.values()].map((own) => this.#end(own)));
  }

  async #at(launch: GdbServerLaunch): Promise<GdbServerAddress> {
    this.#checkOpen();
    const own = this.#own.get(launch.id);
    const fixed = fixedAddress(launch);
    if (own !== undefined) {
      const isSame = commandLine(own.launch) === commandLine(launch);
      if (isSame && own.port !== undefined && own.process.end === undefined) return address(own.port, "kept");
      if (own.process.end !== undefined) this.#parts.log(serverDied(own.launch, own.process).message);
      await this.#end(own);
    }
    if (fixed !== undefined && !isLocal(fixed.host)) return { ...fixed, origin: "foreign" };
    if (fixed !== undefined && (await isListening(fixed.port))) return { ...fixed, origin: "foreign" };
    const { program } = launch;
    if (program === undefined) throw nothingListens(launch);
    return this.#startFirstTime(launch, program, fixed?.port);
  }

  /** Servers of ours that nobody uses make way if they may be what keeps this one from its probe. */
  async #startFirstTime(launch: GdbServerLaunch, program: ServerProgram, port: number | undefined) {
    try {
      return await this.#start(launch, program, port);
    } catch (error) {
      const idle =
        error instanceof FlashError && error.code !== "board-not-found" ? await this.#idleOthers(launch) : [];
      if (idle.length === 0) throw error;
      await Promise.all(idle.map((own) => this.#end(own)));
      return this.#start(launch, program, port);
    }
  }

  async #start(launch: GdbServerLaunch, program: ServerProgram, fixed: number | undefined): Promise<GdbServerAddress> {
    for (let attempt = 1; ; attempt++) {
      this.#checkOpen();
      const port = fixed ?? (usesMark(program, gdbPortMark) ? await freePort() : undefined);
      const args = await withPorts(program.args, port);
      const process = new ServerProcess({
        ...{ command: program.command, args, cwd: program.cwd, clock: this.#parts.clock },
        log: (line) => this.#parts.log(`${launch.name}: ${line}`),
      });
      const own: Own = { launch, process, port: undefined };
      this.#own.set(launch.id, own);
      this.#parts.log(`started ${[program.command, ...args].join(" ")} (process ${process.pid ?? "none"})`);
      try {
        own.port = await this.#ready(own, program, port);
        process.hasStarted();
        return address(own.port, "started");
      } catch (error) {
        const mayRetry = fixed === undefined && port !== undefined && isPortTaken(process) && attempt < tries;
        await this.#end(own);
        this.#checkOpen();
        if (!mayRetry) throw error;
      }
    }
  }

  /** @param port undefined: only its words tell. @returns the port at which it listens */
  async #ready({ launch, process }: Own, program: ServerProgram, port: number | undefined): Promise<number> {
    const { clock, readyMs = usualReadyMs } = this.#parts;
    const pattern = program.readyPattern === undefined ? readyWords[launch.kind] : new RegExp(program.readyPattern);
    const startMs = clock.nowMs();
    for (let poll = 0; clock.nowMs() - startMs < readyMs; poll++) {
      if (process.end !== undefined) throw serverDied(launch, process);
      const said = pattern?.exec(process.text);
      const heard = Number(said?.[1] ?? port);
      if (said !== null && said !== undefined && heard > 0 && heard <= 65_535) {
        await Promise.race([clock.sleep(settleMs[launch.kind] ?? 0), process.ended]);
        return heard;
      }
      const mayLook = poll % pollsPerLook === 0 && (pattern === undefined || clock.nowMs() - startMs >= quietMs);
      if (port !== undefined && mayLook && (await isListening(port))) return port;
      await Promise.race([clock.sleep(pollMs), process.ended]);
    }
    throw serverNeverReady(launch, process, readyMs);
  }

  /** Where the system does not tell whether somebody uses them, they stay. */
  async #idleOthers(launch: GdbServerLaunch): Promise<readonly Own[]> {
    const others = [...this.#own.values()].filter((own) => own.launch.id !== launch.id);
    const idle = await Promise.all(
      others.map(async ({ port }) => port !== undefined && (await hasClients(port)) === false),
    );
    return others.filter((_, index) => idle[index]);
  }

  async #end(own: Own): Promise<void> {
    if (own.process.end === undefined) this.#parts.log(`ending ${serverOf(own.launch)}`);
    await own.process.stop();
    if (this.#own.get(own.launch.id) === own) this.#own.delete(own.launch.id);
  }

  #checkOpen(): void {
    if (this.#closed) throw new FlashError("cancelled", "no GDB server is started any more: Deltaflash is ending");
  }
}

/** @throws FlashError `board-not-found` for a server in a probe on a serial port, which is no address */
function fixedAddress({ attach, name }: GdbServerLaunch): SocketAddress | undefined {
  if (attach === undefined) return undefined;
  const parsed = parsePortName(attach);
  if (parsed.kind === "gdb") return { host: parsed.host, port: parsed.port };
  throw new FlashError("board-not-found", `the server of “${name}” is at ${attach}, which is no address on a network`);
}

function address(port: number, origin: GdbServerAddress["origin"]): GdbServerAddress {
  return { host: "127.0.0.1", port, origin };
}

function isLocal(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d+){3}$/.test(host);
}

function commandLine({ program, attach }: GdbServerLaunch): string {
  return JSON.stringify([program?.command, program?.args, program?.cwd, attach]);
}

function usesMark({ args }: ServerProgram, mark: string): boolean {
  return args.some((arg) => arg.includes(mark));
}

async function withPorts(args: readonly string[], port: number | undefined): Promise<readonly string[]> {
  const filled: string[] = [];
  for (const arg of args) {
    let text = arg.replaceAll(gdbPortMark, String(port ?? 0));
    while (text.includes(freePortMark)) text = text.replace(freePortMark, String(await freePort()));
    filled.push(text);
  }
  return filled;
}
