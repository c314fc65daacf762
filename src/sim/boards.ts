/**
 * The simulated boards that there are, and how to get one.
 *
 *     const clock = new VirtualClock();
 *     const board = makeSimBoard({ board: "esp32c3", factory: true });
 *     const transport = new SimTransport(board, clock);          // virtual time
 *     …talk to it…
 *     board.flash, board.wear, board.bootLog, board.running, board.counters()
 *
 * A board has been under power for a while when time (0 ms) begins: its program runs, or its boot has failed, or with
 * `startInLoader` it waits in the serial loader. Reset it by DTR and RTS as on the bench, or by `pressReset`.
 * Over a connection without a bit rate (raw TCP) the host sets its rate to 0.
 */
import { hex } from "../core/bytes.ts";
import { FlashError } from "../core/errors.ts";
import { EspBoard } from "./esp-board.ts";
import { chipById, chips } from "./esp-chips.ts";
import { provision } from "./esp-provision.ts";
import { stubReleases } from "./esp-stub-uploads.ts";
import { parseFaults, type Fault } from "./fault-spec.ts";
import { FaultPlan } from "./faults.ts";
import { NorFlash } from "./nor-flash.ts";
import type { NorProfileName } from "./nor-profiles.ts";

/** EN released to the ROM listening: 10 to 60 ms on silicon (model). */
const EN_TO_LOADER_MS = 30;
const EN_RISE_MS = 3;
const EN_MINIMUM_LOW_MS = 2;
/** A board whose large capacitor on EN makes the usual reset miss the boot strap. */
const SLOW_EN_RISE_MS = 300;
/** CP210x and CH34x. */
const BRIDGE_LATENCY_MS = 1;
const DEFAULT_FLASH_BYTES = 4 * 1024 * 1024;

export interface SimBoardRow {
  /** What `sim:<board>` and `deltaflash sim <board>` take. */
  readonly id: string;
  readonly chip: string;
  readonly title: string;
  readonly flashBytes: number;
  /** `60:55:f9:00:00:01` */
  readonly mac: string;
}

/** Prefixes that belong to Espressif. */
const macPrefixes: Readonly<Record<string, string>> = {
  esp32: "24:0a:c4",
  esp32s2: "7c:df:a1",
  esp32s3: "f4:12:fa",
  esp32c2: "94:b5:55",
  esp32c3: "60:55:f9",
  esp32c5: "d0:cf:13",
  esp32c6: "40:4c:ca",
  esp32c61: "f0:24:f9",
  esp32h2: "74:4d:bd",
  esp32p4: "e8:f6:0a",
  esp8266: "5c:cf:7f",
};

/** All simulated boards. */
export const simBoards: readonly SimBoardRow[] = chips.map((chip) => ({
  id: chip.id,
  chip: chip.id,
  title: `${chip.title} board with a USB bridge`,
  flashBytes: DEFAULT_FLASH_BYTES,
  mac: `${macPrefixes[chip.id] ?? "24:0a:c4"}:00:00:01`,
}));

