/**
 * The flash commands of the official stub: data is answered first and worked on afterwards; the next erase is begun without
 * waiting for it; erases may be skipped while the chip is blank.
 */
import { createHash } from "node:crypto";
import { isFilledWith } from "../core/bytes.ts";
import { eraseRange, eraseUnit, md5Time, programRange, readRange } from "./esp-flash-work.ts";
import { INFLATE_MS_PER_BYTE, Inflater } from "./esp-inflate.ts";
import { flashReady, forInput, hang, until, work, type Program } from "./esp-machine.ts";
import { BLOCK_HEADER_BYTES, dataChecksum, u32At, type Request } from "./esp-packet.ts";
import { slipFrame } from "./esp-slip.ts";
import { stubError, type Stub, type StubAnswer, type StubCommand, type StubWrite } from "./esp-stub-state.ts";
import { SECTOR_BYTES } from "./nor-flash.ts";

const MAX_READ_PACKET = 4096;
/** The UART's transmit buffer; a program that sends more waits. */
const FIFO_BYTES = 128;

function* flashBegin(stub: Stub, request: Request): Program<StubAnswer> {
  if (request.data.length !== 16 && request.data.length !== 20) return { error: stubError.dataLength };
  const size = u32At(request.data, 0);
  const address = u32At(request.data, 12);
  const start = address - (address % SECTOR_BYTES);
  const end = Math.ceil((address + size) / SECTOR_BYTES) * SECTOR_BYTES;
  stub.write = {
    address,
    remaining: size,
    nextErase: start,
    eraseRemaining: end - start,
    sawDirt: !stub.release.skipsBlankSectors,
    inflater: request.op === 0x10 ? new Inflater() : undefined,
  };
  stub.machine.flash.isProtected = false;
  if (stub.release.name !== "legacy") yield* eraseNext(stub, stub.write);
  return {};
}

/** Begins the next erase if the chip is free; blank sectors are passed by until the first that is not. */
function* eraseNext(stub: Stub, write: StubWrite): Program<void> {
  const { machine } = stub;
  if (write.eraseRemaining === 0 || machine.flash.isBusy(machine.nowMs())) return;
  if (!write.sawDirt) {
    const sector = yield* readRange(machine, write.nextErase, SECTOR_BYTES);
    if (isFilledWith(sector, 0xff)) {
      write.nextErase += SECTOR_BYTES;
      write.eraseRemaining -= SECTOR_BYTES;
      return;
    }
    write.sawDirt = true;
  }
  const unit = eraseUnit(write.nextErase, write.eraseRemaining);
  machine.flash.startErase(write.nextErase, unit, machine.nowMs());
  write.nextErase += unit;
  write.eraseRemaining -= unit;
}

/** Waits for an erase that never comes if more is written than BEGIN announced. */
function* erasedUpTo(stub: Stub, write: StubWrite, end: number): Program<void> {
  while (write.nextErase < end) {
    if (write.eraseRemaining === 0) yield* hang();
    yield* flashReady(stub.machine);
    yield* eraseNext(stub, write);
  }
}

function* store(stub: Stub, write: StubWrite, data: Uint8Array): Program<void> {
  yield* erasedUpTo(stub, write, write.address + data.length);
  yield* programRange(stub.machine, write.address, data);
  write.address += data.length;
  write.remaining = (write.remaining - data.length) >>> 0;
}

function* flashData(stub: Stub, request: Request): Program<StubAnswer> {
  yield* work(stub.machine, 0);
  const { write } = stub;
  if (request.data.length < BLOCK_HEADER_BYTES) return { error: stubError.notEnoughData };
  if (write === undefined) return { error: stubError.notInFlashMode };
  const data = request.data.slice(BLOCK_HEADER_BYTES);
  if (u32At(request.data, 0) !== data.length) return { error: stubError.tooMuchData };
  if (dataChecksum(data) !== request.checksum) return { error: stubError.checksum };
  return {
    *after() {
      yield* store(stub, write, data.subarray(0, write.remaining));
      return 0;
    },
  };
}

function* deflData(stub: Stub, request: Request): Program<StubAnswer> {
  yield* work(stub.machine, 0);
  const { write } = stub;
  if (request.data.length < BLOCK_HEADER_BYTES) return { error: stubError.dataLength };
  if (write === undefined) return { error: stubError.notInFlashMode };
  const length = u32At(request.data, 0);
  const data = request.data.slice(BLOCK_HEADER_BYTES, BLOCK_HEADER_BYTES + length);
  const refuses = stub.release.refusesDataAfterEnd;
  if (write.remaining === 0 && (refuses === "all" || (refuses === "over 4 bytes" && data.length > 4))) {
    return { error: stubError.tooMuchData };
  }
  if (dataChecksum(data) !== request.checksum) return { error: stubError.checksum };
  const isFirst = u32At(request.data, 4) === 0;
  return {
    *after() {
      if (isFirst) write.inflater = new Inflater();
      return yield* inflateAndStore(stub, write, data);
    },
  };
}

