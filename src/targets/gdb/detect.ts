/** Tells GDB servers apart by what they say of themselves: nothing is asked that the answers so far have decided. */
import { FlashError } from "../../core/errors.ts";
import { ask, monitor, ServerRefusal, UnknownRequest } from "./ask.ts";
import { servers, type ServerTraits } from "./servers.ts";
import type { GdbWire } from "./wire.ts";

/** Of `qSupported`: `PacketSize` -> `4000`, `vContSupported` -> `+`. */
export type Features = ReadonlyMap<string, string>;

export function parseFeatures(answer: string): Features {
  return new Map(
    answer.split(";").map((word) => {
      const [name = "", value] = word.split("=", 2);
      return value === undefined ? [word.slice(0, -1), word.slice(-1)] : [name, value];
    }),
  );
}

const rp2040jsAnswer = "PacketSize=4000;vContSupported+;qXfer:features:read+";
const stUtilNames = new Set(["PacketSize", "qXfer:memory-map:read", "qXfer:features:read"]);

/** @param answer to `qSupported` @param isQemu it answered `qqemu.Supported` */
export async function detectServer(wire: GdbWire, answer: string, isQemu: boolean): Promise<ServerTraits> {
  if (isQemu) return servers.qemu;
  if (answer === rp2040jsAnswer) return servers.rp2040js;
  const features = parseFeatures(answer);
  if (features.get("QNonStop") === "+" && features.get("vContSupported") !== "+") return servers.pyocd;
  if (features.get("PacketSize") === "3fff" && [...features.keys()].every((name) => stUtilNames.has(name))) {
    const extended = await quietly(async () => Buffer.from((await wire.request(ask("!"))).body).toString("latin1"));
    if (extended === "OK") return servers["st-util"];
  }
  return byMonitor(wire);
}

async function byMonitor(wire: GdbWire): Promise<ServerTraits> {
  const version = await quietly(() => monitor(wire, "version"));
  if (version.includes("Open On-Chip Debugger")) return servers.openocd;
  if (version.includes("Black Magic")) return servers["black-magic"];
  if (/^Target: /m.test(await quietly(() => monitor(wire, "info")))) return servers["probe-rs"];
  if (/J-?Link|SEGGER/i.test(version + (await quietly(() => monitor(wire, "help"))))) return servers.jlink;
  return servers.unknown;
}

/** What a server does not know it does not say: that is an answer too. */
async function quietly(question: () => Promise<string>): Promise<string> {
  try {
    return await question();
  } catch (error) {
    if (error instanceof UnknownRequest || error instanceof ServerRefusal) return "";
    if (error instanceof FlashError && error.code === "protocol") return "";
    throw error;
  }
}
