/** What each GDB server answers when somebody connects, as recorded from it or as its source says. */
import { hexOf, type Answer, type Answerer } from "./fake-server.ts";

export const commandOf = (body: string): string | undefined =>
  body.startsWith("qRcmd,") ? Buffer.from(body.slice("qRcmd,".length), "hex").toString() : undefined;

/** One slice after the other. */
function sliced(text: string, offset: string, length: string, most = Infinity): Answer {
  const from = Number.parseInt(offset, 16);
  const to = from + Math.min(Number.parseInt(length, 16), most);
  return (to >= text.length ? "l" : "m") + text.slice(from, to);
}

const names = ["r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "sp", "lr", "pc"];
const registers = (status: string) =>
  `<feature name="org.gnu.gdb.arm.m-profile">${names.map((name) => `<reg name="${name}" bitsize="32"/>`).join("")}${status}</feature>`;

/** xPSR without a number follows pc. */
const plainTarget = `<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd"><target>${registers('<reg name="xPSR" bitsize="32"/>')}</target>`;
const qemuTarget =
  '<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd"><target version="1.0"><architecture>arm</architecture><xi:include href="arm-m-profile.xml"/><xi:include href="arm-m-profile.xml"/></target>';
const qemuProfile = registers('<reg name="xpsr" bitsize="32" regnum="25"/>');

function objects(files: Readonly<Record<string, string>>, most?: number): Answerer {
  return (body) => {
    const [, object = "", offset = "", length = ""] = /^qXfer:(.*):([0-9a-f]+),([0-9a-f]+)$/.exec(body) ?? [];
    if (object === "") return undefined;
    const file = files[object];
    return file === undefined ? "E00" : sliced(file, offset, length, most);
  };
}

interface Recorded {
  readonly supported: string;
  readonly others?: Readonly<Record<string, Answer>>;
  readonly commands?: Readonly<Record<string, Answer>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly longestText?: number;
}

export function recorded({ supported, others = {}, commands, files = {}, longestText }: Recorded): Answerer {
  const transfer = objects(files, longestText);
  return (body) => {
    if (body.startsWith("qSupported")) return supported;
    const command = commandOf(body);
    if (command !== undefined) return commands?.[command] ?? "";
    return others[body] ?? transfer(body) ?? { "?": "S05", QStartNoAckMode: "OK" }[body] ?? "";
  };
}

const ramMap =
  '<memory-map><memory type="ram" start="0x20000000" length="0x8000"/><memory type="flash" start="0x8000000" length="0x10000"><property name="blocksize">0x400</property></memory></memory-map>';

export const recordings = {
  qemu: recorded({
    supported: "PacketSize=1000;qXfer:features:read+;vContSupported+;multiprocess+",
    others: { "qqemu.Supported": "sstepbits;sstep;PhyMemMode", "?": "T05thread:01;" },
    commands: { version: "unknown command" },
    files: { "features:read:target.xml": qemuTarget, "features:read:arm-m-profile.xml": qemuProfile },
  }),
  openocd: recorded({
    supported:
      "PacketSize=4000;qXfer:memory-map:read+;qXfer:features:read+;qXfer:threads:read+;QStartNoAckMode+;vContSupported+",
    others: { "X0,0:": "OK", "?": "S00" },
    commands: { version: ["O", hexOf("Open On-Chip Debugger 0.12.0\n")] },
    files: { "features:read:target.xml": plainTarget, "memory-map:read:": ramMap },
  }),
  pyocd: recorded({
    supported:
      "qXfer:features:read+;QStartNoAckMode+;qXfer:threads:read+;QNonStop+;PacketSize=800;qXfer:memory-map:read+",
    others: { "X0,0:": "OK" },
    files: { "features:read:target.xml": plainTarget, "memory-map:read:": ramMap },
  }),
  "probe-rs": recorded({
    supported:
      "PacketSize=1000;vContSupported+;multiprocess+;QStartNoAckMode+;swbreak+;hwbreak+;qXfer:features:read+;qXfer:memory-map:read+",
    others: { "X0,0:": "OK" },
    commands: { info: [`O${hexOf("Target: nRF52840\n")}`, "OK"] },
    files: { "features:read:target.xml": plainTarget },
  }),
  "black-magic": recorded({
    supported: "PacketSize=400;qXfer:memory-map:read+;qXfer:features:read+;vContSupported+",
    others: { "?": "T05", "vAttach;1": "T05", "X0,0:": "OK" },
    commands: {
      version: [`O${hexOf("Black Magic Probe (Firmware v2.0.0)\n")}`, "OK"],
      swdp_scan: [`O${hexOf("Available Targets:\n 1 STM32F1\n")}`, "OK"],
    },
    files: { "features:read:target.xml": plainTarget, "memory-map:read:": ramMap },
    longestText: 511,
  }),
  "st-util": recorded({
    supported: "PacketSize=3fff;qXfer:memory-map:read+;qXfer:features:read+",
    others: { "!": "OK" },
    files: {
      "features:read:target.xml": plainTarget.replace('name="xPSR"', 'name="xPSR" regnum="25"'),
      "memory-map:read:": ramMap,
    },
  }),
  jlink: recorded({
    supported: "PacketSize=4000;qXfer:memory-map:read-;QStartNoAckMode+;hwbreak+;qXfer:features:read+",
    others: { "X0,0:": "OK" },
    commands: { help: [`O${hexOf("SEGGER J-Link GDB Server: available commands\n")}`, "OK"] },
    files: { "features:read:target.xml": plainTarget },
  }),
  rp2040js: recorded({
    supported: "PacketSize=4000;vContSupported+;qXfer:features:read+",
    files: { "features:read:target.xml": plainTarget },
  }),
  unknown: recorded({ supported: "" }),
} satisfies Readonly<Record<string, Answerer>>;
