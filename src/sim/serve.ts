/** Puts a simulated board on a wire that other programs can open: raw TCP, RFC 2217, a pty, or a GDB server's port. Knows no kind of board. */
import { FlashError } from "../core/errors.ts";
import { parseSocketAddress } from "../transport/port-name.ts";
import { encodeTelnetData } from "../transport/telnet.ts";
import type { SimBoard } from "./board.ts";
import { listenForOne, socketLink } from "./serve-listen.ts";
import { openPty } from "./serve-pty.ts";
import { ComPortServer } from "./serve-rfc2217.ts";
import { BoardPump, type SimSpeed } from "./serve-pump.ts";

export interface ServeOptions {
  readonly speed: SimSpeed;
}

/** The board lives on when a client leaves. Whoever serves closes. */
export interface SimServer extends AsyncDisposable {
  /** What to give to a client as its port: `tcp://127.0.0.1:40123`, `rfc2217://…`, `gdb://…`, `/dev/pts/5`. */
  readonly address: string;
  /** Resolves when serving is over: with the reason when the board's cable was pulled, with undefined after `close`. */
  readonly ended: Promise<FlashError | undefined>;
  close(): Promise<void>;
}

/**
 * Listens at `tcp://host:port`, `rfc2217://host:port` (port 0: the system chooses) or `pty`; a board behind a GDB server listens at
 * `gdb://host:port` and nowhere else.
 * @throws FlashError `port-busy` when the address is taken, `refused` when this system cannot do it, `board-not-found` for other words.
 */
export async function serve(board: SimBoard, listen: string, options: ServeOptions): Promise<SimServer> {
  const scheme = listen.split(":", 1)[0];
  const wire = { board, speed: options.speed };
  if (board.hostConnects !== undefined) {
    if (scheme === "gdb") return serveWire(wire, (pump) => listenGdb(listen, pump));
    throw new FlashError("board-not-found", `a simulated board behind a GDB server cannot listen on "${listen}"`, {
      remedy: "Use --listen gdb://127.0.0.1:0.",
    });
  }
  if (scheme === "tcp") return serveWire(wire, (pump) => listenTcp(listen, pump));
  if (scheme === "rfc2217") return serveWire(wire, (pump) => listenRfc2217(listen, pump));
  if (listen === "pty") {
    return serveWire(wire, async (pump, lost) => {
      const pty = await openPty(pump, lost);
      return { address: pty.path, close: () => pty.close() };
    });
  }
  throw new FlashError("board-not-found", `a simulated board cannot listen on "${listen}"`, {
    remedy: "Use --listen tcp://127.0.0.1:0, rfc2217://127.0.0.1:0 or pty.",
  });
}

/** An open wire: its address, and how to close it. */
interface OpenWire {
  readonly address: string;
  close(): Promise<void>;
}

async function serveWire(
  what: { readonly board: SimBoard; readonly speed: SimSpeed },
  open: (pump: BoardPump, lost: (reason: FlashError) => void) => Promise<OpenWire>,
): Promise<SimServer> {
  let announceEnd: (reason: FlashError | undefined) => void = () => undefined;
  const ended = new Promise<FlashError | undefined>((resolve) => (announceEnd = resolve));
  let wire: OpenWire | undefined;
  let closing: Promise<void> | undefined;
  const finish = (reason: FlashError | undefined): Promise<void> => {
    pump.stop();
    closing ??= (wire?.close() ?? Promise.resolve()).then(() => announceEnd(reason));
    return closing;
  };
  const pump: BoardPump = new BoardPump(what.board, what.speed, (reason) => void finish(reason));
  try {
    wire = await open(pump, (reason) => void finish(reason));
  } catch (error) {
    pump.stop();
    throw error;
  }
  const close = () => finish(undefined);
  return { address: wire.address, ended, close, [Symbol.asyncDispose]: close };
}

/**
 * Raw bytes. There is no rate on this wire, so the host's rate follows the board's: 0. Nor are there reset lines, so every
 * client finds the board in its loader.
 */
async function listenTcp(listen: string, pump: BoardPump): Promise<OpenWire> {
  const { host, port } = parseSocketAddress(listen);
  const listener = await listenForOne(host, port, (socket) => {
    const link = socketLink(socket);
    pump.setBaudRate(0);
    pump.resetIntoLoader();
    pump.attach(link);
    return { onBytes: (bytes) => pump.receive(bytes), onGone: () => pump.detach(link) };
  });
  return { address: `tcp://${bracketed(host)}:${listener.port}`, close: () => listener.close() };
}

async function listenRfc2217(listen: string, pump: BoardPump): Promise<OpenWire> {
  const { host, port } = parseSocketAddress(listen);
  const listener = await listenForOne(host, port, (socket) => {
    const link = socketLink(socket, encodeTelnetData);
    const client = new ComPortServer(pump, (bytes) => socket.write(bytes));
    pump.attach(link);
    return {
      onBytes: (bytes) => client.receive(bytes),
      onGone: () => {
        pump.detach(link);
        client.leave();
      },
    };
  });
  return { address: `rfc2217://${bracketed(host)}:${listener.port}`, close: () => listener.close() };
}

/** Raw bytes to and from the board's GDB server, which is told who comes and goes. */
async function listenGdb(listen: string, pump: BoardPump): Promise<OpenWire> {
  const { host, port } = parseSocketAddress(listen);
  const listener = await listenForOne(host, port, (socket) => {
    const link = socketLink(socket);
    pump.hostConnects();
    pump.attach(link);
    return {
      onBytes: (bytes) => pump.receive(bytes),
      onGone: () => {
        pump.hostLeaves();
        pump.detach(link);
      },
    };
  });
  return { address: `gdb://${bracketed(host)}:${listener.port}`, close: () => listener.close() };
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
