/** A link between client and server that takes its time: a delay each way, a rate, and pieces of whatever size. Knows nothing of what it carries. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

export interface LinkSpeed {
  /** Each way. */
  readonly delayMs: number;
  /** 0 = no limit. */
  readonly bytesPerMs: number;
  /** Bytes are handed on in pieces of at most so many. */
  readonly pieceBytes?: number;
}

export class SlowLink implements AsyncDisposable {
  readonly port: number;
  /** Bytes to the server and back. */
  readonly carried = { there: 0, back: 0 };
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();

  private constructor(server: Server, toPort: number, speed: LinkSpeed) {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    this.port = address.port;
    this.#server = server;
    server.on("connection", (client) => {
      const other = connect(toPort, "127.0.0.1");
      this.#carry(client, other, speed, "there");
      this.#carry(other, client, speed, "back");
    });
  }

  static async start(toPort: number, speed: LinkSpeed): Promise<SlowLink> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new SlowLink(server, toPort, speed);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #carry(from: Socket, to: Socket, { delayMs, bytesPerMs, pieceBytes }: LinkSpeed, way: "there" | "back"): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on("error", () => undefined);
    let freeAtMs = 0;
    const later = (atMs: number, work: () => void): void => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        work();
      }, atMs - performance.now());
      this.#timers.add(timer);
    };
    from.on("data", (bytes: Buffer) => {
      this.carried[way] += bytes.length;
      const step = pieceBytes ?? bytes.length;
      for (let at = 0; at < bytes.length; at += step) {
        const piece = bytes.subarray(at, at + step);
        freeAtMs = Math.max(freeAtMs, performance.now()) + (bytesPerMs > 0 ? piece.length / bytesPerMs : 0);
        later(freeAtMs + delayMs, () => {
          if (to.writable) to.write(piece);
        });
      }
    });
    from.on("close", () => {
      later(Math.max(freeAtMs, performance.now()) + delayMs, () => to.destroy());
    });
  }
}
