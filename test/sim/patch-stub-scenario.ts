/** What happens in one run of the fault campaign against our own stub, drawn from a seed: board, images, record and misfortune. */
import { Random } from "../../src/sim/random.ts";

export interface Scenario {
  readonly seed: number;
  readonly kind: FaultKind;
  readonly board: string;
  readonly link: "uart" | "usb";
  readonly baud: number;
  readonly address: number;
  /** What the record says the board holds. */
  readonly old: Uint8Array;
  readonly next: Uint8Array;
  /** false: the board was never seen. */
  readonly isRecorded: boolean;
  /** Bytes of the flash changed behind the record's back. */
  readonly altered: readonly { readonly address: number; readonly byte: number }[];
  /** As `parseFaults` takes them. */
  readonly faults: string;
  /** 0: the chip's processor takes no time, which makes the run shorter. */
  readonly cpuTimeFactor: number;
  /** The host does nothing for so long before it sends the byte of that number. */
  readonly stall?: { readonly atByte: number; readonly ms: number };
  /** The host is cancelled, or gone for good, when it has sent so many bytes. */
  readonly death?: { readonly atByte: number; readonly how: "cancelled" | "gone" };
  /** Before the next flash. Otherwise the stub may still be at work. */
  readonly isPowerCycled: boolean;
}

export const flashBytes = 0x100000;
const sectorBytes = 0x1000;
/** What the host sends until the stub runs. */
const connectBytes = 9_000;

