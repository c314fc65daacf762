/**
 * Espressif's flasher stub, by behaviour: the program that esptool and others load into RAM. One command at a time: what comes
 * before the answer is dropped. Its flash commands are in esp-stub-flash.ts, what differs by release in esp-stub-uploads.ts.
 */
import { sha256Hex } from "../core/digest.ts";
import { forInput, hang, sleep, until, work, type Ending, type Machine, type Program } from "./esp-machine.ts";
import { answerPacket, BLOCK_HEADER_BYTES, commandName, parseRequest, u32At, type Request } from "./esp-packet.ts";
import { slipFrame } from "./esp-slip.ts";
import { securityInfoBytes } from "./esp-security.ts";
import { stubFlashCommands } from "./esp-stub-flash.ts";
import { stubError, Stub, type StubAnswer, type StubCommand } from "./esp-stub-state.ts";
import { stubUploads, type StubRelease } from "./esp-stub-uploads.ts";

/** Between 0.1 and 1 ms on silicon (model). */
const COMMAND_MS = 0.2;
/** The stub waits this long before its first word, so that the ROM's answer gets out. */
const START_MS = 10;
const SYNC_COPIES = 8;
const FIRST_RATE = 115_200;
/** Numbers that are kept for plug-ins. */
const FIRST_PLUGIN = 0xd5;

/** Where a legacy stub tells of errors. */
const dataOps: ReadonlySet<number> = new Set([0x03, 0x04, 0x11, 0x12]);

/** The release whose program stands in RAM with this entry, or undefined. */
export function officialStubAt(machine: Machine, entry: number): StubRelease | undefined {
  return stubUploads.find((upload) => {
    if (upload.entry !== entry) return false;
    const text = machine.memory.view(upload.textAt, upload.textBytes);
    return text !== undefined && sha256Hex(text) === upload.sha256;
  })?.release;
}

export function* officialStub(machine: Machine, release: StubRelease): Program {
  const stub = new Stub(machine, release);
  machine.adoptsRate = false;
  machine.receiver = undefined;
  if (release.boostsOverUart && machine.chip.boostsOverUart === true && machine.settings.link === "uart") {
    machine.baud = FIRST_RATE;
  }
  yield* sleep(machine, START_MS);
  yield until(machine.transmitterIdleMs());
  machine.receiver = stub.receiver;
  machine.running = "loader-stub";
  machine.send(slipFrame(Buffer.from("OHAI", "latin1")));
  for (;;) {
    while (!stub.receiver.isReady) yield forInput;
    const frame = stub.receiver.takeFrame();
    const ending = frame === undefined ? undefined : yield* serve(stub, frame);
    stub.receiver.arm();
    if (ending !== undefined) return ending;
  }
}

function* serve(stub: Stub, frame: Uint8Array): Program<Ending | undefined> {
  const { machine } = stub;
  const op = frame[1] ?? 0;
  const fate = machine.commandFate("stub", commandName(op));
  yield* work(machine, COMMAND_MS / stub.speed);
  if (fate === "stall") yield* hang();
  const answer = yield* answerTo(stub, frame, op);
  if (fate === "normal" && answer.isSilent !== true) reply(stub, op, answer);
  stub.receiver.arm();
  if (answer.after === undefined) return undefined;
  const result = yield* answer.after();
  if (typeof result !== "number") return result;
  stub.pendingError = result;
  return undefined;
}

function* answerTo(stub: Stub, frame: Uint8Array, op: number): Program<StubAnswer> {
  const request = parseRequest(frame);
  if (frame[0] !== 0) return { error: stubError.invalidCommand };
  if (request?.data.length !== request?.announced || request === undefined) return { error: stubError.dataLength };
  if (stub.pendingError !== 0 && (stub.release.errorsHitNextCommand || dataOps.has(op))) {
    const error = stub.pendingError;
    stub.pendingError = 0;
    return { error };
  }
  const command = commands.get(op);
  if (command !== undefined) return yield* command(stub, request);
  const isPlugin = op >= FIRST_PLUGIN || stub.release.name === "legacy";
  return { error: isPlugin ? stubError.notImplemented : stubError.invalidCommand };
}

function reply(stub: Stub, op: number, answer: StubAnswer): void {
  const error = answer.error ?? 0;
  const data = error === 0 ? (answer.data ?? new Uint8Array(0)) : new Uint8Array(0);
  const frame = slipFrame(answerPacket(op, answer.value ?? 0, data, Uint8Array.of(error, 0)));
  const copies = op === 0x08 && error === 0 ? SYNC_COPIES : 1;
  for (let copy = 0; copy < copies; copy++) stub.machine.send(frame);
}

