/** The words in which faults are ordered: `unplug@in:1234,flip@out:77`. Text to data, nothing else. */
import { FlashError } from "../core/errors.ts";
import { commandNames } from "./esp-packet.ts";

export type Direction = "in" | "out";

/** Where in one direction a byte is hit: at its number from 0, or at random with this chance per byte. */
type BytePlace = { readonly at: number } | { readonly rate: number };

export type Fault =
  | { readonly kind: "drop" | "flip" | "double"; readonly direction: Direction; readonly place: BytePlace }
  | { readonly kind: "unplug"; readonly direction: Direction; readonly at: number }
  | { readonly kind: "unplug" | "power-cut"; readonly atMs: number }
  /** In the middle of the erase or page of that number, from 1. */
  | {
      readonly kind: "unplug" | "power-cut" | "stuck-busy";
      readonly work: "erase" | "program";
      readonly number: number;
    }
  /** From the command of that number on, or with that one's answer only. */
  | { readonly kind: "stall" | "silence" | "garble"; readonly command: string; readonly number: number }
  /** Behind a debug probe, from that one on: writes that get lost, halts that are not heard, breakpoints that do not stop. */
  | { readonly kind: "lost-write" | "no-halt" | "no-end"; readonly number: number }
  | { readonly kind: "bad-sector"; readonly address: number }
  | { readonly kind: "stuck-bit"; readonly address: number; readonly bit: number }
  /** The chip's crystal is off: its rates are this many times what it believes. */
  | { readonly kind: "clock"; readonly factor: number }
  | { readonly kind: "boot-noise"; readonly bytes: number };

/** Counts as a command: Deltaflash's own stub begins to run. */
export const ownStubStart = "PATCH_STUB";

const faultSpecHelp =
  "drop|flip|double@in|out:BYTE or :rate=SHARE, unplug@in|out:BYTE, unplug|power-cut@ms:TIME, " +
  "unplug|power-cut|stuck-busy@erase|program:NUMBER, stall|silence|garble@COMMAND:NUMBER, bad-sector@ADDRESS, " +
  "stuck-bit@ADDRESS.BIT, clock@+PERCENT%, boot-noise@BYTES, lost-write|no-halt|no-end@NUMBER";

/** Packets of GDB's protocol, as faults and counters name them. */
const packetKinds = [
  ...["g", "G", "p", "P", "m", "M", "X", "c", "s", "D", "k", "R", "Z0", "z0", "Z1", "z1", "halt-reason", "interrupt"],
  ...["qSupported", "qXfer", "qCRC", "qRcmd", "vCont", "vFlashErase", "vFlashWrite", "vFlashDone", "vAttach"],
];

/** Faults separated by commas; white space does not count. @throws FlashError `refused` naming the word that is off */
export function parseFaults(spec: string): readonly Fault[] {
  return spec
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "")
    .map(parseFault);
}

function parseFault(word: string): Fault {
  const match = /^([a-z-]+)@(.+)$/.exec(word);
  const fault = match === null ? undefined : faultOf(match[1] ?? "", match[2] ?? "");
  if (fault === undefined) {
    throw new FlashError("refused", `"${word}" is no fault that a simulated board knows`, {
      remedy: `Write one of: ${faultSpecHelp}.`,
    });
  }
  return fault;
}

function faultOf(kind: string, place: string): Fault | undefined {
  switch (kind) {
    case "drop":
    case "flip":
    case "double":
      return byteFault(kind, place);
    case "unplug":
      return unplugAtByte(place) ?? powerFault("unplug", place);
    case "power-cut":
      return powerFault(kind, place);
    case "stuck-busy":
      return workFault(kind, place);
    case "stall":
    case "silence":
    case "garble":
      return commandFault(kind, place);
    case "bad-sector":
      return numbers(place, /^(0x[0-9a-f]+|\d+)$/i, ([address = 0]) => ({ kind, address: address & ~4095 }));
    case "stuck-bit":
      return numbers(place, /^(0x[0-9a-f]+|\d+)\.([0-7])$/i, ([address = 0, bit = 0]) => ({ kind, address, bit }));
    case "clock":
      return numbers(place, /^([+-]?\d+(?:\.\d+)?)%$/, ([percent = 0]) => ({ kind, factor: 1 + percent / 100 }));
    case "lost-write":
    case "no-halt":
    case "no-end":
      return numbers(place, /^([1-9]\d*)$/, ([number = 0]) => ({ kind, number }));
    case "boot-noise":
      return numbers(place, /^(\d+)$/, ([bytes = 0]) => ({ kind, bytes }));
    default:
      return undefined;
  }
}

function byteFault(kind: "drop" | "flip" | "double", place: string): Fault | undefined {
  const direction = directionOf(place);
  if (direction === undefined) return undefined;
  return (
    numbers(place, /^(?:in|out):(\d+)$/, ([at = 0]) => ({ kind, direction, place: { at } })) ??
    numbers(place, /^(?:in|out):rate=(\d*\.?\d+(?:e-?\d+)?)$/i, ([rate = 0]) => ({ kind, direction, place: { rate } }))
  );
}

function unplugAtByte(place: string): Fault | undefined {
  const direction = directionOf(place);
  if (direction === undefined) return undefined;
  return numbers(place, /^(?:in|out):(\d+)$/, ([at = 0]) => ({ kind: "unplug", direction, at }));
}

function powerFault(kind: "unplug" | "power-cut", place: string): Fault | undefined {
  const timed = numbers(place, /^ms:(\d+(?:\.\d+)?)$/, ([atMs = 0]) => ({ kind, atMs }));
  return timed ?? workFault(kind, place);
}

function workFault(kind: "unplug" | "power-cut" | "stuck-busy", place: string): Fault | undefined {
  const work = place.startsWith("erase:") ? "erase" : "program";
  return numbers(place, /^(?:erase|program):([1-9]\d*)$/, ([number = 0]) => ({ kind, work, number }));
}

function commandFault(kind: "stall" | "silence" | "garble", place: string): Fault | undefined {
  const [command = ""] = place.split(":");
  const isKnown = commandNames.includes(command) || command === ownStubStart || packetKinds.includes(command);
  if (!isKnown) return undefined;
  return numbers(place, /^[\w-]+:([1-9]\d*)$/, ([number = 0]) => ({ kind, command, number }));
}

function directionOf(place: string): Direction | undefined {
  if (place.startsWith("in:")) return "in";
  return place.startsWith("out:") ? "out" : undefined;
}

function numbers(place: string, shape: RegExp, make: (values: readonly number[]) => Fault): Fault | undefined {
  const match = shape.exec(place);
  return match === null ? undefined : make(match.slice(1).map(Number));
}
