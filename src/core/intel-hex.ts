/**
 * Reads Intel HEX: lines of data with addresses, as tools for flash programmers write them.
 * Knows nothing of what the addresses mean. Source: Intel, "Hexadecimal Object File Format Specification", revision A, 1988.
 */
import { concat, hex } from "./bytes.ts";
import { FlashError } from "./errors.ts";
import type { Address, Segment } from "./image.ts";

export interface IntelHex {
  /** Sorted, disjoint, each as long as the data go on without a gap; named after the file and their address. */
  readonly segments: readonly Segment[];
  /** Where the program starts, when the file says so (record types 03 and 05). */
  readonly start?: Address;
}

const HEADER_DIGITS = 8; // count, address, type
const CHECKSUM_DIGITS = 2;
const SEGMENT_SIZE = 0x1_0000;
const ADDRESS_SPACE = 0x1_0000_0000;

const remedy = "Build again; if the file was copied, copy it once more and compare the sizes.";

/** Data that follow each other, from the line on which they began. */
interface Run {
  readonly address: Address;
  readonly line: number;
  readonly parts: Uint8Array[];
  length: number;
}

interface Reader {
  readonly name: string;
  readonly runs: Run[];
  /** What the last record of type 02 or 04 added to addresses. */
  base: number;
  /** After a record of type 02 addresses turn round at 64 KiB. */
  wraps: boolean;
  start: Address | undefined;
  ended: boolean;
}

interface HexRecord {
  readonly type: number;
  readonly address: number;
  readonly data: Uint8Array;
  readonly line: number;
}

/**
 * @throws FlashError `bad-image` with the number of the line: no record, wrong checksum, unknown type, data that overlap, no end
 * record, anything behind it, or no data at all.
 */
export function readIntelHex(text: string, name: string): IntelHex {
  const reader: Reader = { name, runs: [], base: 0, wraps: false, start: undefined, ended: false };
  let line = 0;
  let at = 0;
  while (at < text.length) {
    let end = text.indexOf("\n", at);
    if (end < 0) end = text.length;
    line += 1;
    const record = text.slice(at, end).trim();
    at = end + 1;
    if (record === "") continue;
    if (reader.ended) fail(name, line, "there is more behind the end record");
    take(reader, parseRecord(record, line, name));
  }
  if (!reader.ended) {
    throw new FlashError("bad-image", `${name} has no end record (:00000001FF) after ${line} lines: it is cut off`, {
      remedy,
    });
  }
  if (reader.runs.length === 0) throw new FlashError("bad-image", `${name} holds no data`, { remedy });
  const segments = segmentsOf(reader);
  return reader.start === undefined ? { segments } : { segments, start: reader.start };
}

function fail(name: string, line: number, what: string): never {
  throw new FlashError("bad-image", `${name}, line ${line}: ${what}`, { remedy });
}

function parseRecord(text: string, line: number, name: string): HexRecord {
  if (!text.startsWith(":"))
    fail(name, line, `a record begins with a colon, this line with ${JSON.stringify(text[0])}`);
  if (!/^[0-9A-Fa-f]*$/.test(text.slice(1))) fail(name, line, "there are characters that are no hex digits");
  const bytes = Buffer.from(text.slice(1), "hex");
  const count = bytes[0] ?? 0;
  const digits = HEADER_DIGITS + count * 2 + CHECKSUM_DIGITS;
  if (text.length - 1 !== digits) {
    fail(name, line, `the record says ${count} bytes, which is ${digits} digits, and has ${text.length - 1}`);
  }
  let sum = 0;
  for (const byte of bytes) sum += byte;
  if ((sum & 0xff) !== 0) {
    const stored = bytes[bytes.length - 1] ?? 0;
    fail(name, line, `the checksum is ${hex(stored, 2)}, the bytes give ${hex((stored - sum) & 0xff, 2)}`);
  }
  const data = new Uint8Array(bytes.buffer, bytes.byteOffset + 4, count);
  return { type: bytes[3] ?? 0, address: bytes.readUInt16BE(1), data, line };
}

function take(reader: Reader, record: HexRecord): void {
  switch (record.type) {
    case 0:
      takeData(reader, record);
      return;
    case 1:
      requireCount(reader, record, 0);
      reader.ended = true;
      return;
    case 2:
      requireCount(reader, record, 2);
      reader.base = word(record.data, 0) * 16;
      reader.wraps = true;
      return;
    case 3:
      requireCount(reader, record, 4);
      reader.start = word(record.data, 0) * 16 + word(record.data, 2);
      return;
    case 4:
      requireCount(reader, record, 2);
      reader.base = word(record.data, 0) * SEGMENT_SIZE;
      reader.wraps = false;
      return;
    case 5:
      requireCount(reader, record, 4);
      reader.start = word(record.data, 0) * SEGMENT_SIZE + word(record.data, 2);
      return;
    default:
      fail(reader.name, record.line, `record type ${hex(record.type, 2)} is none of 00 to 05`);
  }
}

function requireCount(reader: Reader, record: HexRecord, count: number): void {
  if (record.data.length === count) return;
  fail(reader.name, record.line, `record type ${hex(record.type, 2)} has ${record.data.length} bytes, not ${count}`);
}

function word(data: Uint8Array, at: number): number {
  return ((data[at] ?? 0) << 8) | (data[at + 1] ?? 0);
}

function takeData(reader: Reader, record: HexRecord): void {
  const room = reader.wraps ? SEGMENT_SIZE - record.address : record.data.length;
  append(reader, reader.base + record.address, { line: record.line, data: record.data.subarray(0, room) });
  append(reader, reader.base, { line: record.line, data: record.data.subarray(room) });
}

function append(reader: Reader, address: Address, piece: { readonly line: number; readonly data: Uint8Array }): void {
  const { line, data } = piece;
  if (data.length === 0) return;
  if (address + data.length > ADDRESS_SPACE) {
    fail(reader.name, line, `the data at ${hex(address)} end past the 32-bit address space`);
  }
  const last = reader.runs.at(-1);
  if (last !== undefined && last.address + last.length === address) {
    last.parts.push(data);
    last.length += data.length;
  } else {
    reader.runs.push({ address, line, parts: [data], length: data.length });
  }
}

/** Runs sorted and checked against each other; runs that touch become one segment. */
function segmentsOf(reader: Reader): readonly Segment[] {
  const sorted = [...reader.runs].sort((a, b) => a.address - b.address);
  const joined: Run[] = [];
  for (const run of sorted) {
    const last = joined.at(-1);
    const end = last === undefined ? 0 : last.address + last.length;
    if (last !== undefined && end > run.address) {
      const [later, earlier] = last.line > run.line ? [last, run] : [run, last];
      const what = `the data at ${hex(later.address)} overlap those at ${hex(earlier.address)}`;
      fail(reader.name, later.line, `${what}, which begin on line ${earlier.line}`);
    }
    if (last !== undefined && end === run.address) {
      for (const part of run.parts) last.parts.push(part);
      last.length += run.length;
    } else {
      joined.push({ ...run, parts: [...run.parts] });
    }
  }
  return joined.map((run) => ({
    address: run.address,
    data: concat(run.parts),
    name: `${reader.name} ${hex(run.address)}`,
  }));
}
