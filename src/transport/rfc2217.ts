/** A serial port behind a network server: `rfc2217://host:port`, with modem lines and bit rate. Our end of RFC 2217. */
import { concat } from "../core/bytes.ts";
import { FlashError } from "../core/errors.ts";
import { comPort, control, encodeBaudRate, FRAME_8N1, PURGE_RECEIVED } from "./com-port.ts";
import { ComPortSession } from "./com-port-session.ts";
import { Inbox } from "./inbox.ts";
import { parsePortName } from "./port-name.ts";
import { connectSocket, SocketLink } from "./socket-link.ts";
import { encodeTelnetData } from "./telnet.ts";
import type { ModemLines, SerialTransport, TransportCounters } from "./transport.ts";

/**
 * The lines are not touched before the first `setSignals`. With `?ign_set_control` behind the address (as pySerial has it)
 * answers to line changes are not waited for. Whoever opens closes.
 * @throws FlashError `board-not-found` where nobody listens, `port-busy` when the server hangs up at once, `protocol` when
 * the other end does not speak RFC 2217.
 */
export async function openRfc2217(name: string, options: { readonly baudRate: number }): Promise<SerialTransport> {
  const parsed = parsePortName(name);
  if (parsed.kind !== "rfc2217") {
    throw new FlashError("board-not-found", `${name} is not of the form rfc2217://host:port`);
  }
  const socket = await connectSocket(name, parsed);
  const inbox = new Inbox();
  const session: ComPortSession = new ComPortSession(name, {
    send: (bytes) => link.write(bytes),
    onData: (bytes) => inbox.push(bytes),
  });
  const link: SocketLink = new SocketLink(name, socket, {
    onBytes: (bytes) => {
      session.receive(bytes);
      if (inbox.isFull) link.pauseUntil(inbox.room());
    },
    onEnd: (reason) => {
      inbox.finish(reason);
      session.end(reason);
    },
  });
  const answersIgnored = parsed.options.includes("ign_set_control");
  const transport = new Rfc2217Transport({ name, link, inbox, session, answersIgnored });
  try {
    await session.agree();
    await transport.configure(options.baudRate);
  } catch (error) {
    await link.close();
    throw error;
  }
  return transport;
}

class Rfc2217Transport implements SerialTransport {
  readonly name: string;
  readonly hasModemLines = true;
  readonly counters: TransportCounters;
  readonly #link: SocketLink;
  readonly #inbox: Inbox;
  readonly #session: ComPortSession;
  readonly #answersIgnored: boolean;
  #lines: ModemLines | undefined;

  constructor(parts: {
    readonly name: string;
    readonly link: SocketLink;
    readonly inbox: Inbox;
    readonly session: ComPortSession;
    readonly answersIgnored: boolean;
  }) {
    this.name = parts.name;
    this.counters = parts.inbox.counters;
    this.#link = parts.link;
    this.#inbox = parts.inbox;
    this.#session = parts.session;
    this.#answersIgnored = parts.answersIgnored;
  }

  /** 8N1 without flow control; everything is sent before the first answer is waited for. */
  async configure(baud: number): Promise<void> {
    await Promise.all([
      this.setBaudRate(baud),
      this.#session.request("SET_DATASIZE", comPort.setDataSize, FRAME_8N1.dataSize),
      this.#session.request("SET_PARITY", comPort.setParity, FRAME_8N1.parity),
      this.#session.request("SET_STOPSIZE", comPort.setStopSize, FRAME_8N1.stopSize),
      this.#control([control.noFlowControl]),
    ]);
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#link.write(encodeTelnetData(bytes));
    this.#inbox.countSent(bytes.length);
  }

  read(timeoutMs: number): Promise<Uint8Array> {
    return this.#inbox.read(timeoutMs);
  }

  async flushInput(): Promise<void> {
    await this.#session.request("PURGE_DATA", comPort.purgeData, PURGE_RECEIVED);
    this.#inbox.clear();
  }

  async setSignals(lines: ModemLines): Promise<void> {
    const changes = lineChanges(this.#lines, lines);
    this.#lines = { dtr: lines.dtr, rts: lines.rts };
    await this.#control(changes);
  }

  setBaudRate(baud: number): Promise<void> {
    return this.#session.request("SET_BAUDRATE", comPort.setBaudRate, encodeBaudRate(baud));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link.close();
  }

  async #control(values: readonly number[]): Promise<void> {
    if (this.#answersIgnored) {
      const words = values.map((value) => this.#session.encode(comPort.setControl, value));
      await this.#link.write(concat(words));
      return;
    }
    await Promise.all(values.map((value) => this.#session.request("SET_CONTROL", comPort.setControl, value)));
  }
}

/**
 * The protocol moves one line at a time, and some servers act on every word, also on one that changes nothing: so only
 * changes are sent, in an order that never passes through "RTS alone", which would reset the usual two-transistor circuit.
 */
function lineChanges(before: ModemLines | undefined, after: ModemLines): readonly number[] {
  const dtr = before?.dtr === after.dtr ? [] : [after.dtr ? control.dtrOn : control.dtrOff];
  const rts = before?.rts === after.rts ? [] : [after.rts ? control.rtsOn : control.rtsOff];
  const releasesBoth = !after.dtr && !after.rts;
  return releasesBoth ? [...rts, ...dtr] : [...dtr, ...rts];
}
