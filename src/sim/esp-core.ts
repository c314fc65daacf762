/**
 * Runs the programs of a simulated chip: reset, boot, ROM loader, whatever is loaded into RAM. It is told when time has come and
 * when bytes are there; it knows no host and no cable.
 */
import type { EspChip } from "./esp-chip-parts.ts";
import { bootFromFlash, printBanner } from "./esp-boot.ts";
import { EspMemory } from "./esp-memory.ts";
import { EspRegisters } from "./esp-registers.ts";
import { hang, sleep, work } from "./esp-machine.ts";
import type { Ending, Machine, MachineSettings, Program, ResetCause, Running, Wait } from "./esp-machine.ts";
import { romLoader } from "./esp-rom.ts";
import type { Receiver } from "./esp-slip.ts";
import { officialStub, officialStubAt } from "./esp-stub.ts";
import { patchStub } from "./esp-patch-stub.ts";
import { patchStubAt } from "./esp-patch-stub-uploads.ts";
import type { StubRelease } from "./esp-stub-uploads.ts";
import { securityFuses } from "./esp-security.ts";
import { NorCommands } from "./nor-commands.ts";
import type { NorFlash } from "./nor-flash.ts";

const BOOT_LOG_CHARACTERS = 64 * 1024;
const BOOT_BAUD = 115_200;
/** From a software or watchdog reset to the first lines (model). */
const RESET_MS = 1;

/** What a chip needs from the board around it. */
export interface CoreHost {
  send(bytes: Uint8Array, nowMs: number): void;
  transmitterIdleMs(): number;
  setDeviceBaud(baud: number): void;
  commandFate(name: string): "normal" | "stall" | "silence";
  /** How IO0 stands, for a reset that the chip does by itself. */
  bootStrapIsLow(): boolean;
}

export class EspCore implements Machine {
  readonly chip: EspChip;
  readonly flash: NorFlash;
  readonly memory: EspMemory;
  readonly registers: EspRegisters;
  readonly settings: MachineSettings;
  readonly commands: Record<string, number> = {};
  running: Running = "off";
  receiver: Receiver | undefined;
  adoptsRate = false;
  bootLog = "";
  resets = 0;
  readonly #host: CoreHost;
  readonly nor: NorCommands;
  #nowMs = 0;
  #baud = BOOT_BAUD;
  #program: Program | undefined;
  #wait: Wait | undefined;
  #watchdogAtMs = Infinity;

