/** rp2040js's own GDB server around our board: no X, no Z, no monitor. On loopback only, which the package's own listener is not. */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { GDBConnection, GDBServer } from "rp2040js";
import type { Rp2040Board } from "./rp2040-board.ts";

/** The client waits so long at most until `^C` is seen. */
const sliceMs = 12;
const burst = 2_000;
const nanosPerCycle = 8;

export class Rp2040JsServer implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #execution: Execution;

  private constructor(server: Server, execution: Execution) {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    this.port = address.port;
    this.#server = server;
    this.#execution = execution;
  }

  static async start(board: Rp2040Board): Promise<Rp2040JsServer> {
    const execution = new Execution(board);
    const protocol = new GDBServer(execution);
    protocol.logger = board.rp2040.logger;
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const rig = new Rp2040JsServer(server, execution);
    server.on("connection", (socket) => {
      rig.#sockets.add(socket);
      socket.setNoDelay(true);
      // Whoever leaves leaves.
      socket.on("error", () => undefined);
      const connection = new GDBConnection(protocol, (text) => {
        if (socket.writable) socket.write(text, "latin1");
      });
      execution.onBreak = () => connection.onBreakpoint();
      socket.on("data", (bytes: Buffer) => connection.feedData(bytes.toString("latin1")));
      socket.on("close", () => {
        protocol.removeConnection(connection);
        rig.#sockets.delete(socket);
      });
    });
    return rig;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#execution.stop();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Runs the core in slices; a breakpoint stops it on its own instruction. */
class Execution {
  readonly rp2040: Rp2040Board["rp2040"];
  onBreak: () => void = () => undefined;
  readonly #board: Rp2040Board;
  #timer: NodeJS.Immediate | undefined;
  executing = false;

  constructor(board: Rp2040Board) {
    this.#board = board;
    this.rp2040 = board.rp2040;
    this.rp2040.onBreak = () => {
      const { core } = this.rp2040;
      core.PC -= core.breakRewind;
      this.stop();
      this.onBreak();
    };
  }

  execute(): void {
    this.executing = true;
    this.#timer = setImmediate(() => this.#slice());
  }

  stop(): void {
    this.executing = false;
    this.rp2040.core.waiting = false;
    clearImmediate(this.#timer);
  }

  #slice(): void {
    const { core } = this.rp2040;
    const endMs = performance.now() + sliceMs;
    while (this.executing && !core.waiting && performance.now() < endMs) {
      let cycles = 0;
      for (let count = 0; count < burst && this.#mayGoOn(); count++) cycles += core.executeInstruction();
      this.#board.clock.tick(cycles * nanosPerCycle);
    }
    if (core.waiting) this.#board.clock.tick(sliceMs * 1e6);
    if (core.interruptsUpdated) core.waiting = false;
    if (this.executing) this.#timer = setImmediate(() => this.#slice());
  }

  #mayGoOn(): boolean {
    return this.executing && !this.rp2040.core.waiting;
  }
}
