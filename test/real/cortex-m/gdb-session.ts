/** Our GDB client on a server of these rigs, on the clock of the wall. */
import { systemClock } from "../../../src/engine/system-clock.ts";
import type { GdbClient } from "../../../src/targets/gdb/client.ts";
import { connectGdb } from "../../../src/targets/gdb/connect.ts";
import type { GdbContext } from "../../../src/targets/gdb/wire.ts";
import { openTcp } from "../../../src/transport/tcp.ts";
import type { Transport } from "../../../src/transport/transport.ts";

export class GdbSession implements AsyncDisposable {
  readonly client: GdbClient;
  readonly transport: Transport;
  readonly #lines: string[];

  private constructor(client: GdbClient, transport: Transport, lines: string[]) {
    this.client = client;
    this.transport = transport;
    this.#lines = lines;
  }

  static async open(port: number): Promise<GdbSession> {
    const lines: string[] = [];
    const transport = await openTcp(`tcp://127.0.0.1:${port}`);
    try {
      return new GdbSession(await connectGdb(transport, contextOf(lines)), transport, lines);
    } catch (error) {
      await transport[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What went into the log of --verbose. */
  get log(): readonly string[] {
    return this.#lines;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.transport[Symbol.asyncDispose]();
  }
}

function contextOf(lines: string[]): GdbContext {
  return {
    clock: systemClock,
    signal: new AbortController().signal,
    log: (line) => {
      lines.push(line);
    },
  };
}
