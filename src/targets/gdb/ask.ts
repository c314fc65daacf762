/** What answers mean: done, refused, unknown, data. Knows the forms of the GDB remote protocol and no single server. */
import { FlashError } from "../../core/errors.ts";
import type { Ask, GdbWire, Reply } from "./wire.ts";

/** Servers are deaf while they poll a target or log; OpenOCD was seen to be so for 1 s. */
export const usualTimeoutMs = 5_000;
/** A `reset halt` waits for the target; scripts of boards may do more. */
const monitorTimeoutMs = 10_000;

/** The server knows the request and said no. `reply` is its word, `E01`. */
export class ServerRefusal extends FlashError {
  readonly reply: string;
  constructor(server: string, ask: string, reply: string) {
    super("refused", `${ask}: the GDB server on ${server} answered ${reply === "" ? "nothing" : reply}`, {
      remedy: "Look at the GDB server's own output, check probe, wires and power, then flash again.",
    });
    this.reply = reply;
  }
}

/** The server does not know the request: whoever has another way may take it. */
export class UnknownRequest extends FlashError {
  constructor(server: string, ask: string) {
    super("refused", `the GDB server on ${server} does not know ${ask}`, {
      remedy: "Use a newer server, or another one; the board was left as it was.",
    });
  }
}

export function ask(body: string, options: Partial<Omit<Ask, "body">> = {}): Ask {
  return { body, name: body, timeoutMs: usualTimeoutMs, ...options };
}

const refusal = /^E(?:[0-9a-f]{2}$|\.)/i;

/** The answer as Latin-1 text. @throws UnknownRequest for an empty one, ServerRefusal for `E01` and `E.text` */
function textOf(wire: GdbWire, { name }: Ask, { body, console }: Reply): string {
  const text = Buffer.from(body).toString("latin1");
  if (text === "") throw new UnknownRequest(wire.transport.name, name);
  if (refusal.test(text)) {
    const said = console.trim();
    throw new ServerRefusal(wire.transport.name, name, said === "" ? text : `${text} (${said})`);
  }
  return text;
}

/** @throws UnknownRequest, ServerRefusal, FlashError `protocol` for anything but `OK` */
export function checkOk(wire: GdbWire, asked: Ask, reply: Reply): void {
  const text = textOf(wire, asked, reply);
  if (text !== "OK") throw nonsense(wire, asked, text);
}

/** @throws UnknownRequest, ServerRefusal, FlashError `protocol` */
export function hexBytesOf(wire: GdbWire, asked: Ask, reply: Reply): Uint8Array {
  const text = textOf(wire, asked, reply);
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) throw nonsense(wire, asked, text);
  return new Uint8Array(Buffer.from(text, "hex"));
}

export async function askText(wire: GdbWire, asked: Ask): Promise<string> {
  return textOf(wire, asked, await wire.request(asked));
}

/** @throws UnknownRequest, ServerRefusal, FlashError `protocol` for anything but `OK` */
export async function askOk(wire: GdbWire, asked: Ask): Promise<void> {
  checkOk(wire, asked, await wire.request(asked));
}

export function nonsense(wire: GdbWire, { name }: Ask, text: string): FlashError {
  return new FlashError(
    "protocol",
    `${name}: the GDB server on ${wire.transport.name} answered ${JSON.stringify(text.slice(0, 60))}, which makes no sense there`,
    { remedy: "Restart the GDB server, then flash again." },
  );
}

export function monitorPacket(command: string): string {
  return `qRcmd,${Buffer.from(command).toString("hex")}`;
}

/**
 * A command to the server itself, as `monitor` in GDB. Its text comes as console packets before `OK`, or as the answer itself.
 * @throws UnknownRequest when the server has no such commands, ServerRefusal when the command failed
 */
export async function monitor(wire: GdbWire, command: string, timeoutMs = monitorTimeoutMs): Promise<string> {
  const asked = ask(monitorPacket(command), { name: `monitor ${command}`, timeoutMs });
  const reply = await wire.request(asked);
  const text = textOf(wire, asked, reply);
  if (text === "OK") return reply.console;
  const said = Buffer.from(hexBytesOf(wire, asked, reply)).toString("utf8");
  // pyOCD says "OK" in so many words when a command has nothing to say.
  return reply.console + (said.trim() === "OK" ? "" : said);
}

/** Memory maps and register lists have some KiB. */
const longestObject = 0x100000;

/** Reads an object of the server in slices until the one that starts with `l`. @param sliceBytes of one answer */
export async function readObject(wire: GdbWire, object: string, sliceBytes: number): Promise<string> {
  let text = "";
  while (text.length < longestObject) {
    const asked = ask(`qXfer:${object}:${text.length.toString(16)},${sliceBytes.toString(16)}`, {
      name: `qXfer:${object}`,
    });
    const answer = await askText(wire, asked);
    const first = answer[0];
    if (first !== "m" && first !== "l") throw nonsense(wire, asked, answer);
    text += answer.slice(1);
    if (first === "l") return text;
    if (answer.length === 1) throw nonsense(wire, asked, answer);
  }
  throw new FlashError("protocol", `qXfer:${object}: the GDB server on ${wire.transport.name} never comes to an end`);
}
