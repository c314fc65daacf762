/** `monitor` commands: what each server calls them, as data, and what they do. */
import type { RegisterName } from "./cpu.ts";
import type { Personality, PersonalityName } from "./personalities.ts";
import type { Probe, Work } from "./probe.ts";

/** What a command says. `isFailure`: an error to GDB. */
export interface MonitorAnswer {
  readonly text: string;
  readonly isFailure?: boolean;
}

/** What the commands may do to the server. */
export interface MonitorHost {
  readonly probe: Probe;
  readonly personality: Personality;
  /** The core runs without anybody being told when it stops. */
  resume(): Work<void>;
  /** The server notices that the core has halted by itself. */
  notices(): boolean;
  readRegister(name: RegisterName): Work<number>;
  writeRegister(name: RegisterName, value: number): Work<void>;
  /** The core was reset or is another: what the server remembers of it is void. */
  forget(): void;
}

type Act = (host: MonitorHost, words: readonly string[]) => Work<MonitorAnswer>;

const quiet: MonitorAnswer = { text: "" };
const WAIT_HALT_MS = 5_000;
const WAIT_STEP_MS = 1;

const says = (text: string): Act =>
  function* () {
    return { text };
  };

const resets = (then: "run" | "halt"): Act =>
  function* (host) {
    yield* host.probe.reset(then, host.personality.resetMs);
    host.forget();
    return quiet;
  };

function* halts(host: MonitorHost): Work<MonitorAnswer> {
  yield* host.probe.halt();
  return quiet;
}

function* resumes(host: MonitorHost, words: readonly string[]): Work<MonitorAnswer> {
  const [address] = words;
  if (address !== undefined) yield* host.writeRegister("pc", Number(address));
  yield* host.resume();
  return quiet;
}

function* waitsForHalt(host: MonitorHost, words: readonly string[]): Work<MonitorAnswer> {
  const limitMs = Number(words[0] ?? WAIT_HALT_MS);
  for (let waitedMs = 0; waitedMs <= limitMs; waitedMs += WAIT_STEP_MS) {
    yield* host.probe.roundTrip();
    if (host.probe.machine.cpu.state === "halted") {
      host.notices();
      return quiet;
    }
    yield WAIT_STEP_MS;
  }
  return { text: `timed out while waiting for target halted\n`, isFailure: true };
}

/** `reg`: all of them are not listed here; one is read, or written. */
function* register(host: MonitorHost, words: readonly string[]): Work<MonitorAnswer> {
  const [word = "", value] = words;
  const name = word.toLowerCase();
  if (!isRegister(name)) return { text: `register ${word} not found in current target\n`, isFailure: true };
  if (value !== undefined) yield* host.writeRegister(name, Number(value) >>> 0);
  const now = yield* host.readRegister(name);
  return { text: `${word} (/32): 0x${now.toString(16).padStart(8, "0")}\n` };
}

function* readsWord(host: MonitorHost, words: readonly string[]): Work<MonitorAnswer> {
  const address = Number(words[0]);
  const data = yield* host.probe.read(address, 4);
  if (data === undefined) return { text: `Failed to read memory at 0x${address.toString(16)}\n`, isFailure: true };
  const value = new DataView(data.buffer, data.byteOffset).getUint32(0, true);
  return { text: `0x${address.toString(16).padStart(8, "0")}: ${value.toString(16).padStart(8, "0")} \n` };
}

function* writesWord(host: MonitorHost, words: readonly string[]): Work<MonitorAnswer> {
  const data = new Uint8Array(4);
  new DataView(data.buffer).setUint32(0, Number(words[1]) >>> 0, true);
  const done = yield* host.probe.write(Number(words[0]), data);
  return done ? quiet : { text: "Failed to write memory\n", isFailure: true };
}

function clock(unitHz: number, unit: string): Act {
  return function* (host, words) {
    const [value] = words;
    if (value !== undefined) host.probe.clockHz = Math.max(1_000, Number(value) * unitHz);
    yield* host.probe.roundTrip();
    return { text: `adapter speed: ${Math.round(host.probe.clockHz / unitHz)} ${unit}\n` };
  };
}

function* scan(host: MonitorHost): Work<MonitorAnswer> {
  yield* host.probe.roundTrip(4);
  const { title } = host.probe.machine.chip;
  return { text: `Target voltage: 3.3V\nAvailable Targets:\nNo. Att Driver\n 1      ${title}\n` };
}

/** Reset of the chip's own reset line, and everybody off: the server forgets that it was attached. */
const commands: Readonly<Record<PersonalityName, Readonly<Record<string, Act>>>> = {
  openocd: {
    version: says("Open On-Chip Debugger 0.12.0\n"),
    reset: resets("run"),
    "reset run": resets("run"),
    "reset halt": resets("halt"),
    "reset init": resets("halt"),
    halt: halts,
    resume: resumes,
    wait_halt: waitsForHalt,
    reg: register,
    mdw: readsWord,
    mww: writesWord,
    "adapter speed": clock(1000, "kHz"),
    poll: says(""),
  },
  pyocd: {
    reset: resets("run"),
    "reset halt": resets("halt"),
    halt: halts,
    continue: resumes,
    c: resumes,
    "show target": function* (host) {
      const { title, core } = host.probe.machine.chip;
      return { text: `Target:  ${title}\nCore:    ${core}\n` };
    },
    help: says("reset  halt  continue  show  set\n"),
  },
  "st-util": {
    reset: resets("halt"),
    halt: halts,
    jtag_reset: resets("halt"),
    resume: resumes,
  },
  "black-magic": {
    version: says("Black Magic Probe v2.0.0\n"),
    swd_scan: scan,
    swdp_scan: scan,
    auto_scan: scan,
    frequency: clock(1, "Hz"),
    reset: resets("run"),
  },
  plain: {
    reset: resets("run"),
    "reset run": resets("run"),
    "reset halt": resets("halt"),
    halt: halts,
    resume: resumes,
  },
};

/** Runs a line, or several that semicolons separate; ends at the first that fails. */
export function* monitor(host: MonitorHost, line: string): Work<MonitorAnswer | undefined> {
  let text = "";
  for (const command of line.split(";").map((one) => one.trim().replace(/\s+/g, " "))) {
    if (command === "") continue;
    const found = find(host.personality.name, command);
    if (found === undefined) {
      if (host.personality.name === "st-util" || host.personality.name === "plain") return undefined;
      return { text: `${text}invalid command name "${command.split(" ")[0] ?? ""}"\n`, isFailure: true };
    }
    const answer = yield* found.act(host, found.words);
    text += answer.text;
    if (answer.isFailure === true) return { text, isFailure: true };
  }
  return { text };
}

/** The longest name that the command begins with. */
function find(server: PersonalityName, command: string): { act: Act; words: readonly string[] } | undefined {
  const names = Object.keys(commands[server]).filter((name) => command === name || command.startsWith(`${name} `));
  const [name] = names.sort((a, b) => b.length - a.length);
  const act = name === undefined ? undefined : commands[server][name];
  if (name === undefined || act === undefined) return undefined;
  return {
    act,
    words: command
      .slice(name.length)
      .split(" ")
      .filter((word) => word !== ""),
  };
}

function isRegister(name: string): name is RegisterName {
  return /^(r\d|r1[0-2]|sp|lr|pc|xpsr|msp|psp|primask|control)$/.test(name);
}
