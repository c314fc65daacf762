/**
 * Which TCP ports of this machine are listened to and used. On Linux by looking, without a connection: a GDB server halts its chip
 * when somebody connects, and many take one client only. Knows nothing of what is said there.
 */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { FlashError } from "../core/errors.ts";

const connectLimitMs = 500;

/** States of a socket in /proc/net/tcp, from the kernel's include/net/tcp_states.h. */
const ESTABLISHED = "01";
const LISTEN = "0A";

/** Whether somebody accepts connections from this machine at `port`. Where the system does not tell, a connection is made and closed. */
export async function isListening(port: number): Promise<boolean> {
  return (
    (await countSockets(port, LISTEN).then(
      (count) => count > 0,
      () => undefined,
    )) ?? connects(port)
  );
}

/** Whether a client is connected to `port`; undefined where the system does not tell. */
export async function hasClients(port: number): Promise<boolean | undefined> {
  return countSockets(port, ESTABLISHED).then(
    (count) => count > 0,
    () => undefined,
  );
}

/** Free at this moment; whoever is told it may find it taken. @throws FlashError `refused` when there is none */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new FlashError("refused", "no TCP port is free");
  return address.port;
}

/** Rejects where there is no such list. */
async function countSockets(port: number, state: string): Promise<number> {
  const [four, six] = await Promise.all([
    readFile("/proc/net/tcp", "latin1"),
    readFile("/proc/net/tcp6", "latin1").catch(() => ""),
  ]);
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  return `${four}\n${six}`.split("\n").filter((line) => {
    const [, local = "", , found] = line.trim().split(/\s+/, 4);
    const [address = "", at] = local.split(":");
    return found === state && at === wanted && isHere(address);
  }).length;
}

/** Every address, or one of this machine alone; in words of 32 bits as the processor keeps them. */
function isHere(address: string): boolean {
  const isAny = /^0+$/.test(address);
  const isLoopback = /^(0{16}F{4}0{4}|0{16}0{4}F{4}|0{24})?[0-9A-F]{6}7F$/.test(address);
  return isAny || isLoopback || address === "00000000000000000000000001000000";
}

async function connects(port: number): Promise<boolean> {
  const socket = connect({ port, host: "127.0.0.1", timeout: connectLimitMs });
  try {
    return await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
      socket.once("timeout", () => resolve(false));
    });
  } finally {
    socket.destroy();
  }
}
