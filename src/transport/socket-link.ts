/** A TCP connection with deadlines and errors in our words. Knows nothing of what the bytes mean. */
import { connect, type Socket } from "node:net";
import { FlashError } from "../core/errors.ts";
import { withDeadline, writeLimitMs } from "./deadline.ts";
import { plainBytes } from "./plain-bytes.ts";
import type { SocketAddress } from "./port-name.ts";

const CONNECT_LIMIT_MS = 3_000;
const CLOSE_LIMIT_MS = 1_000;

export interface SocketListener {
  onBytes(bytes: Uint8Array): void;
  /** Called once, when the other end is gone or `close` was called. */
  onEnd(reason: FlashError): void;
}

export class SocketLink {
  readonly #name: string;
  readonly #socket: Socket;
  readonly #listener: SocketListener;
  #end: FlashError | undefined;

  constructor(name: string, socket: Socket, listener: SocketListener) {
    this.#name = name;
    this.#socket = socket;
    this.#listener = listener;
    socket.on("data", (bytes) => listener.onBytes(plainBytes(bytes)));
    socket.on("end", () =>
      this.#finish(new FlashError("disconnected", `${name}: the other end closed the connection`)),
    );
    socket.on("error", (cause) =>
      this.#finish(new FlashError("disconnected", `${name}: the connection broke (${cause.message})`, { cause })),
    );
    socket.on("close", () => this.#finish(new FlashError("disconnected", `${name}: the connection is closed`)));
  }

  /** Resolves when the system has taken the bytes. @throws FlashError `disconnected`, or `timeout` when the other end takes nothing. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#end !== undefined) throw this.#end;
    const sent = new Promise<void>((resolve, reject) => {
      this.#socket.write(bytes, (cause) => {
        if (cause === null || cause === undefined) resolve();
        else reject(this.#end ?? new FlashError("disconnected", `${this.#name}: ${cause.message}`, { cause }));
      });
    });
    await withDeadline(
      sent,
      writeLimitMs(bytes.length),
      () => new FlashError("timeout", `${this.#name} takes no more bytes (${bytes.length} waiting)`),
    );
  }

  /** Stops the flow of `onBytes` until `until` resolves. */
  pauseUntil(until: Promise<void>): void {
    this.#socket.pause();
    void until.then(() => this.#socket.resume());
  }

  async close(): Promise<void> {
    this.#finish(new FlashError("disconnected", `${this.#name} is closed`));
    if (this.#socket.destroyed) return;
    const closed = new Promise<void>((resolve) => this.#socket.once("close", () => resolve()));
    this.#socket.end();
    const timer = setTimeout(() => this.#socket.destroy(), CLOSE_LIMIT_MS);
    this.#socket.resume(); // unread bytes would hold back the end of the stream
    await closed;
    clearTimeout(timer);
  }

  #finish(reason: FlashError): void {
    if (this.#end !== undefined) return;
    this.#end = reason;
    this.#listener.onEnd(reason);
  }
}

/** @throws FlashError `board-not-found` when the host is unknown, refuses or stays silent for three seconds. */
export async function connectSocket(name: string, address: SocketAddress): Promise<Socket> {
  const socket = connect({ host: address.host, port: address.port, noDelay: true });
  const connected = new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", (cause) => reject(connectError(name, address, cause)));
  });
  try {
    await withDeadline(
      connected,
      CONNECT_LIMIT_MS,
      () => new FlashError("board-not-found", `${name}: no answer within ${CONNECT_LIMIT_MS / 1000} s`),
    );
  } catch (error) {
    socket.on("error", () => undefined); // the attempt is over, whatever it still says
    socket.destroy();
    throw error;
  }
  socket.removeAllListeners("error");
  return socket;
}

function connectError(name: string, address: SocketAddress, cause: NodeJS.ErrnoException): FlashError {
  const remedy = "Check host and port, and that the server on the far end runs.";
  if (cause.code === "ENOTFOUND" || cause.code === "EAI_AGAIN") {
    return new FlashError("board-not-found", `${name}: there is no host called ${address.host}`, { cause, remedy });
  }
  const what =
    cause.code === "ECONNREFUSED" ? "nothing listens there" : `cannot connect (${cause.code ?? cause.message})`;
  return new FlashError("board-not-found", `${name}: ${what}`, { cause, remedy });
}
