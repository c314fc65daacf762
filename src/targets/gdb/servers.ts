/**
 * What is known of each GDB server, as data: how it is told from others, how it runs code, resets and moves memory.
 * Evidence: "measured" = on emulated targets; "source" = read in its source, not run; "memory" = not checked at all.
 */
import type { Window } from "./wire.ts";

export type ServerKind =
  "qemu" | "openocd" | "pyocd" | "probe-rs" | "black-magic" | "st-util" | "jlink" | "rp2040js" | "unknown";

/** How code in RAM is started and its end is noticed. */
export type RunStrategy =
  /** The packet lets the core run; the server sends a stop reply. */
  | { readonly kind: "continue"; readonly packet: "c" | "vCont;c" }
  /** OpenOCD: registers and `resume` in one monitor command, then the mailbox is polled; it sends no stop reply then. */
  | { readonly kind: "resume-script" }
  /** pyOCD: registers by `P`, then `monitor continue`, then the mailbox is polled. */
  | { readonly kind: "monitor-continue" };

export type ResetStep =
  | { readonly kind: "monitor"; readonly command: string }
  /** A packet that the server never answers. */
  | { readonly kind: "unanswered"; readonly body: string }
  | { readonly kind: "continue" };

export interface ServerTraits {
  readonly kind: ServerKind;
  readonly title: string;
  /** TCP port that it listens on when nothing is said; undefined where there is none. */
  readonly defaultPort: number | undefined;
  /** What may be under way unanswered. */
  readonly window: Window;
  /** `X` is answered before it is carried out. */
  readonly answersEarly: boolean;
  /** `one` by `p`, `all` by `g`. */
  readonly readsRegisters: "one" | "all";
  readonly run: RunStrategy;
  /** Memory packets are served, and do not stop the core, while it runs by `run`. */
  readonly memoryWhileRunning: boolean;
  /** `stream` where it is served while the core runs and pays; else one halt per batch. */
  readonly loaderWay: "stream" | "batch";
  /** Until a halt of the core is noticed and told, milliseconds, at most. */
  readonly haltNoticedMs: number;
  /** Empty = it cannot be asked to. */
  readonly resetAndRun: readonly ResetStep[];
  readonly resetAndHalt: readonly ResetStep[];
  /** Before its own flash driver works. */
  readonly resetForFlash: readonly ResetStep[];
  /** Data bytes of one `vFlashWrite`; 0 = it has no vFlash. */
  readonly vFlashChunkBytes: number;
  /** Bytes of one slice of XML. */
  readonly xmlSliceBytes: number;
  readonly hasCrc: boolean;
  /** How the speed of the debug probe is set, for advice: a monitor command, or an option when the server starts. */
  readonly adapterSpeed:
    { readonly monitor?: string; readonly option?: string; readonly unit: "Hz" | "kHz" } | undefined;
  readonly evidence: "measured" | "source" | "memory";
  /** Where the row comes from. */
  readonly source: string;
}

const monitor = (command: string): ResetStep => ({ kind: "monitor", command });

const stopAndWait: Window = { packets: 1, bytes: 0x8000 };
/** Beyond this nothing was gained in measurements, and a server's own buffers begin to matter. */
const wide: Window = { packets: 16, bytes: 0x8000 };

/** What holds for a server that nothing is known of: the plain protocol, one packet at a time. */
const plain: ServerTraits = {
  kind: "unknown",
  title: "GDB server",
  defaultPort: undefined,
  window: stopAndWait,
  answersEarly: false,
  readsRegisters: "one",
  run: { kind: "continue", packet: "c" },
  memoryWhileRunning: false,
  loaderWay: "batch",
  haltNoticedMs: 1_000,
  resetAndRun: [monitor("reset"), { kind: "continue" }],
  resetAndHalt: [monitor("reset halt")],
  resetForFlash: [monitor("reset halt")],
  vFlashChunkBytes: 0x1000,
  xmlSliceBytes: 480,
  hasCrc: true,
  adapterSpeed: undefined,
  evidence: "memory",
  source: "what most servers understand",
};

