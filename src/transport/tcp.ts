/** Raw bytes over TCP: `tcp://host:port`, and to GDB servers, `gdb://host:port`. There are no modem lines and no bit rate on such a wire. */
import { FlashError } from "../core/errors.ts";
import { Inbox } from "./inbox.ts";
import { parsePortName } from "./port-name.ts";
import { connectSocket, SocketLink } from "./socket-link.ts";
import type { SerialTransport, TransportCounters } from "./transport.ts";

/** Whoever opens the transport closes it. @throws FlashError `board-not-found` */
export async function openTcp(name: string): Promise<SerialTransport> {
  const parsed = parsePortName(name);
  if (parsed.kind !== "tcp" && parsed.kind !== "gdb")
    throw new FlashError("board-not-found", `${name} is not of the form tcp://host:port`);
  const socket = await connectSocket(name, parsed);
  const inbox = new Inbox();
  const link: SocketLink = new SocketLink(name, socket, {
    onBytes: (bytes) => {
      inbox.push(bytes);
      if (inbox.isFull) link.pauseUntil(inbox.room());
    },
    onEnd: (reason) => inbox.finish(reason),
  });
  return new TcpTransport(name, link, inbox);
}

class TcpTransport implements SerialTransport {
  readonly name: string;
  readonly hasModemLines = false;
  readonly counters: TransportCounters;
  readonly #link: SocketLink;
  readonly #inbox: Inbox;

  constructor(name: string, link: SocketLink, inbox: Inbox) {
    this.name = name;
    this.#link = link;
    this.#inbox = inbox;
    this.counters = inbox.counters;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#link.write(bytes);
    this.#inbox.countSent(bytes.length);
  }

  read(timeoutMs: number): Promise<Uint8Array> {
    return this.#inbox.read(timeoutMs);
  }

  flushInput(): Promise<void> {
    return this.#check(() => this.#inbox.clear());
  }

  setSignals(): Promise<void> {
    return this.#check();
  }

  setBaudRate(): Promise<void> {
    return this.#check();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link.close();
  }

  #check(action: () => void = () => undefined): Promise<void> {
    if (this.#inbox.end !== undefined) return Promise.reject(this.#inbox.end);
    action();
    return Promise.resolve();
  }
}
