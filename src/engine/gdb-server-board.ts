/** The board behind a GDB server that is looked up, and started if need be, when the port is opened. */
import type { GdbServerLaunch } from "../build/gdb-server-launch.ts";
import { parsePortName } from "../transport/port-name.ts";
import type { ModemLines, SerialTransport, TransportCounters } from "../transport/transport.ts";
import type { BoardAtPort } from "./board-port.ts";
import { familyBehind } from "./families.ts";
import type { GdbServers } from "./gdb-server.ts";
import { systemClock } from "./system-clock.ts";

/** @param launch what the name stands for at this moment; @throws FlashError `board-not-found` */
export function boardBehindServer(
  port: string,
  servers: GdbServers,
  launch: () => Promise<GdbServerLaunch>,
): BoardAtPort {
  return {
    port,
    family: familyBehind("gdb"),
    clock: systemClock,
    open: async () => open(port, servers, await launch()),
    wake: () => undefined,
    finish: () => Promise.resolve(undefined),
  };
}

async function open(port: string, servers: GdbServers, launch: GdbServerLaunch): Promise<SerialTransport> {
  const { openPort } = await import("../transport/open.ts");
  const { attach = "" } = launch;
  const options = { baudRate: 115_200 };
  if (attach !== "" && parsePortName(attach).kind === "gdb-serial") return openPort(attach, options);
  const { host, port: number } = await servers.at(launch);
  const address = `gdb://${host.includes(":") ? `[${host}]` : host}:${number}`;
  const explain = (error: unknown, answered: boolean) => servers.explain({ port, launch, answered }, error);
  return new ServedTransport(await openPort(address, options), explain);
}

const DOLLAR = 0x24; // begins every packet; OpenOCD sends a `+` even to clients that it turns away

/** Says what became of the server when the connection to it breaks. */
class ServedTransport implements SerialTransport {
  readonly #wire: SerialTransport;
  readonly #explain: (error: unknown, answered: boolean) => Promise<Error>;
  #answered = false;

  constructor(wire: SerialTransport, explain: (error: unknown, answered: boolean) => Promise<Error>) {
    this.#wire = wire;
    this.#explain = explain;
  }

  get name(): string {
    return this.#wire.name;
  }

  get counters(): TransportCounters {
    return this.#wire.counters;
  }

  get hasModemLines(): boolean {
    return false;
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      await this.#wire.write(bytes);
    } catch (error) {
      throw await this.#explain(error, this.#answered);
    }
  }

  async read(timeoutMs: number): Promise<Uint8Array> {
    try {
      const bytes = await this.#wire.read(timeoutMs);
      this.#answered ||= bytes.includes(DOLLAR);
      return bytes;
    } catch (error) {
      throw await this.#explain(error, this.#answered);
    }
  }

  flushInput(): Promise<void> {
    return this.#wire.flushInput();
  }

  setSignals(signals: ModemLines): Promise<void> {
    return this.#wire.setSignals(signals);
  }

  setBaudRate(baud: number): Promise<void> {
    return this.#wire.setBaudRate(baud);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#wire[Symbol.asyncDispose]();
  }
}
