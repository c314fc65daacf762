/**
 * The serial loader in a chip's mask ROM: framing, answers, RAM, registers. Its flash commands are in esp-rom-flash.ts.
 * Behaviour, the odd parts included, as measured in the ROMs of ESP32, C3 and S3; the ESP8266's from Espressif's sources.
 */
import { dataChecksum, answerPacket, BLOCK_HEADER_BYTES, commandName, parseRequest, u32At } from "./esp-packet.ts";
import type { Request } from "./esp-packet.ts";
import { forInput, hang, until, work, type Ending, type Machine, type Program } from "./esp-machine.ts";
import { romFlashCommands } from "./esp-rom-flash.ts";
import { MAX_BLOCK_BYTES, Rom, romError, type RomAnswer, type RomCommand } from "./esp-rom-state.ts";
import { securityInfoBytes } from "./esp-security.ts";
import { slipFrame } from "./esp-slip.ts";

/** Between 0.1 and 1 ms on silicon (model). */
const COMMAND_MS = 0.3;
const SYNC_COPIES = 8;
/** Crystal against 8 MHz oscillator: the two places that the ESP32's ROM computes its clock from. */
const CALIBRATION_REGISTER = 0x3ff5f06c;
const OSCILLATOR_FUSE = 0x3ff5a010;
/** What secure download mode leaves. */
const secureOps: ReadonlySet<number> = new Set([0x02, 0x03, 0x04, 0x08, 0x0b, 0x0d, 0x0f, 0x14]);
const SECURE_DOWNLOAD_FLAG = 1 << 2;

/** Listens until a command leads out of the loader. */
export function* romLoader(machine: Machine): Program {
  const rom = new Rom(machine);
  machine.receiver = rom.receiver;
  machine.running = "loader-rom";
  machine.adoptsRate = true;
  for (;;) {
    rom.receiver.listen();
    while (!rom.receiver.isReady) yield forInput;
    const frame = rom.receiver.takeFrame();
    if (machine.chip.packetBuffer !== undefined) machine.memory.write(machine.chip.packetBuffer, frame);
    const request = parseRequest(frame);
    const ending = request === undefined ? undefined : yield* serve(rom, request);
    if (ending !== undefined) return ending;
  }
}

function knows(machine: Machine, op: number): boolean {
  if ((machine.settings.security.flags & SECURE_DOWNLOAD_FLAG) !== 0 && !secureOps.has(op)) return false;
  if (op === 0x14) return (machine.chip.securityInfoBytes ?? 20) > 0;
  if (machine.chip.id === "esp8266" && op > 0x0a) return false;
  return commands.has(op);
}

function* serve(rom: Rom, request: Request): Program<Ending | undefined> {
  const { machine } = rom;
  const name = commandName(request.op);
  const fate = machine.commandFate("rom", name);
  yield* work(machine, COMMAND_MS);
  if (fate === "stall") yield* hang();
  const command = knows(machine, request.op) && request.direction === 0 ? commands.get(request.op) : undefined;
  if (command === undefined) {
    if (fate === "normal") reply(rom, { error: romError.badMessage }, request);
    return undefined;
  }
  rom.previous = { op: request.op, copies: request.op === 0x08 ? SYNC_COPIES : 1 };
  const answer = yield* command(rom, request);
  if (fate === "normal") reply(rom, answer, request);
  return answer.after === undefined ? undefined : yield* answer.after();
}

/** The first status byte says whether it went well; the second one is the last error there was, the rest is residue. */
function reply(rom: Rom, answer: RomAnswer, request: Request): void {
  const { machine } = rom;
  const error = answer.error ?? 0;
  if (error !== 0) rom.staleError = error;
  const status = new Uint8Array(machine.chip.statusBytes ?? 4);
  status.set([error === 0 ? 0 : 1, rom.staleError]);
  status.set(request.data.subarray(2, status.length), 2);
  const packet = answerPacket(rom.previous.op, rom.value, answer.data ?? new Uint8Array(0), status);
  const frame = slipFrame(packet);
  for (let copy = 0; copy < rom.previous.copies; copy++) machine.send(frame);
}

function* sync(rom: Rom, request: Request): Program<RomAnswer> {
  rom.value = u32At(request.data, 0);
  rom.machine.adoptsRate = false;
  yield* work(rom.machine, 0);
  return {};
}

