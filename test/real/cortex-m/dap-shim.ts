/**
 * The board behind a debug probe that OpenOCD takes for real: it listens for remote_bitbang and lets the core run meanwhile. Probe and core
 * share this thread: while the probe is busy, the core gets few instructions.
 */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { CoreDebug } from "./core-debug.ts";
import { DebugPort } from "./debug-port.ts";
import { JtagPort } from "./jtag.ts";
import type { Rp2040Board } from "./rp2040-board.ts";

const busyMs = 3;
const instructions = { whileProbed: 400, otherwise: 20_000 };
/** A halted or sleeping core is looked at so often. */
const idleMs = 2;

export class DapShim implements AsyncDisposable {
  readonly board: Rp2040Board;
  readonly core: CoreDebug;
  readonly port: number;
  readonly #server: Server;
  #probe: Socket | undefined;
  #probedMs = 0;
  #isOver = false;

  private constructor(board: Rp2040Board, server: Server) {
    this.board = board;
    this.core = new CoreDebug(board);
    this.#server = server;
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    this.port = address.port;
    server.on("connection", (socket) => this.#serve(socket));
    this.#run();
  }

  static async start(board: Rp2040Board): Promise<DapShim> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new DapShim(board, server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    this.#probe?.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.#probe?.destroy();
    this.#probe = socket;
    socket.setNoDelay(true);
    // A server that is killed resets its connection.
    socket.on("error", () => undefined);
    const jtag = new JtagPort(new DebugPort(this.board.rp2040, this.core));
    socket.on("data", (letters: Buffer) => {
      this.#probedMs = performance.now();
      const { answers, isOver } = jtag.receive(letters);
      if (answers !== "") socket.write(answers);
      if (isOver) socket.end();
    });
  }

  #run(): void {
    if (this.#isOver) return;
    const isProbed = performance.now() - this.#probedMs < busyMs;
    this.core.run(isProbed ? instructions.whileProbed : instructions.otherwise);
    const isIdle = this.core.isHalted || this.board.rp2040.core.waiting;
    if (isIdle) setTimeout(() => this.#run(), idleMs);
    else setImmediate(() => this.#run());
  }
}
