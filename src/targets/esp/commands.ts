/** The loader's commands in the specification's words, beside their time limits. Sources: Espressif's serial protocol page and esptool's time limits. */
import { concat } from "../../core/bytes.ts";
import { raw, struct, u16, u32, u8 } from "../../core/struct.ts";

export interface Command {
  readonly name: string;
  readonly op: number;
  /** Time limit for the answer. */
  readonly ms: number;
  /** Added per MiB that the command erases, writes or hashes. */
  readonly msPerMegabyte: number;
}

function command(name: string, op: number, limits: { ms: number; msPerMegabyte?: number } = { ms: 3_000 }): Command {
  return { name, op, ms: limits.ms, msPerMegabyte: limits.msPerMegabyte ?? 0 };
}

export const FLASH_BEGIN = command("FLASH_BEGIN", 0x02, { ms: 3_000, msPerMegabyte: 40_000 });
export const FLASH_DATA = command("FLASH_DATA", 0x03, { ms: 3_000, msPerMegabyte: 40_000 });
export const FLASH_END = command("FLASH_END", 0x04, { ms: 10_000 });
export const MEM_BEGIN = command("MEM_BEGIN", 0x05);
export const MEM_END = command("MEM_END", 0x06, { ms: 500 });
export const MEM_DATA = command("MEM_DATA", 0x07);
export const SYNC = command("SYNC", 0x08, { ms: 100 });
export const WRITE_REG = command("WRITE_REG", 0x09);
export const READ_REG = command("READ_REG", 0x0a);
export const SPI_SET_PARAMS = command("SPI_SET_PARAMS", 0x0b);
export const SPI_ATTACH = command("SPI_ATTACH", 0x0d);
export const READ_FLASH_SLOW = command("READ_FLASH_SLOW", 0x0e);
export const CHANGE_BAUDRATE = command("CHANGE_BAUDRATE", 0x0f);
export const FLASH_DEFL_BEGIN = command("FLASH_DEFL_BEGIN", 0x10, { ms: 3_000, msPerMegabyte: 40_000 });
export const FLASH_DEFL_DATA = command("FLASH_DEFL_DATA", 0x11, { ms: 3_000, msPerMegabyte: 40_000 });
export const FLASH_DEFL_END = command("FLASH_DEFL_END", 0x12, { ms: 10_000 });
export const SPI_FLASH_MD5 = command("SPI_FLASH_MD5", 0x13, { ms: 3_000, msPerMegabyte: 8_000 });
export const GET_SECURITY_INFO = command("GET_SECURITY_INFO", 0x14, { ms: 500 });
export const READ_FLASH = command("READ_FLASH", 0xd2);

/** 36 bytes: a known pattern and 32 times 0x55, from which the ROM measures the bit rate. */
export const syncPayload = concat([Uint8Array.of(0x07, 0x07, 0x12, 0x20), new Uint8Array(32).fill(0x55)]);

export const memBegin = struct({ totalSize: u32, blocks: u32, blockSize: u32, address: u32 });
export const memEnd = struct({ stay: u32, entry: u32 });
/** ESP8266 and ESP32 ROM. */
export const flashBegin = struct({ eraseSize: u32, blocks: u32, blockSize: u32, offset: u32 });
/** ROMs from the S2 on take a fifth word; the stubs take either. */
export const flashBeginEncrypted = struct({
  eraseSize: u32,
  blocks: u32,
  blockSize: u32,
  offset: u32,
  encrypted: u32,
});
export const flashMd5 = struct({ address: u32, size: u32, reserved0: u32, reserved1: u32 });
export const writeReg = struct({ address: u32, value: u32, mask: u32, delayUs: u32 });
export const spiSetParams = struct({
  id: u32,
  totalSize: u32,
  blockSize: u32,
  sectorSize: u32,
  pageSize: u32,
  statusMask: u32,
});
export const changeBaudrate = struct({ newBaud: u32, oldBaud: u32 });
export const readFlash = struct({ address: u32, size: u32, packetSize: u32, maxInFlight: u32 });
export const readFlashSlow = struct({ address: u32, size: u32 });
export const word = struct({ value: u32 });

/** S2: 12 bytes, without the last two words. */
export const securityInfo = struct({ flags: u32, flashCryptCount: u8, keyPurposes: raw(7) });
export const securityInfoChip = struct({
  flags: u32,
  flashCryptCount: u8,
  keyPurposes: raw(7),
  chipId: u32,
  apiVersion: u32,
});

const requestHeader = struct({ direction: u8, op: u8, size: u16, checksum: u32 });
const responseHeader = struct({ direction: u8, op: u8, size: u16, value: u32 });

/** 0xef XOR every byte of the data that is to be written. */
export function dataChecksum(data: Uint8Array): number {
  let checksum = 0xef;
  for (const byte of data) checksum ^= byte;
  return checksum;
}

export function encodeRequest(request: Command, data: Uint8Array, checksum = 0): Uint8Array {
  return concat([requestHeader.write({ direction: 0, op: request.op, size: data.length & 0xffff, checksum }), data]);
}

const blockHeader = struct({ size: u32, sequence: u32, zero0: u32, zero1: u32 });

/** The data field of MEM_DATA, FLASH_DATA and FLASH_DEFL_DATA. `sequence` counts from 0. */
export function encodeBlock(data: Uint8Array, sequence: number): Uint8Array {
  return concat([blockHeader.write({ size: data.length, sequence, zero0: 0, zero1: 0 }), data]);
}

export interface Response {
  readonly op: number;
  /** READ_REG's result; otherwise meaningless on a ROM, 0 on a stub. */
  readonly value: number;
  /** Data and status bytes. */
  readonly body: Uint8Array;
}

/** undefined for a frame that is no response. */
export function decodeResponse(frame: Uint8Array): Response | undefined {
  if (frame.length < responseHeader.size + 2 || frame[0] !== 1) return undefined;
  const header = responseHeader.read(frame);
  return { op: header.op, value: header.value, body: frame.subarray(responseHeader.size) };
}

/** What an error status means: ROM codes from the serial protocol page, stub codes from esp-flasher-stub's commands.h. */
export function statusText(first: number, second: number): string {
  const stub = stubErrors[first];
  if (stub !== undefined) return stub;
  return romErrors[second] ?? `status ${first.toString(16)} ${second.toString(16)}`;
}

const romErrors: Readonly<Record<number, string>> = {
  0x01: "bad parameter",
  0x02: "out of memory",
  0x03: "sending failed",
  0x04: "receiving failed",
  0x05: "message is invalid",
  0x06: "could not be carried out",
  0x07: "checksum wrong",
  0x08: "flash write failed: what was read back differs",
  0x09: "flash read failed",
  0x0a: "flash read length wrong",
  0x0b: "inflate failed",
  0x0c: "inflate checksum wrong",
  0x0d: "deflate parameter wrong",
  0x0e: "RAM size wrong",
  0x0f: "RAM address wrong",
};

const stubErrors: Readonly<Record<number, string>> = {
  0xc0: "length wrong",
  0xc1: "checksum wrong",
  0xc2: "block size wrong",
  0xc3: "command unknown",
  0xc4: "flash operation failed",
  0xc5: "flash could not be unlocked",
  0xc6: "not in flash mode",
  0xc7: "inflate failed",
  0xc8: "not enough data",
  0xc9: "too much data",
  0xff: "not implemented",
};