function* readRegister(rom: Rom, request: Request): Program<RomAnswer> {
  const value = rom.machine.registers.read(u32At(request.data, 0));
  if (value === undefined) yield* crash(rom.machine, "LoadProhibited", u32At(request.data, 0));
  rom.value = value ?? 0;
  return {};
}

function* writeRegister(rom: Rom, request: Request): Program<RomAnswer> {
  for (let at = 0; at + 16 <= request.data.length; at += 16) {
    const address = u32At(request.data, at);
    const mask = u32At(request.data, at + 8);
    yield* work(rom.machine, u32At(request.data, at + 12) / 1000);
    const kept = mask === 0xffffffff ? 0 : (rom.machine.registers.read(address) ?? 0) & ~mask;
    const done = rom.machine.registers.write(address, ((u32At(request.data, at + 4) & mask) | kept) >>> 0);
    if (!done) yield* crash(rom.machine, "StoreProhibited", address);
  }
  return {};
}

/** An exception prints its text and stops for good. */
function* crash(machine: Machine, cause: string, address: number): Program<never> {
  machine.receiver = undefined;
  machine.print(`Guru Meditation Error: Core  0 panic'ed (${cause}). EXCVADDR: 0x${address.toString(16)}\r\n`);
  return yield* hang();
}

function* memBegin(rom: Rom, request: Request): Program<RomAnswer> {
  yield* work(rom.machine, 0);
  const blockBytes = u32At(request.data, 8);
  if (blockBytes > MAX_BLOCK_BYTES) return { error: romError.badMessage };
  rom.load = { address: u32At(request.data, 12), blockBytes, nextSequence: 0 };
  return {};
}

function* memData(rom: Rom, request: Request): Program<RomAnswer> {
  yield* work(rom.machine, 0);
  const { load } = rom;
  const data = request.data.subarray(BLOCK_HEADER_BYTES);
  if (load === undefined || u32At(request.data, 4) !== load.nextSequence || data.length > load.blockBytes) {
    return { error: romError.badMessage };
  }
  load.nextSequence++;
  if (dataChecksum(data) !== (request.checksum & 0xff)) return { error: romError.checksum };
  const { memory } = rom.machine;
  if (!memory.write(load.address, data)) yield* crash(rom.machine, "StoreProhibited", load.address);
  memory.markUploaded(load.address, data.length);
  load.address += data.length;
  return {};
}

function* memEnd(rom: Rom, request: Request): Program<RomAnswer> {
  yield* work(rom.machine, 0);
  const stay = u32At(request.data, 0);
  const entry = u32At(request.data, 4);
  if (stay !== 0) return {};
  return {
    *after() {
      yield until(rom.machine.transmitterIdleMs());
      return { kind: "jump", entry };
    },
  };
}

/** Answers at the old rate, then switches. The rate that comes out depends on what the ROM believes its crystal to be. */
function* changeBaud(rom: Rom, request: Request): Program<RomAnswer> {
  const { machine } = rom;
  yield* work(machine, 0);
  const baud = u32At(request.data, 0);
  if (baud === 0) return { error: romError.badParameter };
  return {
    *after() {
      yield until(machine.transmitterIdleMs());
      const believed = believedCrystal(machine);
      if (believed === 0) return yield* crash(machine, "IntegerDivideByZero", 0);
      machine.baud = (baud * (machine.chip.crystalHz ?? 40e6)) / believed;
      return undefined;
    },
  };
}

function believedCrystal(machine: Machine): number {
  if (machine.chip.romBaud !== "measured") return machine.chip.crystalHz ?? 40e6;
  const ticks = ((machine.registers.read(CALIBRATION_REGISTER) ?? 0) >>> 7) & 0x1ff_ffff;
  const oscillator = (machine.registers.read(OSCILLATOR_FUSE) ?? 0) & 0xff;
  return (ticks * 15_625 * oscillator) / 40;
}

function* securityInfo(rom: Rom): Program<RomAnswer> {
  yield* work(rom.machine, 0);
  return { data: securityInfoBytes(rom.machine) };
}

const commands: ReadonlyMap<number, RomCommand> = new Map<number, RomCommand>([
  [0x05, memBegin],
  [0x06, memEnd],
  [0x07, memData],
  [0x08, sync],
  [0x09, writeRegister],
  [0x0a, readRegister],
  [0x0f, changeBaud],
  [0x14, securityInfo],
  ...romFlashCommands,
]);
