/** The client's side of RFC 2217's conversation: agreement, requests and their acknowledgements. Knows no sockets. */
import { concat, equalBytes } from "../core/bytes.ts";
import { FlashError } from "../core/errors.ts";
import { comPort, decodeBaudRate, encodeComPort, SERVER_ANSWER_OFFSET } from "./com-port.ts";
import { withDeadline } from "./deadline.ts";
import { TelnetDecoder } from "./telnet.ts";
import { TelnetOptions, telnetOption } from "./telnet-options.ts";

/** As pySerial's client waits. */
const ANSWER_LIMIT_MS = 3_000;
/** A UART takes rates that are this far off, so a server that rounds to what its divider can do has done what was asked. */
const RATE_TOLERANCE = 0.03;

export interface SessionPorts {
  send(bytes: Uint8Array): Promise<void>;
  onData(bytes: Uint8Array): void;
}

interface Pending {
  readonly code: number;
  readonly value: Uint8Array;
  readonly resolve: (answer: Uint8Array) => void;
  readonly reject: (reason: FlashError) => void;
}

export class ComPortSession {
  readonly #name: string;
  readonly #ports: SessionPorts;
  readonly #decoder = new TelnetDecoder();
  readonly #options = new TelnetOptions({
    ours: [telnetOption.comPort, telnetOption.binary, telnetOption.suppressGoAhead],
    theirs: [telnetOption.comPort, telnetOption.binary, telnetOption.suppressGoAhead],
  });
  #pending: Pending[] = [];
  #end: FlashError | undefined;
  #onOption: () => void = () => undefined;

  constructor(name: string, ports: SessionPorts) {
    this.#name = name;
    this.#ports = ports;
  }

  /** @throws FlashError `protocol` when the other end does not speak RFC 2217, `port-busy` when it hangs up at once. */
  async agree(): Promise<void> {
    const agreed = new Promise<void>((resolve, reject) => {
      this.#onOption = () => {
        if (this.#options.isOn(telnetOption.comPort)) resolve();
        else if (this.#end !== undefined) reject(this.#hungUp(this.#end));
        else if (this.#options.isRefused(telnetOption.comPort)) reject(this.#notSpoken("refused it"));
      };
    });
    agreed.catch(() => undefined); // it may be refused while the request is still being sent
    await this.#ports.send(concat([...this.#options.askForAll()])).catch(() => undefined); // a broken link ends the session by `end`
    this.#onOption();
    await withDeadline(agreed, ANSWER_LIMIT_MS, () =>
      this.#notSpoken(`did not answer within ${ANSWER_LIMIT_MS / 1000} s`),
    );
  }

  /** @throws FlashError `protocol` without an answer in time, `refused` when the server did something else instead. */
  async request(what: string, code: number, value: Uint8Array | number): Promise<void> {
    if (this.#end !== undefined) throw this.#end;
    const wanted = typeof value === "number" ? Uint8Array.of(value) : value;
    let entry: Pending | undefined;
    const answered = new Promise<Uint8Array>((resolve, reject) => {
      entry = { code, value: wanted, resolve, reject };
      this.#pending.push(entry);
    });
    answered.catch(() => undefined); // sending may fail first
    try {
      await this.#ports.send(encodeComPort(code, wanted));
      const late = () =>
        new FlashError("protocol", `${this.#name}: no answer to ${what} within ${ANSWER_LIMIT_MS / 1000} s`, {
          remedy: "Check that the server on the far end still has its board; restart it if it stays.",
        });
      const answer = await withDeadline(answered, ANSWER_LIMIT_MS, late);
      if (isWhatWasAsked(code, wanted, answer)) return;
      throw new FlashError(
        "refused",
        `${this.#name}: asked for ${what} ${describe(code, wanted)}, got ${describe(code, answer)}`,
        { remedy: "Ask for what the far end's port can do, for example a lower --baud." },
      );
    } finally {
      this.#pending = this.#pending.filter((other) => other !== entry);
    }
  }

  /** A request as bytes, for those that want no answer. */
  encode(code: number, value: Uint8Array | number): Uint8Array {
    return encodeComPort(code, value);
  }

  /** Bytes from the wire, cut anywhere. */
  receive(bytes: Uint8Array): void {
    for (const event of this.#decoder.feed(bytes)) {
      switch (event.kind) {
        case "data":
          this.#ports.onData(event.bytes);
          break;
        case "option": {
          const answer = this.#options.receive(event.verb, event.option);
          if (answer !== undefined) void this.#ports.send(answer).catch(() => undefined);
          this.#onOption();
          break;
        }
        case "subnegotiation":
          if (event.option === telnetOption.comPort) this.#answer(event.payload);
          break;
      }
    }
  }

  /** The other end is gone: whoever waits for an answer is told so. */
  end(reason: FlashError): void {
    this.#end ??= reason;
    for (const pending of this.#pending) pending.reject(reason);
    this.#onOption();
  }

  #answer(payload: Uint8Array): void {
    const code = (payload[0] ?? 0) - SERVER_ANSWER_OFFSET;
    const value = payload.slice(1);
    // Several line changes may be on their way, and servers also report what nobody asked for: lines are matched by value.
    const pending = this.#pending.find(
      (one) => one.code === code && (code !== comPort.setControl || equalBytes(one.value, value)),
    );
    if (pending === undefined) return;
    this.#pending = this.#pending.filter((one) => one !== pending);
    pending.resolve(value);
  }

  #notSpoken(how: string): FlashError {
    return new FlashError("protocol", `${this.#name}: asked for RFC 2217, the other end ${how}`, {
      remedy: "If that is a raw port, open it as tcp://host:port.",
    });
  }

  #hungUp(cause: FlashError): FlashError {
    return new FlashError("port-busy", `${this.#name}: the server hung up at once; another client may hold the port`, {
      cause,
    });
  }
}

function isWhatWasAsked(code: number, wanted: Uint8Array, answer: Uint8Array): boolean {
  if (code !== comPort.setBaudRate) return equalBytes(wanted, answer);
  const rate = decodeBaudRate(wanted);
  return Math.abs(decodeBaudRate(answer) - rate) <= rate * RATE_TOLERANCE;
}

function describe(code: number, value: Uint8Array): string {
  return code === comPort.setBaudRate ? String(decodeBaudRate(value)) : Array.from(value).join(" ");
}