export interface SimBoardOptions {
  /** A row's id. */
  readonly board: string;
  /** Contents of the whole flash chip, used in place; a power of two of 64 KiB … 64 MiB. Default: 4 MiB of 0xff. */
  readonly flash?: Uint8Array;
  /** Writes a minimal bootloader and the default partition table into the flash. */
  readonly factory?: boolean;
  /** Six bytes, `60:55:f9:00:00:02`. */
  readonly mac?: string;
  /** For everything that is random: garbage, fault rates, erase times. */
  readonly seed?: number;
  readonly profile?: NorProfileName;
  /** Erase times differ by up to this share. Default 0: exact. */
  readonly eraseVariation?: number;
  /** A text as of `parseFaults`, or what that gives. */
  readonly faults?: string | readonly Fault[];
  /** DTR and RTS reach EN and IO0. Default true. */
  readonly linesConnected?: boolean;
  /** The boot button was held when power came: the board waits in the serial loader. */
  readonly startInLoader?: boolean;
  /** An earlier session left this release of the official stub running, at 115200. */
  readonly leftoverStub?: "legacy" | "0.7.0" | "1.0.0" | "1.2.2";
  /** The chip's own USB port instead of a bridge: no bit rate, and a reset sequence of its own. */
  readonly link?: "uart" | "usb";
  /** The bridge's delay in each direction, ms. Default 1. 0 makes every byte an event of its own. */
  readonly bridgeLatencyMs?: number;
  /** Multiplies what the processor takes for commands, MD5 and inflating. Default 1; 0 = no time. */
  readonly cpuTimeFactor?: number;
  /** From EN released to IO0 sampled, ms. Default 3; `slow` = 300, a board with a large capacitor. */
  readonly enRiseMs?: number | "slow";
  /** Shortest EN pulse that resets, ms. Default 2. */
  readonly minimumResetMs?: number;
  /** Flags and crypt bits of GET_SECURITY_INFO; bit 2 of the flags is secure download mode. */
  readonly security?: { readonly flags: number; readonly cryptCount: number };
}

/** @throws FlashError `board-not-found` for an unknown id, `refused` for a bad fault text or MAC, `bad-image` for an odd flash size */
export function makeSimBoard(options: SimBoardOptions): EspBoard {
  const row = simBoards.find((one) => one.id === options.board);
  const chip = row === undefined ? undefined : chipById(row.chip);
  if (row === undefined || chip === undefined) {
    throw new FlashError("board-not-found", `there is no simulated board "${options.board}"`, {
      remedy: `Choose one of ${simBoards.map((one) => one.id).join(", ")}.`,
    });
  }
  const seed = options.seed ?? 1;
  const given = options.faults ?? [];
  const faults = new FaultPlan(typeof given === "string" ? parseFaults(given) : given, seed);
  const bytes = options.flash ?? new Uint8Array(row.flashBytes).fill(0xff);
  if (!Number.isInteger(Math.log2(bytes.length))) {
    throw new FlashError("bad-image", `a flash chip of ${hex(bytes.length)} bytes: the size must be a power of two`);
  }
  if (options.factory === true) provision(bytes, chip);
  const riseMs = options.enRiseMs === "slow" ? SLOW_EN_RISE_MS : (options.enRiseMs ?? EN_RISE_MS);
  const isUsb = options.link === "usb";
  return new EspBoard({
    chip,
    flash: new NorFlash(bytes, {
      profile: options.profile ?? "typical",
      variation: options.eraseVariation ?? 0,
      seed,
      faults,
    }),
    mac: macBytes(options.mac ?? row.mac),
    faults,
    settings: {
      link: options.link ?? "uart",
      security: options.security ?? { flags: 0, cryptCount: 0 },
      cpuTimeFactor: options.cpuTimeFactor ?? 1,
      romStartMs: EN_TO_LOADER_MS - EN_RISE_MS,
      bootNoise: faults.bootNoise,
    },
    wire: {
      latencyMs: options.bridgeLatencyMs ?? BRIDGE_LATENCY_MS,
      link: options.link ?? "uart",
      seed,
    },
    lineTimes: {
      minimumLowMs: options.minimumResetMs ?? EN_MINIMUM_LOW_MS,
      riseMs: isUsb ? 0 : riseMs,
      keepsStrap: isUsb,
    },
    linesConnected: options.linesConnected ?? true,
    startInLoader: options.startInLoader ?? false,
    leftover: stubReleases.find((release) => release.name === options.leftoverStub),
  });
}

function macBytes(text: string): Uint8Array {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) {
    throw new FlashError("refused", `"${text}" is no MAC address: six bytes in hex with colons between`);
  }
  return Uint8Array.from(text.split(":"), (byte) => Number.parseInt(byte, 16));
}
