/** Accepts one client at a time on a TCP port of this machine. Knows nothing of what the bytes mean. */
import { createServer, type Server, type Socket } from "node:net";
import { FlashError } from "../core/errors.ts";
import { plainBytes } from "../transport/plain-bytes.ts";
import type { ClientLink } from "./serve-pump.ts";

/** What is done with the one client. */
export interface ClientHandler {
  onBytes(bytes: Uint8Array): void;
  onGone(): void;
}

/** How long a second client waits for the first one's goodbye, which may be on its way. */
const HANDOVER_MS = 250;
const KEEP_ALIVE_MS = 10_000;
const TURN_AWAY_MS = 1_000;

export interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

/** @throws FlashError `port-busy` when another program listens there already. */
export async function listenForOne(
  host: string,
  port: number,
  welcome: (socket: Socket) => ClientHandler,
): Promise<Listener> {
  const door = new Door(welcome);
  const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS }, (socket) =>
    door.knock(socket),
  );
  await new Promise<void>((resolve, reject) => {
    server.once("listening", resolve);
    server.on("error", (cause) => reject(listenError(host, port, cause))); // stays: a failed accept later is the client's loss
    server.listen({ host, port });
  });
  return { port: boundPort(server), close: () => closeAll(server, door) };
}

/** Bytes out to a socket, as the pump wants them. */
export function socketLink(socket: Socket, encode: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes): ClientLink {
  return {
    send: (bytes) => {
      if (socket.writable) socket.write(encode(bytes));
    },
    backlogBytes: () => socket.writableLength,
    holdInput: (hold) => {
      if (hold) socket.pause();
      else socket.resume();
    },
  };
}

class Door {
  readonly #welcome: (socket: Socket) => ClientHandler;
  readonly #sockets = new Set<Socket>();
  #inside: Socket | undefined;
  #waiting: { readonly socket: Socket; readonly timer: NodeJS.Timeout } | undefined;

  constructor(welcome: (socket: Socket) => ClientHandler) {
    this.#welcome = welcome;
  }

  knock(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => undefined); // "close" follows, and that is all we need to know
    socket.once("close", () => this.#sockets.delete(socket));
    if (this.#inside === undefined) this.#letIn(socket);
    else if (this.#waiting !== undefined) turnAway(socket);
    else {
      socket.pause();
      const timer = setTimeout(() => {
        this.#waiting = undefined;
        turnAway(socket);
      }, HANDOVER_MS);
      this.#waiting = { socket, timer };
    }
  }

  sendHome(): void {
    clearTimeout(this.#waiting?.timer);
    this.#waiting = undefined;
    for (const socket of this.#sockets) socket.destroy();
  }

  #letIn(socket: Socket): void {
    this.#inside = socket;
    const client = this.#welcome(socket);
    let gone = false;
    const leave = () => {
      if (gone) return;
      gone = true;
      client.onGone();
      this.#inside = undefined;
      this.#nextPlease();
    };
    socket.on("data", (bytes) => {
      if (!gone) client.onBytes(plainBytes(bytes));
    });
    socket.once("end", leave);
    socket.once("close", leave);
    socket.resume();
  }

  #nextPlease(): void {
    const next = this.#waiting;
    this.#waiting = undefined;
    clearTimeout(next?.timer);
    if (next !== undefined && !next.socket.destroyed) this.#letIn(next.socket);
  }
}

function turnAway(socket: Socket): void {
  socket.resume();
  socket.end();
  setTimeout(() => socket.destroy(), TURN_AWAY_MS).unref();
}

async function closeAll(server: Server, door: Door): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  door.sendHome();
  await closed;
}

function boundPort(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

function listenError(host: string, port: number, cause: NodeJS.ErrnoException): FlashError {
  const where = `${host}:${port}`;
  if (cause.code === "EADDRINUSE") {
    return new FlashError("port-busy", `another program listens on ${where} already`, {
      cause,
      remedy: "Take another port number, or 0 to let the system choose one.",
    });
  }
  return new FlashError("refused", `cannot listen on ${where} (${cause.code ?? cause.message})`, { cause });
}