export const servers: Readonly<Record<ServerKind, ServerTraits>> = {
  unknown: plain,
  qemu: {
    ...plain,
    kind: "qemu",
    title: "QEMU",
    defaultPort: 1234,
    window: wide,
    haltNoticedMs: 10,
    resetAndRun: [monitor("system_reset"), { kind: "continue" }],
    resetAndHalt: [monitor("system_reset")],
    resetForFlash: [],
    vFlashChunkBytes: 0,
    xmlSliceBytes: 2_000,
    hasCrc: false,
    evidence: "measured",
    source: "QEMU 7.2 (gdbstub.c, hw/core/cpu): any byte while the machine runs stops it",
  },
  openocd: {
    ...plain,
    kind: "openocd",
    title: "OpenOCD",
    defaultPort: 3333,
    window: wide,
    answersEarly: true,
    run: { kind: "resume-script" },
    memoryWhileRunning: true,
    loaderWay: "stream",
    haltNoticedMs: 100,
    resetAndRun: [monitor("reset run")],
    resetForFlash: [monitor("reset init")],
    xmlSliceBytes: 8_000,
    adapterSpeed: { monitor: "adapter speed", unit: "kHz" },
    evidence: "measured",
    source: "OpenOCD 0.12 (server/gdb_server.c fast_limit; target/target.c polling_interval 100 ms)",
  },
  pyocd: {
    ...plain,
    kind: "pyocd",
    title: "pyOCD",
    defaultPort: 3333,
    window: wide,
    readsRegisters: "all",
    run: { kind: "monitor-continue" },
    memoryWhileRunning: true,
    loaderWay: "stream",
    haltNoticedMs: 30,
    resetAndRun: [monitor("reset")],
    vFlashChunkBytes: 0x700,
    xmlSliceBytes: 2_000,
    hasCrc: false,
    adapterSpeed: { option: "-f", unit: "Hz" },
    evidence: "measured",
    source:
      "pyOCD d1974ff: `p` is answered empty; PacketSize 0x800; vFlashWrite is collected, vFlashDone does the work",
  },
  "probe-rs": {
    ...plain,
    kind: "probe-rs",
    title: "probe-rs",
    defaultPort: 1337,
    window: wide,
    haltNoticedMs: 20,
    resetAndRun: [monitor("reset")],
    xmlSliceBytes: 2_000,
    hasCrc: false,
    adapterSpeed: { option: "--speed", unit: "kHz" },
    evidence: "source",
    source: "probe-rs 67993c4 (gdb_server/stub.rs): sleeps 10 ms whenever no byte waits",
  },
  "black-magic": {
    ...plain,
    kind: "black-magic",
    title: "Black Magic",
    defaultPort: 2000,
    resetAndRun: [{ kind: "unanswered", body: "R" }, { kind: "continue" }],
    resetAndHalt: [{ kind: "unanswered", body: "R" }],
    resetForFlash: [{ kind: "unanswered", body: "R" }],
    vFlashChunkBytes: 0x300,
    adapterSpeed: { monitor: "frequency", unit: "Hz" },
    evidence: "source",
    source:
      "Black Magic 2.0 (gdb_main.c): PacketSize 0x400, text answers of at most 511 characters, R is never answered",
  },
  "st-util": {
    ...plain,
    kind: "st-util",
    title: "st-util",
    defaultPort: 4242,
    haltNoticedMs: 100,
    resetAndRun: [monitor("reset"), monitor("resume")],
    resetAndHalt: [monitor("reset")],
    resetForFlash: [monitor("reset")],
    xmlSliceBytes: 2_000,
    hasCrc: false,
    adapterSpeed: { option: "--freq", unit: "kHz" },
    evidence: "source",
    source: "stlink 733893a (st-util/gdb-server.c): usleep(100000) while running; `m` answers less than asked",
  },
  jlink: {
    ...plain,
    kind: "jlink",
    title: "J-Link GDB Server",
    defaultPort: 2331,
    resetAndRun: [monitor("reset"), monitor("go")],
    resetAndHalt: [monitor("reset"), monitor("halt")],
    resetForFlash: [monitor("reset"), monitor("halt")],
    adapterSpeed: { monitor: "speed", unit: "kHz" },
    evidence: "memory",
    source: "not tried; closed source",
  },
  rp2040js: {
    ...plain,
    kind: "rp2040js",
    title: "rp2040js",
    run: { kind: "continue", packet: "vCont;c" },
    memoryWhileRunning: true,
    haltNoticedMs: 50,
    resetAndRun: [],
    resetAndHalt: [],
    resetForFlash: [],
    vFlashChunkBytes: 0,
    xmlSliceBytes: 0x3000,
    hasCrc: false,
    evidence: "measured",
    source: "rp2040js 1.4.1 (gdb-server.ts): `c` is answered OK; a packet that comes in two pieces is refused",
  },
};
