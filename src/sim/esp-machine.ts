/**
 * What a program on the simulated chip sees of it. A program (ROM loader, stub, boot) is a generator: it runs without taking
 * time, and yields when it waits for a moment or for input. Whoever runs it may drop it at any yield: reset, power cut.
 */
import type { EspChip } from "./esp-chip-parts.ts";
import type { EspMemory } from "./esp-memory.ts";
import type { EspRegisters } from "./esp-registers.ts";
import type { Receiver } from "./esp-slip.ts";
import type { NorCommands } from "./nor-commands.ts";
import type { NorFlash } from "./nor-flash.ts";

export type Wait =
  | { readonly kind: "until"; readonly ms: number }
  /** For input, or for a moment, whatever comes first. */
  | { readonly kind: "input"; readonly untilMs?: number };

/** Why a program ended. */
export type Ending =
  { readonly kind: "reset"; readonly cause: ResetCause } | { readonly kind: "jump"; readonly entry: number };

export type ResetCause = "power-on" | "pin" | "software" | "watchdog";

/** What the chip is doing, for tests and reports. */
export type Running =
  "loader-rom" | "loader-stub" | "application" | "ram-program" | "boot-failed" | "starting" | "held-in-reset" | "off";

export type Program<T = Ending> = Generator<Wait, T, void>;

export interface Machine {
  readonly chip: EspChip;
  readonly flash: NorFlash;
  readonly memory: EspMemory;
  readonly registers: EspRegisters;
  /** The flash chip's command interface, for programs that drive it themselves. */
  readonly nor: NorCommands;
  readonly settings: MachineSettings;
  nowMs(): number;
  running: Running;
  /** Which receiver takes the bytes off the wire; undefined = nobody does. */
  receiver: Receiver | undefined;
  /** The UART's rate. */
  baud: number;
  /** Hands bytes to the transmitter. */
  send(bytes: Uint8Array): void;
  /** When the transmitter has sent all. */
  transmitterIdleMs(): number;
  /** Prints text, and keeps it in the boot log. */
  print(text: string): void;
  /** Counts a command, `rom:SYNC`, and tells what is to happen to it: see faults.ts. */
  commandFate(personality: "rom" | "stub", name: string): "normal" | "stall" | "silence";
  /** The ROM takes over the rate of a SYNC that comes in at another one. */
  adoptsRate: boolean;
}

export interface MachineSettings {
  /** Link over UART or the chip's own USB. */
  readonly link: "uart" | "usb";
  /** The security word of GET_SECURITY_INFO and the number of crypt bits. */
  readonly security: { readonly flags: number; readonly cryptCount: number };
  /** Multiplies the times that the processor takes. 0 = takes no time. */
  readonly cpuTimeFactor: number;
  /** From the strap being sampled to the loader listening, milliseconds. */
  readonly romStartMs: number;
  /** Garbage before the boot text, bytes. */
  readonly bootNoise: Uint8Array;
}

export const forInput: Extract<Wait, { kind: "input" }> = { kind: "input" };

export function until(ms: number): Wait {
  return { kind: "until", ms };
}

/** Waits `ms` milliseconds from now. */
export function* sleep(machine: Machine, ms: number): Program<void> {
  if (ms > 0) yield until(machine.nowMs() + ms);
}

/** Lets the processor work for `ms` milliseconds, as scaled by the settings. */
export function* work(machine: Machine, ms: number): Program<void> {
  yield* sleep(machine, ms * machine.settings.cpuTimeFactor);
}

/** For ever: until a reset. */
export function* hang(): Program<never> {
  for (;;) yield until(Infinity);
}

/** Waits until the flash chip is ready; for ever if it is stuck. */
export function* flashReady(machine: Machine): Program<void> {
  while (machine.flash.isBusy(machine.nowMs())) yield until(machine.flash.readyAtMs());
}