function* sync(stub: Stub, request: Request): Program<StubAnswer> {
  yield* work(stub.machine, 0);
  return request.data.length === 36 ? {} : { error: stubError.dataLength };
}

function* memBegin(stub: Stub, request: Request): Program<StubAnswer> {
  yield* work(stub.machine, 0);
  if (request.data.length !== 16) return { error: stubError.dataLength };
  stub.load = { address: u32At(request.data, 12), remaining: u32At(request.data, 0) };
  return {};
}

function* memData(stub: Stub, request: Request): Program<StubAnswer> {
  yield* work(stub.machine, 0);
  const { load } = stub;
  if (request.data.length < BLOCK_HEADER_BYTES) return { error: stubError.notEnoughData };
  if (load === undefined) return { error: stubError.notInFlashMode };
  const data = request.data.subarray(BLOCK_HEADER_BYTES);
  const announced = u32At(request.data, 0);
  if (load.remaining < announced || announced !== data.length) return { error: stubError.tooMuchData };
  if (!stub.machine.memory.write(load.address, data)) yield* hang();
  stub.machine.memory.markUploaded(load.address, data.length);
  load.address += data.length;
  load.remaining -= data.length;
  return {};
}

function* memEnd(stub: Stub, request: Request): Program<StubAnswer> {
  yield* work(stub.machine, 0);
  if (request.data.length !== 8) return { error: stubError.dataLength };
  if (stub.load === undefined) return { error: stubError.notInFlashMode };
  stub.load = undefined;
  const entry = u32At(request.data, 4);
  if (u32At(request.data, 0) !== 0) return {};
  return {
    *after() {
      yield until(stub.machine.transmitterIdleMs());
      return { kind: "jump", entry };
    },
  };
}

function* writeRegister(stub: Stub, request: Request): Program<StubAnswer> {
  const { data } = request;
  if (data.length === 0 || data.length % 16 !== 0) return { error: stubError.notEnoughData };
  for (let at = 0; at < data.length; at += 16) {
    const address = u32At(data, at);
    const mask = u32At(data, at + 8);
    yield* work(stub.machine, u32At(data, at + 12) / 1000);
    const kept = mask === 0xffffffff ? 0 : (stub.machine.registers.read(address) ?? 0) & ~mask;
    const done = stub.machine.registers.write(address, ((u32At(data, at + 4) & mask) | kept) >>> 0);
    if (!done) yield* hang();
  }
  return {};
}

function* readRegister(stub: Stub, request: Request): Program<StubAnswer> {
  if (request.data.length !== 4) return { error: stubError.dataLength };
  const value = stub.machine.registers.read(u32At(request.data, 0));
  if (value === undefined) yield* hang();
  return { value: value ?? 0 };
}

function* spiAttach(stub: Stub, request: Request): Program<StubAnswer> {
  yield* work(stub.machine, 0);
  if (request.data.length === 4) return {};
  return { error: stub.release.name === "legacy" ? 0x01 : stubError.dataLength };
}

function* spiSetParams(stub: Stub, request: Request): Program<StubAnswer> {
  yield* work(stub.machine, 0);
  if (request.data.length !== 24) return { error: stubError.dataLength };
  stub.flashBytes = u32At(request.data, 4);
  return {};
}

/** The ESP8266's new divider is computed as if the present rate were 115200. */
function* changeBaud(stub: Stub, request: Request): Program<StubAnswer> {
  const { machine, release } = stub;
  yield* work(machine, 0);
  if (request.data.length !== 8) return { error: stubError.dataLength };
  const asked = u32At(request.data, 0);
  const [beforeMs, afterMs] = release.baudChangeMs;
  return {
    *after() {
      yield* sleep(machine, beforeMs);
      yield until(machine.transmitterIdleMs());
      machine.baud = machine.chip.id === "esp8266" ? (asked * machine.baud) / FIRST_RATE : asked;
      yield* sleep(machine, afterMs);
      return 0;
    },
  };
}

function* securityInfo(stub: Stub, request: Request): Program<StubAnswer> {
  yield* work(stub.machine, 0);
  if (stub.machine.chip.securityInfoBytes === 0) return { error: stubError.notImplemented };
  return request.data.length === 0 ? { data: securityInfoBytes(stub.machine) } : { error: stubError.dataLength };
}

const commands: ReadonlyMap<number, StubCommand> = new Map<number, StubCommand>([
  [0x05, memBegin],
  [0x06, memEnd],
  [0x07, memData],
  [0x08, sync],
  [0x09, writeRegister],
  [0x0a, readRegister],
  [0x0b, spiSetParams],
  [0x0d, spiAttach],
  [0x0f, changeBaud],
  [0x14, securityInfo],
  ...stubFlashCommands,
]);
