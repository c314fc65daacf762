/** From an open transport to a server that is known: what is asked first, and in which order. */
import { FlashError } from "../../core/errors.ts";
import type { Transport } from "../../transport/transport.ts";
import { ask, askOk, askText, monitor, nonsense, ServerRefusal, UnknownRequest } from "./ask.ts";
import { GdbClient } from "./client.ts";
import { detectServer, parseFeatures } from "./detect.ts";
import { readRegisterSet, usualRegisters, type RegisterSet } from "./registers.ts";
import { servers } from "./servers.ts";
import { GdbWire, type GdbContext } from "./wire.ts";

/** `swbreak` and the like are what GDB itself offers; servers take a client without them for an old one. */
const hello = "qSupported:multiprocess-;swbreak+;hwbreak+;vContSupported+;xmlRegisters=arm";
/** How long old answers on a serial line may keep coming. */
const quietMs = 50;
/** Of servers that announce nothing. Source: GDB's own first guess. */
const usualPacketBytes = 400;
const leastPacketBytes = 64;
const mostPacketBytes = 0x10000;
/** Longest wait for the answer to a goodbye. */
const goodbyeMs = 100;
/** A scan of the debug port by the probe. */
const scanMs = 5_000;

/**
 * Recognises the server. Afterwards the core is halted: most servers do that to whoever connects.
 * @throws FlashError `port-busy` when it serves another client, `protocol` when it is no GDB server, `board-not-found` when it has
 * no target, `timeout`, `disconnected`, `cancelled`
 */
export async function connectGdb(transport: Transport, context: GdbContext): Promise<GdbClient> {
  const wire = new GdbWire(transport, context);
  try {
    return await recognise(wire, context);
  } catch (error) {
    // Most servers halt the core for whoever connects, and let it run when they hear this.
    if (wire.broken === undefined) await wire.farewell("D", goodbyeMs);
    else if (wire.noise === "") await wire.lastWords(["D"], goodbyeMs);
    throw error;
  }
}

async function recognise(wire: GdbWire, context: GdbContext): Promise<GdbClient> {
  const answer = await firstAnswer(wire);
  const supported = parseFeatures(answer);
  const isQemu = await agreeOnAcks(wire, supported.get("QStartNoAckMode") === "+");
  const traits = await detectServer(wire, answer, isQemu);
  if (traits.kind === "black-magic") await attachBlackMagic(wire);
  const packetBytes = packetBytesOf(supported.get("PacketSize"));
  const sliceBytes = Math.min(traits.xmlSliceBytes, packetBytes);
  const registers = supported.get("qXfer:features:read") === "+" ? await registersOf(wire, sliceBytes) : usualRegisters;
  await checkHasTarget(wire);
  const hasX = await knowsX(wire);
  wire.window = traits.window;
  wire.listensWhileRunning = traits.memoryWhileRunning;
  context.log(`${traits.title} on ${wire.transport.name}: ${answer}; X ${hasX ? "yes" : "no"}`);
  return new GdbClient(wire, {
    traits,
    features: supported,
    memory: { packetBytes, hasX, answersEarly: traits.answersEarly },
    registers,
  });
}

/** `PacketSize=4000;qXfer:features:read+;…`; nothing at all from servers that are too old for the question. */
const features = /^(?:[\w.:-]+(?:=[^;]*|[-+?])(?:;|$))*$/;

async function firstAnswer(wire: GdbWire): Promise<string> {
  const asked = ask(hello, { name: "qSupported" });
  const server = wire.transport.name;
  try {
    const first = latin1((await wire.request(asked)).body);
    if (features.test(first)) return first;
    // It may have answered somebody who is gone.
    await wire.drain(quietMs);
    const second = latin1((await wire.request(asked)).body);
    if (features.test(second)) return second;
    throw nonsense(wire, asked, second);
  } catch (error) {
    if (!(error instanceof FlashError)) throw error;
    if (error.code === "disconnected") {
      throw new FlashError(
        "port-busy",
        `${server} closed the connection at once, as GDB servers do that serve somebody already`,
        {
          cause: error,
          remedy:
            "Stop the debug session that uses the server, or let it take several clients (OpenOCD: `-gdb-max-connections 2` of the target).",
        },
      );
    }
    if (error.code === "timeout" && wire.noise !== "") {
      throw new FlashError(
        "protocol",
        `${server} is no GDB server: it says ${JSON.stringify(wire.noise.slice(0, 60))}`,
        {
          cause: error,
          remedy: "Give the port of the server's GDB service, not its telnet, Tcl or console port.",
        },
      );
    }
    throw error;
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

/** Both sides leave acknowledgements out where they can. @returns true when the server is QEMU */
async function agreeOnAcks(wire: GdbWire, offered: boolean): Promise<boolean> {
  if (offered) {
    await askOk(wire, ask("QStartNoAckMode"));
    wire.sendsAcks = false;
    return false;
  }
  const said = await unlessUnknown(() => askText(wire, ask("qqemu.Supported")));
  const isQemu = said?.includes("PhyMemMode") === true;
  if (isQemu) wire.sendsAcks = false;
  return isQemu;
}

function packetBytesOf(text: string | undefined): number {
  const bytes = text !== undefined && /^[0-9a-f]{1,8}$/i.test(text) ? Number.parseInt(text, 16) : usualPacketBytes;
  return Math.min(mostPacketBytes, Math.max(leastPacketBytes, bytes));
}

async function registersOf(wire: GdbWire, sliceBytes: number): Promise<RegisterSet> {
  return (await unlessUnknown(() => readRegisterSet(wire, sliceBytes))) ?? usualRegisters;
}

async function checkHasTarget(wire: GdbWire): Promise<void> {
  const asked = ask("?", { answeredByStop: true });
  const said = await unlessUnknown(() => askText(wire, asked));
  if (said === undefined || /^[ST]/i.test(said)) return;
  if (!/^[WXN]/i.test(said)) throw nonsense(wire, asked, said);
  throw new FlashError("board-not-found", `the GDB server on ${wire.transport.name} has no target (${said})`, {
    remedy: "Check that the board has power and that the probe is connected to it, then restart the GDB server.",
  });
}

async function knowsX(wire: GdbWire): Promise<boolean> {
  return (await unlessUnknown(() => askText(wire, ask("X0,0:")))) === "OK";
}

/** Nothing is attached when Black Magic is connected to. Older ones call the scan by other names. */
async function attachBlackMagic(wire: GdbWire): Promise<void> {
  let found: string | undefined;
  for (const command of ["swd_scan", "swdp_scan", "auto_scan"]) {
    found = await unlessUnknown(() => monitor(wire, command, scanMs));
    if (found !== undefined) break;
  }
  const attached = await unlessUnknown(() =>
    askText(wire, ask("vAttach;1", { answeredByStop: true, timeoutMs: scanMs })),
  );
  if (attached !== undefined && /^[ST]/i.test(attached)) return;
  throw new FlashError(
    "board-not-found",
    `${servers["black-magic"].title} on ${wire.transport.name} cannot attach to a target (${(found ?? "no scan").trim()})`,
    { remedy: "Check power and the wires SWDIO, SWCLK and GND between probe and board." },
  );
}

async function unlessUnknown<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UnknownRequest || error instanceof ServerRefusal) return undefined;
    throw error;
  }
}