/** One erase is begun before each window is inflated into. */
function* inflateAndStore(stub: Stub, write: StubWrite, data: Uint8Array): Program<number> {
  const inflated = (write.inflater ??= new Inflater()).push(data);
  let left = inflated.bytesOut;
  for (const window of inflated.windows) {
    const fresh = Math.min(left, window.length);
    left -= fresh;
    yield* eraseNext(stub, write);
    yield* work(stub.machine, (fresh * INFLATE_MS_PER_BYTE) / stub.speed);
    yield* store(stub, write, window);
  }
  if (left > 0) {
    yield* eraseNext(stub, write);
    yield* work(stub.machine, (left * INFLATE_MS_PER_BYTE) / stub.speed);
  }
  return inflated.failed ? stubError.inflate : 0;
}

function* flashEnd(stub: Stub, request: Request): Program<StubAnswer> {
  yield* work(stub.machine, 0);
  const isLegacy = stub.release.name === "legacy";
  if (request.data.length !== 4) return { error: stubError.dataLength };
  if (stub.write === undefined) return { error: stubError.notInFlashMode };
  if (stub.write.remaining !== 0) return { error: isLegacy ? stubError.notEnoughData : stubError.dataLength };
  stub.write = undefined;
  if (!stub.release.canReboot || u32At(request.data, 0) !== 0) return {};
  return { after: () => leave(stub) };
}

/** A reset by the program itself, behind the answer. */
function* leave(stub: Stub): Program {
  yield until(stub.machine.transmitterIdleMs());
  return { kind: "reset", cause: "software" };
}

function* runUserCode(stub: Stub): Program<StubAnswer> {
  yield* work(stub.machine, 0);
  return stub.release.canReboot ? { isSilent: true, after: () => leave(stub) } : { isSilent: true };
}

function* flashMd5(stub: Stub, request: Request): Program<StubAnswer> {
  if (request.data.length !== 16) return { error: stubError.dataLength };
  const address = u32At(request.data, 0);
  const size = u32At(request.data, 4);
  if (address + size > stub.flashBytes) return { error: stubError.flashFailed };
  yield* md5Time(stub.machine, size, stub.speed);
  const bytes = stub.machine.flash.bytes.subarray(address, address + size);
  return { data: createHash("md5").update(bytes).digest() };
}

function* eraseChip(stub: Stub, request: Request): Program<StubAnswer> {
  if (request.data.length !== 0) return { error: stubError.dataLength };
  const { machine } = stub;
  machine.flash.isProtected = false;
  yield* flashReady(machine);
  machine.flash.startErase(0, machine.flash.bytes.length, machine.nowMs());
  yield* flashReady(machine);
  return {};
}

function* eraseRegion(stub: Stub, request: Request): Program<StubAnswer> {
  const address = u32At(request.data, 0);
  const size = u32At(request.data, 4);
  if (request.data.length !== 8 || address % SECTOR_BYTES !== 0 || size % SECTOR_BYTES !== 0) {
    return { error: stubError.dataLength };
  }
  stub.machine.flash.isProtected = false;
  yield* eraseRange(stub.machine, address, size);
  return {};
}

function* readFlash(stub: Stub, request: Request): Program<StubAnswer> {
  yield* work(stub.machine, 0);
  if (request.data.length !== 16) return { error: stubError.dataLength };
  const address = u32At(request.data, 0);
  const size = u32At(request.data, 4);
  const packetBytes = u32At(request.data, 8);
  return {
    *after() {
      if (packetBytes > MAX_READ_PACKET) return stubError.dataLength;
      if (address + size > stub.flashBytes) return stubError.flashFailed;
      return yield* stream(stub, { address, size, packetBytes });
    },
  };
}

/** One packet in flight whatever was asked for; a frame from the host that is no count ends it. */
function* stream(stub: Stub, part: { address: number; size: number; packetBytes: number }): Program<number> {
  const { machine, receiver } = stub;
  const hash = createHash("md5");
  let sent = 0;
  let acknowledged = 0;
  while (sent < part.size || acknowledged < part.size) {
    const length = Math.min(part.size - sent, part.packetBytes);
    if (length > 0) {
      const packet = yield* readRange(machine, part.address + sent, length);
      hash.update(packet);
      yield* sendFrame(stub, packet);
      sent += length;
    }
    while (!receiver.isReady) yield forInput;
    const count = receiver.takeFrame();
    receiver.arm();
    if (count === undefined) continue;
    if (count.length !== 4) break;
    acknowledged = u32At(count, 0);
  }
  yield* sendFrame(stub, hash.digest());
  return 0;
}

/** Sends, and waits until all but the last 128 bytes are on the wire. */
function* sendFrame(stub: Stub, payload: Uint8Array): Program<void> {
  const { machine } = stub;
  machine.send(slipFrame(payload));
  const byteMs = 10_000 / machine.baud;
  const freeMs = machine.transmitterIdleMs() - FIFO_BYTES * byteMs;
  if (freeMs > machine.nowMs()) yield until(freeMs);
}

export const stubFlashCommands: readonly (readonly [number, StubCommand])[] = [
  [0x02, flashBegin],
  [0x03, flashData],
  [0x04, flashEnd],
  [0x10, flashBegin],
  [0x11, deflData],
  [0x12, flashEnd],
  [0x13, flashMd5],
  [0xd0, eraseChip],
  [0xd1, eraseRegion],
  [0xd2, readFlash],
  [0xd3, runUserCode],
];