  constructor(parts: { chip: EspChip; flash: NorFlash; mac: Uint8Array; settings: MachineSettings; host: CoreHost }) {
    this.chip = parts.chip;
    this.flash = parts.flash;
    this.settings = parts.settings;
    this.#host = parts.host;
    this.memory = new EspMemory(parts.chip);
    this.nor = new NorCommands(parts.flash);
    this.registers = new EspRegisters({
      chip: parts.chip,
      memory: this.memory,
      nor: this.nor,
      fuses: { ...securityFuses(parts.chip, parts.settings.security), ...parts.chip.mac(parts.mac) },
      hooks: {
        nowMs: () => this.#nowMs,
        baud: () => this.#baud,
        setBaud: (baud) => (this.baud = baud),
        watchdogReset: (afterMs) => (this.#watchdogAtMs = this.#nowMs + afterMs),
      },
    });
  }

  nowMs(): number {
    return this.#nowMs;
  }

  get baud(): number {
    return this.#baud;
  }

  set baud(baud: number) {
    this.#baud = baud;
    this.#host.setDeviceBaud(baud);
  }

  send(bytes: Uint8Array): void {
    this.#host.send(bytes, this.#nowMs);
  }

  transmitterIdleMs(): number {
    return Math.max(this.#host.transmitterIdleMs(), this.#nowMs);
  }

  print(text: string): void {
    this.bootLog = (this.bootLog + text).slice(-BOOT_LOG_CHARACTERS);
    this.send(Buffer.from(text, "latin1"));
  }

  commandFate(personality: "rom" | "stub", name: string): "normal" | "stall" | "silence" {
    const key = `${personality}:${name}`;
    this.commands[key] = (this.commands[key] ?? 0) + 1;
    return this.#host.commandFate(name);
  }

  /** When the chip wants to be woken: a moment, the past if bytes wait for it, or undefined. */
  wakeMs(): number | undefined {
    const wait = this.#wait;
    const watchdog = this.#watchdogAtMs === Infinity ? undefined : this.#watchdogAtMs;
    const own =
      wait === undefined
        ? undefined
        : wait.kind === "until"
          ? wait.ms === Infinity
            ? undefined
            : wait.ms
          : this.receiver?.isReady === true
            ? this.#nowMs
            : wait.untilMs === Infinity
              ? undefined
              : wait.untilMs;
    return own === undefined || watchdog === undefined ? (own ?? watchdog) : Math.min(own, watchdog);
  }

  /** An earlier session left this stub running. */
  startStub(release: StubRelease, nowMs: number): void {
    this.#nowMs = nowMs;
    this.stop("starting", nowMs);
    this.#program = runLoader(this, officialStub(this, release));
    this.wake(nowMs);
  }

  /** Comes out of reset, with the strap as it was sampled. */
  start(cause: ResetCause, intoLoader: boolean, nowMs: number): void {
    this.#nowMs = nowMs;
    this.stop("starting", nowMs);
    this.resets++;
    this.baud = this.chip.bootBaud ?? BOOT_BAUD;
    this.#program = life(this, cause, intoLoader);
    this.wake(nowMs);
  }

  /** Whatever ran is gone: reset, or no power. Work that the flash chip has begun goes on. */
  stop(running: "held-in-reset" | "off" | "starting", nowMs: number): void {
    this.#nowMs = nowMs;
    this.#program = undefined;
    this.#wait = undefined;
    this.#watchdogAtMs = Infinity;
    this.receiver = undefined;
    this.adoptsRate = false;
    this.running = running;
    this.memory.forgetUploads();
    this.registers.reset();
  }

  /** Power goes. */
  cutPower(nowMs: number): void {
    this.flash.cutPower(nowMs);
    this.nor.cutPower();
    this.stop("off", nowMs);
  }

  /** Time is `nowMs`: goes on with whatever was waiting for it. */
  wake(nowMs: number): void {
    this.#nowMs = nowMs;
    this.flash.settle(nowMs);
    if (this.#watchdogAtMs <= nowMs) {
      this.start("watchdog", this.#host.bootStrapIsLow(), nowMs);
      return;
    }
    while (this.#program !== undefined && this.#mayGoOn()) {
      const step = this.#program.next();
      if (step.done === true) {
        this.#end(step.value);
        return;
      }
      this.#wait = step.value;
    }
  }

  #mayGoOn(): boolean {
    const wait = this.#wait;
    if (wait === undefined) return true;
    if (wait.kind === "until") return wait.ms <= this.#nowMs;
    return this.receiver?.isReady === true || (wait.untilMs ?? Infinity) <= this.#nowMs;
  }

  #end(ending: Ending): void {
    const cause = ending.kind === "reset" ? ending.cause : "software";
    this.start(cause, this.#host.bootStrapIsLow(), this.#nowMs);
  }
}

/** From reset to reset. */
function* life(machine: Machine, cause: ResetCause, intoLoader: boolean): Program {
  if (cause === "software" || cause === "watchdog") yield* sleep(machine, RESET_MS);
  if (machine.settings.bootNoise.length > 0) machine.send(machine.settings.bootNoise);
  printBanner(machine, cause, intoLoader);
  yield* sleep(machine, machine.settings.romStartMs);
  if (!intoLoader) return yield* bootFromFlash(machine);
  return yield* runLoader(machine, romLoader(machine));
}

/** Runs a loader and whatever it jumps to. */
function* runLoader(machine: Machine, loader: Program): Program {
  let ending: Ending = yield* loader;
  while (ending.kind === "jump") {
    const release = officialStubAt(machine, ending.entry);
    const own = patchStubAt(machine, ending.entry);
    if (release !== undefined) ending = yield* officialStub(machine, release);
    else ending = own === undefined ? yield* ramProgram(machine, ending.entry) : yield* patchStub(machine, own);
  }
  return ending;
}

/** Only an entry inside uploaded bytes may run; the loader is gone either way. */
function* ramProgram(machine: Machine, entry: number): Program<never> {
  machine.receiver = undefined;
  yield* work(machine, 0);
  if (!machine.memory.wasUploaded(entry)) {
    machine.running = "boot-failed";
    machine.print(`Guru Meditation Error: Core  0 panic'ed (IllegalInstruction). PC : 0x${entry.toString(16)}\r\n`);
  } else {
    machine.running = "ram-program";
    machine.print(`ram: running at 0x${entry.toString(16)}\r\n`);
  }
  return yield* hang();
}
