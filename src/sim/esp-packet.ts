/** Requests and answers of the serial loaders, as the chip sees them. Lengths and numbers are little-endian. */

const HEADER_BYTES = 8;
/** Behind the header of FLASH_DATA, FLASH_DEFL_DATA and MEM_DATA: length, sequence number, two words of nothing. */
export const BLOCK_HEADER_BYTES = 16;
const CHECKSUM_SEED = 0xef;

export interface Request {
  readonly direction: number;
  readonly op: number;
  /** The header's length field. */
  readonly announced: number;
  readonly checksum: number;
  /** What really came. */
  readonly data: Uint8Array;
}

/** @returns undefined for less than a header */
export function parseRequest(frame: Uint8Array): Request | undefined {
  if (frame.length < HEADER_BYTES) return undefined;
  return {
    direction: frame[0] ?? 0,
    op: frame[1] ?? 0,
    announced: (frame[2] ?? 0) | ((frame[3] ?? 0) << 8),
    checksum: u32At(frame, 4),
    data: frame.subarray(HEADER_BYTES),
  };
}

/** Bytes that are missing count as 0. */
export function u32At(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
  return (low | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
}

export function answerPacket(op: number, value: number, data: Uint8Array, status: Uint8Array): Uint8Array {
  const packet = new Uint8Array(HEADER_BYTES + data.length + status.length);
  const view = new DataView(packet.buffer);
  packet[0] = 0x01;
  packet[1] = op;
  view.setUint16(2, data.length + status.length, true);
  view.setUint32(4, value, true);
  packet.set(data, HEADER_BYTES);
  packet.set(status, HEADER_BYTES + data.length);
  return packet;
}

/** 0xEF XOR every byte of the data. */
export function dataChecksum(data: Uint8Array): number {
  let sum = CHECKSUM_SEED;
  for (const byte of data) sum ^= byte;
  return sum;
}

const names: Readonly<Record<number, string>> = {
  0x02: "FLASH_BEGIN",
  0x03: "FLASH_DATA",
  0x04: "FLASH_END",
  0x05: "MEM_BEGIN",
  0x06: "MEM_END",
  0x07: "MEM_DATA",
  0x08: "SYNC",
  0x09: "WRITE_REG",
  0x0a: "READ_REG",
  0x0b: "SPI_SET_PARAMS",
  0x0d: "SPI_ATTACH",
  0x0e: "READ_FLASH_SLOW",
  0x0f: "CHANGE_BAUDRATE",
  0x10: "FLASH_DEFL_BEGIN",
  0x11: "FLASH_DEFL_DATA",
  0x12: "FLASH_DEFL_END",
  0x13: "SPI_FLASH_MD5",
  0x14: "GET_SECURITY_INFO",
  0xd0: "ERASE_FLASH",
  0xd1: "ERASE_REGION",
  0xd2: "READ_FLASH",
  0xd3: "RUN_USER_CODE",
};

export const commandNames: readonly string[] = Object.values(names);

/** The command's name, or `0x2a` for a number without one. */
export function commandName(op: number): string {
  return names[op] ?? `0x${op.toString(16).padStart(2, "0")}`;
}