/** A random number generator with words for what a scenario needs. */
class Dice {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  /** 0 … below - 1. */
  below(below: number): number {
    return Math.floor(this.#random.unit() * below);
  }

  chance(share: number): boolean {
    return this.#random.unit() < share;
  }

  pick<T>(from: readonly [T, ...T[]]): T {
    return from[this.below(from.length)] ?? from[0];
  }

  byte(): number {
    return this.#random.byte();
  }
}

interface Misfortune {
  readonly faults?: string;
  readonly stall?: Scenario["stall"];
  readonly death?: Scenario["death"];
  readonly isPowerCycled?: boolean;
}

interface Stage {
  readonly dice: Dice;
  readonly address: number;
  readonly bytes: number;
  /** About as many as will go over the wire. */
  readonly sentBytes: number;
}

/** A byte on its way to the board: while it connects, or while it is written. */
function byteIn({ dice, sentBytes }: Stage): number {
  return dice.chance(0.2) ? dice.below(connectBytes) : connectBytes + dice.below(sentBytes);
}

function byteOut({ dice }: Stage): number {
  return dice.below(900);
}

function byteFaults({ dice, ...rest }: Stage): string {
  const count = 1 + dice.below(5);
  return Array.from({ length: count }, () => {
    const kind = dice.pick(["flip", "drop", "double"]);
    return dice.chance(0.7) ? `${kind}@in:${byteIn({ dice, ...rest })}` : `${kind}@out:${byteOut({ dice, ...rest })}`;
  }).join(",");
}

function noise({ dice }: Stage, most: number): string {
  const rate = () => (most * (0.1 + 0.9 * dice.below(1000) * 0.001)).toFixed(8);
  const both = ["flip", "drop", "double"].flatMap((kind) => [
    `${kind}@in:rate=${rate()}`,
    `${kind}@out:rate=${rate()}`,
  ]);
  return both.filter(() => dice.chance(0.5)).join(",");
}

const work = ({ dice, bytes }: Stage) =>
  dice.chance(0.5)
    ? `erase:${1 + dice.below(Math.max(2, bytes / sectorBytes))}`
    : `program:${1 + dice.below(Math.max(4, bytes / 128))}`;

const place = ({ dice, address, bytes }: Stage) => `0x${(address + dice.below(bytes)).toString(16)}`;

const kinds = {
  none: () => ({}),
  "bytes flipped, lost, doubled": (stage: Stage) => ({ faults: byteFaults(stage) }),
  "noise up to 1e-4": (stage: Stage) => ({ faults: noise(stage, 1e-4) }),
  "host stalls": (stage: Stage) => ({ stall: { atByte: byteIn(stage), ms: 200 + stage.dice.below(9_000) } }),
  "host cancels and comes back": (stage: Stage) => ({
    death: { atByte: byteIn(stage), how: "cancelled" as const },
    isPowerCycled: stage.dice.chance(0.3),
  }),
  "host dies and comes back": (stage: Stage) => ({
    death: { atByte: byteIn(stage), how: "gone" as const },
    isPowerCycled: stage.dice.chance(0.3),
  }),
  "board unplugged": (stage: Stage) => ({
    faults: stage.dice.chance(0.7) ? `unplug@in:${byteIn(stage)}` : `unplug@out:${byteOut(stage)}`,
  }),
  "power lost in a commit": (stage: Stage) => ({
    faults: `${stage.dice.pick(["power-cut", "unplug"])}@${work(stage)}`,
  }),
  "flash stays busy": (stage: Stage) => ({ faults: `stuck-busy@${work(stage)}` }),
  "bad sector": (stage: Stage) => ({ faults: `bad-sector@${place(stage)}` }),
  "stuck bit": (stage: Stage) => ({ faults: `stuck-bit@${place(stage)}.${stage.dice.below(8)}` }),
  "stub does not start": ({ dice }: Stage) => ({
    faults: dice.pick(["silence@PATCH_STUB:1", "stall@PATCH_STUB:1,stall@PATCH_STUB:2"]),
  }),
} satisfies Record<string, (stage: Stage) => Misfortune>;

export type FaultKind = keyof typeof kinds | "flash altered";
export const faultKinds: readonly FaultKind[] = [...(Object.keys(kinds) as FaultKind[]), "flash altered"];

/** Everything of a run; the same seed gives the same. */
export function scenario(seed: number): Scenario {
  const kind = faultKinds[seed % faultKinds.length] ?? "none";
  const dice = new Dice(Math.imul(seed, 0x9e3779b1));
  const bytes = sizeOf(dice);
  const isAligned = dice.chance(0.7);
  const address = 0x10000 * (1 + dice.below(4)) + (isAligned ? 0 : dice.below(3 * sectorBytes));
  const old = firmwareLike(dice, bytes);
  const next = edited(dice, old);
  const isRecorded = kind === "flash altered" || dice.chance(0.85);
  const sentBytes = Math.max(400, next.length / (isRecorded ? 20 : 2));
  const stage: Stage = { dice, address, bytes: next.length, sentBytes };
  const misfortune: Misfortune = kind === "flash altered" ? {} : kinds[kind](stage);
  const isAltered = kind === "flash altered" || (kind !== "none" && dice.chance(0.25));
  const { board, link } = boardOf(dice);
  return {
    ...{ seed, kind, board, link, address, old, next },
    cpuTimeFactor: dice.chance(0.3) ? 1 : 0,
    baud: dice.pick([921_600, 921_600, 115_200, 2_000_000]),
    isRecorded,
    altered: isAltered ? alterations(dice, address, Math.max(old.length, next.length)) : [],
    faults: misfortune.faults ?? "",
    ...(misfortune.stall === undefined ? {} : { stall: misfortune.stall }),
    ...(misfortune.death === undefined ? {} : { death: misfortune.death }),
    isPowerCycled: misfortune.isPowerCycled ?? true,
  };
}

function boardOf(dice: Dice): Pick<Scenario, "board" | "link"> {
  const board = dice.pick(["esp32c3", "esp32c3", "esp32c3", "esp8266", "esp32", "esp32s3", "esp32p4"]);
  const hasUsb = board !== "esp8266" && board !== "esp32";
  return { board, link: hasUsb && dice.chance(0.25) ? "usb" : "uart" };
}

/** Mostly a few sectors; sometimes whole blocks of 64 KiB. */
function sizeOf(dice: Dice): number {
  if (dice.chance(0.85)) return sectorBytes * (1 + dice.below(9)) - dice.below(200);
  return dice.chance(0.8) ? 0x10000 + dice.below(0x8000) : 0x20000 + dice.below(0x10000);
}

/** Half of it repeats, half is noise. */
function firmwareLike(dice: Dice, bytes: number): Uint8Array {
  const data = new Uint8Array(bytes);
  let state = dice.below(0x7fffffff) | 1;
  for (let at = 0; at < bytes; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    data[at] = (state >>> 28) % 3 === 0 ? state >>> 20 : ((at >> 2) * 7) & 0xff;
  }
  const blank = dice.below(bytes);
  if (dice.chance(0.3)) data.fill(0xff, blank, blank + dice.below(3 * sectorBytes));
  return data;
}

function edited(dice: Dice, old: Uint8Array): Uint8Array {
  let data: Uint8Array = old;
  const count = 1 + dice.below(6);
  for (let edit = 0; edit < count; edit++) data = oneEdit(dice, data);
  return data;
}

/** Insertions and removals shift what stands behind them; swaps make sectors that need each other. */
function oneEdit(dice: Dice, data: Uint8Array): Uint8Array {
  const at = dice.below(data.length);
  const size = 1 + dice.below(60);
  const fresh = Uint8Array.from({ length: size }, () => dice.byte());
  const how = dice.pick<"change" | "insert" | "remove" | "swap" | "clear" | "turn">([
    ...(["change", "insert", "insert", "remove", "swap", "clear", "turn"] as const),
  ]);
  switch (how) {
    case "change":
      return joined(data.subarray(0, at), fresh.subarray(0, data.length - at), data.subarray(at + size));
    case "insert":
      return joined(data.subarray(0, at), fresh, data.subarray(at));
    case "remove":
      return data.length > 2 * sectorBytes ? joined(data.subarray(0, at), data.subarray(at + size)) : data;
    case "swap": {
      const middle = Math.floor(data.length / 2);
      return joined(data.subarray(middle), data.subarray(0, middle));
    }
    case "turn": {
      const by = dice.below(data.length);
      return joined(data.subarray(by), data.subarray(0, by));
    }
    case "clear":
      return data.map((byte, place) => (place >= at && place < at + 40 ? byte & 0x5a : byte));
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function alterations(dice: Dice, address: number, bytes: number): Scenario["altered"] {
  const count = 1 + dice.below(4);
  return Array.from({ length: count }, () => ({ address: address + dice.below(bytes), byte: dice.byte() }));
}
