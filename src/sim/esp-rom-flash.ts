/** The flash commands of the ROM loader. They erase before BEGIN is answered, and read back what they program. */
import { md5 } from "../core/digest.ts";
import { eraseRange, md5Time, programRange, readRange } from "./esp-flash-work.ts";
import { INFLATE_MS_PER_BYTE, Inflater } from "./esp-inflate.ts";
import { hang, until, work, type Ending, type Machine, type Program } from "./esp-machine.ts";
import { BLOCK_HEADER_BYTES, dataChecksum, u32At, type Request } from "./esp-packet.ts";
import {
  MAX_BLOCK_BYTES,
  romError,
  type Rom,
  type RomAnswer,
  type RomCommand,
  type RomWrite,
} from "./esp-rom-state.ts";
import { SECTOR_BYTES } from "./nor-flash.ts";

const SLOW_READ_BYTES = 64;
const SECTORS_PER_BLOCK = 16;

function* flashBegin(rom: Rom, request: Request): Program<RomAnswer> {
  const { machine } = rom;
  const size = u32At(request.data, 0);
  const blockBytes = u32At(request.data, 8);
  const address = u32At(request.data, 12);
  if (blockBytes > MAX_BLOCK_BYTES) return { error: romError.badMessage };
  const sectors = Math.ceil(size / SECTOR_BYTES);
  const isEsp8266 = machine.chip.id === "esp8266";
  if (address % SECTOR_BYTES !== 0) return { error: romError.failed };
  if (!isEsp8266 && !rom.reaches(address, sectors * SECTOR_BYTES)) return { error: romError.failed };
  machine.flash.isProtected = false;
  const erased = isEsp8266 ? esp8266EraseSectors(address, sectors) : sectors;
  yield* eraseRange(machine, address, erased * SECTOR_BYTES);
  const inflater = request.op === 0x10 ? new Inflater() : undefined;
  rom.write = { address, blockBytes, blocksLeft: u32At(request.data, 4), nextSequence: 0, inflater };
  return {};
}

/** The ESP8266's ROM counts the sectors up to the next block boundary twice (esptool's `get_erase_size`). */
function esp8266EraseSectors(address: number, sectors: number): number {
  const head = SECTORS_PER_BLOCK - ((address / SECTOR_BYTES) % SECTORS_PER_BLOCK);
  return Math.min(sectors, head) + sectors;
}

/** A wrong checksum uses up the sequence number all the same. */
function checkBlock(write: RomWrite | undefined, request: Request): Uint8Array | number {
  const data = request.data.subarray(BLOCK_HEADER_BYTES);
  if (write === undefined || u32At(request.data, 4) !== write.nextSequence || data.length > write.blockBytes) {
    return romError.badMessage;
  }
  write.nextSequence++;
  if (dataChecksum(data) !== (request.checksum & 0xff)) return romError.checksum;
  return data;
}

function* flashData(rom: Rom, request: Request): Program<RomAnswer> {
  const { write } = rom;
  const data = checkBlock(write, request);
  if (typeof data === "number") return { error: data };
  if (write === undefined || data.length % 4 !== 0) return { error: romError.failed };
  write.blocksLeft--;
  return yield* programAndCompare(rom.machine, write, data);
}

function* deflData(rom: Rom, request: Request): Program<RomAnswer> {
  const { write } = rom;
  const data = checkBlock(write, request);
  if (typeof data === "number") return { error: data };
  if (write?.inflater === undefined) return { error: romError.badMessage };
  write.blocksLeft--;
  const inflated = write.inflater.push(data);
  if (inflated.failed) return { error: romError.inflate };
  yield* work(rom.machine, inflated.bytesOut * INFLATE_MS_PER_BYTE);
  let answer: RomAnswer = {};
  for (const window of inflated.windows) {
    const padded = new Uint8Array((window.length + 3) & ~3).fill(0xff);
    padded.set(window);
    answer = yield* programAndCompare(rom.machine, write, padded);
    if (answer.error !== undefined) break;
  }
  return answer;
}

/** Compares one XOR over what was sent with one over what is there. */
function* programAndCompare(machine: Machine, write: RomWrite, data: Uint8Array): Program<RomAnswer> {
  yield* programRange(machine, write.address, data);
  const there = yield* readRange(machine, write.address, data.length);
  write.address += data.length;
  return dataChecksum(there) === dataChecksum(data) ? {} : { error: romError.writtenDiffers };
}

/** Leaves the loader for good: 0 resets, 1 runs the user code, of which there is none. */
function* flashEnd(rom: Rom, request: Request): Program<RomAnswer> {
  yield* work(rom.machine, 0);
  const isUnfinished = rom.write !== undefined && rom.write.blocksLeft > 0;
  rom.write = undefined;
  const ending: Ending = { kind: "reset", cause: "software" };
  const mayReset = u32At(request.data, 0) === 0;
  return {
    ...(isUnfinished ? { error: romError.failed } : {}),
    *after() {
      yield until(rom.machine.transmitterIdleMs());
      if (mayReset) return ending;
      rom.machine.receiver = undefined;
      rom.machine.running = "ram-program";
      rom.machine.print("user code done\r\n");
      return yield* hang();
    },
  };
}

function* flashMd5(rom: Rom, request: Request): Program<RomAnswer> {
  const address = u32At(request.data, 0);
  const size = u32At(request.data, 4);
  if (!rom.reaches(address, size)) {
    const residue = new Uint8Array(32);
    residue.set(request.data.subarray(0, 16));
    return { error: romError.flashRead, data: residue };
  }
  yield* md5Time(rom.machine, size, 1);
  return { data: Buffer.from(md5(rom.machine.flash.bytes.subarray(address, address + size)), "latin1") };
}

/** Always 64 bytes, whatever was asked for. */
function* readFlashSlow(rom: Rom, request: Request): Program<RomAnswer> {
  const address = u32At(request.data, 0);
  const size = u32At(request.data, 4);
  const data = new Uint8Array(SLOW_READ_BYTES);
  if (size > SLOW_READ_BYTES) return { error: romError.readLength, data };
  if (!rom.reaches(address, size)) return { error: romError.flashRead, data };
  data.set(yield* readRange(rom.machine, address, size));
  return { data };
}

function* spiAttach(rom: Rom): Program<RomAnswer> {
  yield* work(rom.machine, 0);
  rom.isAttached = true;
  return {};
}

function* spiSetParams(rom: Rom, request: Request): Program<RomAnswer> {
  yield* work(rom.machine, 0);
  rom.flashBytes = u32At(request.data, 4);
  return {};
}

export const romFlashCommands: readonly (readonly [number, RomCommand])[] = [
  [0x02, flashBegin],
  [0x03, flashData],
  [0x04, flashEnd],
  [0x0b, spiSetParams],
  [0x0d, spiAttach],
  [0x0e, readFlashSlow],
  [0x10, flashBegin],
  [0x11, deflData],
  [0x12, flashEnd],
  [0x13, flashMd5],
];
