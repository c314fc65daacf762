/**
 * How the GDB servers of this world differ, as data: OpenOCD 0.12, pyOCD, st-util and Black Magic as their sources and our
 * measurements tell, and a plain one. Times are of the server itself; the probe's come on top.
 */
import type { ProbeLink } from "./probe.ts";

export type PersonalityName = "openocd" | "pyocd" | "st-util" | "black-magic" | "plain";

export interface Personality {
  readonly name: PersonalityName;
  /** Bytes of a packet's body. */
  readonly packetBytes: number;
  /** qSupported's answer without PacketSize. */
  readonly features: readonly string[];
  readonly hasBinaryWrites: boolean;
  /** X of 8 bytes or more is answered before it is done; a failure shows at the next. */
  readonly answersWritesEarly: boolean;
  readonly hasCrc: boolean;
  readonly hasSoftBreakpoints: boolean;
  /** Connecting halts the core. */
  readonly haltsOnConnect: boolean;
  /** Nothing is attached before `vAttach`. */
  readonly needsAttach: boolean;
  /** Registers live in the server while the core is halted, and go to it when it resumes. */
  readonly cachesRegisters: boolean;
  /** `p` is answered with nothing, whatever register is asked for. */
  readonly deafToRegisterReads: boolean;
  /** xPSR's number; the last register of `g` when it is 16. */
  readonly xpsrNumber: 16 | 25;
  /** A read gives no more bytes than this at once. */
  readonly readLimit: number;
  /** A larger read is an error instead. */
  readonly refusesLargeReads: boolean;
  /** A halt that the core makes by itself is seen at most so much later. */
  readonly haltPollMs: number;
  /** Packets are worked on while the core runs after `c`. */
  readonly listensWhileRunning: boolean;
  readonly console: "O packets" | "final answer";
  readonly flash: "erase now, program at the end" | "all at the end" | "all at once";
  /** The end of a flash leaves the chip reset, and halted. */
  readonly resetsAfterFlash: boolean;
  /** Program and transfer at the same time. */
  readonly overlaps: boolean;
  /** Round trips of the server's own flash driver for each erase unit and each page. */
  readonly driverRoundTrips: { readonly erase: number; readonly page: number };
  /** Erase size in the memory map of a serial flash chip. */
  readonly serialUnitBytes: number;
  /** How long a reset keeps the server, ms. */
  readonly resetMs: number;
  /** Packets cost the server this, ms. */
  readonly packetMs: number;
  /** From the client to the server, each way, ms. */
  readonly socketMs: number;
  readonly probe: ProbeLink;
}

const usual: Omit<Personality, "name" | "packetBytes" | "features"> = {
  hasBinaryWrites: true,
  answersWritesEarly: false,
  hasCrc: false,
  hasSoftBreakpoints: true,
  haltsOnConnect: true,
  needsAttach: false,
  cachesRegisters: false,
  deafToRegisterReads: false,
  xpsrNumber: 16,
  readLimit: 8192,
  refusesLargeReads: false,
  haltPollMs: 10,
  listensWhileRunning: false,
  console: "O packets",
  flash: "all at once",
  resetsAfterFlash: false,
  overlaps: false,
  driverRoundTrips: { erase: 6, page: 6 },
  serialUnitBytes: 4096,
  resetMs: 20,
  packetMs: 0.05,
  socketMs: 0.05,
  probe: { latencyMs: 1, bytesPerSecond: 1_000_000, clockHz: 4_000_000 },
};

const maps = ["qXfer:memory-map:read+", "qXfer:features:read+"];

const openocd: Personality = {
  ...usual,
  name: "openocd",
  packetBytes: 0x4000,
  features: [...maps, "qXfer:threads:read+", "QStartNoAckMode+", "vContSupported+"],
  answersWritesEarly: true,
  hasCrc: true,
  cachesRegisters: true,
  haltPollMs: 100, // polling_interval, src/target/target.c
  listensWhileRunning: true,
  flash: "erase now, program at the end",
  overlaps: true,
  driverRoundTrips: { erase: 8, page: 2 },
  serialUnitBytes: 65_536,
};

const pyocd: Personality = {
  ...usual,
  name: "pyocd",
  packetBytes: 0x800,
  features: ["qXfer:features:read+", "QStartNoAckMode+", "qXfer:threads:read+", "QNonStop+", "qXfer:memory-map:read+"],
  deafToRegisterReads: true,
  haltPollMs: 10,
  console: "final answer",
  flash: "all at the end",
  overlaps: true,
  driverRoundTrips: { erase: 8, page: 8 },
};

const stUtil: Personality = {
  ...usual,
  name: "st-util",
  packetBytes: 0x3fff,
  features: maps,
  hasBinaryWrites: false,
  hasSoftBreakpoints: false,
  xpsrNumber: 25,
  readLimit: 0x1800,
  haltPollMs: 100, // usleep(100000), src/st-util/gdb-server.c
  console: "final answer",
  flash: "all at the end",
  resetsAfterFlash: true,
  driverRoundTrips: { erase: 10, page: 10 },
};

/** The server is in the probe: slow to the client, quick to the chip. */
const blackMagic: Personality = {
  ...usual,
  name: "black-magic",
  packetBytes: 0x400,
  features: [...maps, "vContSupported+"],
  hasCrc: true,
  haltsOnConnect: false,
  needsAttach: true,
  readLimit: 512,
  refusesLargeReads: true,
  haltPollMs: 1,
  socketMs: 0.5,
  probe: { latencyMs: 0.01, bytesPerSecond: 300_000, clockHz: 2_000_000 },
};

const plain: Personality = {
  ...usual,
  name: "plain",
  packetBytes: 0x1000,
  features: [...maps, "QStartNoAckMode+", "vContSupported+"],
  haltPollMs: 0.25,
  resetsAfterFlash: true,
  probe: { latencyMs: 0.1, bytesPerSecond: 8_000_000, clockHz: 25_000_000 },
};

export const personalities: readonly Personality[] = [openocd, pyocd, stUtil, blackMagic, plain];
