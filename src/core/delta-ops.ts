/**
 * The operations by which our RAM stub composes flash contents, encoded byte for byte as `stubs/README.md` defines them.
 * Knows nothing of where copies come from, nor in which order blocks are written.
 */
import type { Address } from "./image.ts";

const op = {
  block: 0x20,
  copy: 0x21,
  add: 0x22,
  insert: 0x23,
  fill: 0x24,
  saved: 0x25,
  commit: 0x28,
  save: 0x29,
  packed: 0x33,
};
const sectorBytes = 0x1000;

/** Where an ADD's runs of replaced bytes reach their escapes: 5 bits of bytes to skip, 3 bits of bytes to replace, less one. */
const longSkip = 31;
const longRun = 8;

/** From this many equal bytes on a FILL is shorter: in the middle of an INS, which it cuts in two, and at its ends. */
const fillInside = 6;
const fillAtEnd = 4;

/** Bytes of a number as unsigned LEB128. @param value 0 … 2^35 - 1 */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}

/** Signed numbers as unsigned ones, small ones first: 0, -1, 1, -2, 2 … */
export function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

/** Bytes that grow at the end. */
class ByteSink {
  private bytes = new Uint8Array(1024);
  private used = 0;

  get length(): number {
    return this.used;
  }

  byte(value: number): void {
    if (this.used === this.bytes.length) this.grow(1);
    this.bytes[this.used++] = value;
  }

  varint(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.byte((rest % 0x80) | 0x80);
    this.byte(rest);
  }

  append(part: Uint8Array): void {
    if (this.used + part.length > this.bytes.length) this.grow(part.length);
    this.bytes.set(part, this.used);
    this.used += part.length;
  }

  /** All so far, as a copy of its own. */
  taken(): Uint8Array {
    return this.bytes.slice(0, this.used);
  }

  private grow(more: number): void {
    const larger = new Uint8Array(Math.max(2 * this.bytes.length, this.used + more));
    larger.set(this.bytes.subarray(0, this.used));
    this.bytes = larger;
  }
}

export interface BlockHeader {
  /** A multiple of 4096. */
  readonly address: Address;
  /** Bytes, a multiple of 4096. */
  readonly size: number;
  /** Of the new contents. */
  readonly crc32: number;
}

/** Whole operations of the stub, encoded. */
export interface Operations {
  readonly ops: Uint8Array;
  /** How many these are: each that answers does so by its number in the stream. */
  readonly operations: number;
}

/** Writes the operations of one block. Follows the source cursor, which BLK sets to the block's own address. */
export class OpWriter {
  private readonly sink = new ByteSink();
  private cursor: Address;
  private operations = 0;
  /** Bytes that come out of the flash or the save area. */
  copiedBytes = 0;
  /** Bytes that come over the wire, one by one or as a FILL. */
  literalBytes = 0;

  /** @param address of the block */
  constructor(address: Address) {
    this.cursor = address;
  }

  begin(header: BlockHeader): void {
    const { sink } = this;
    this.start(op.block);
    sink.varint(header.address / sectorBytes);
    sink.varint(header.size / sectorBytes);
    sink.varint(header.crc32 >>> 0);
  }

  /** What another writer has written; only literals may follow, for the cursor is not known. */
  resume({ ops, operations }: Operations): void {
    this.sink.append(ops);
    this.operations += operations;
  }

  /** Around whole operations of the raw deflate stream. */
  packed(deflated: Uint8Array): void {
    this.start(op.packed);
    this.sink.varint(deflated.length);
    this.sink.append(deflated);
  }

  /** Keeps `length` bytes of the flash from before this block's COMMIT. @param offset into the save area */
  save(offset: number, length: number, source: Address): void {
    this.start(op.save);
    this.sink.varint(offset);
    this.sink.varint(length);
    this.moveTo(source, length);
  }

  /** `fresh` out of the flash at `source`, which holds `old` there; where these differ, the byte comes over the wire. */
  copy(source: Address, fresh: Uint8Array, old: Uint8Array): void {
    const { sink } = this;
    const edits = editsOf(fresh, old);
    this.start(edits.runs === 0 ? op.copy : op.add);
    sink.varint(fresh.length);
    this.moveTo(source, fresh.length);
    if (edits.runs > 0) {
      sink.varint(edits.runs);
      sink.append(edits.encoded);
    }
    this.copiedBytes += fresh.length - edits.replaced;
    this.literalBytes += edits.replaced;
  }

  /** @param offset into the save area */
  saved(offset: number, length: number): void {
    this.start(op.saved);
    this.sink.varint(offset);
    this.sink.varint(length);
    this.copiedBytes += length;
  }

  /** INS, and FILL where that is shorter. */
  literal(bytes: Uint8Array): void {
    let pending = 0;
    let at = 0;
    while (at < bytes.length) {
      const end = endOfRun(bytes, at);
      const atEdge = at === pending || end === bytes.length;
      if (end - at >= (atEdge ? fillAtEnd : fillInside)) {
        this.insert(bytes.subarray(pending, at));
        this.fill(end - at, bytes[at] ?? 0);
        pending = end;
      }
      at = end;
    }
    this.insert(bytes.subarray(pending));
    this.literalBytes += bytes.length;
  }

  commit(blockFrom: number): void {
    this.start(op.commit);
    this.sink.varint(blockFrom);
  }

  /** Everything so far. */
  taken(): Operations {
    return { ops: this.sink.taken(), operations: this.operations };
  }

  private start(code: number): void {
    this.sink.byte(code);
    this.operations++;
  }

  private moveTo(source: Address, length: number): void {
    this.sink.varint(zigzag(source - this.cursor));
    this.cursor = source + length;
  }

  private insert(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.start(op.insert);
    this.sink.varint(bytes.length);
    this.sink.append(bytes);
  }

  private fill(length: number, value: number): void {
    this.start(op.fill);
    this.sink.varint(length);
    this.sink.varint(value);
  }
}

function endOfRun(bytes: Uint8Array, from: number): number {
  const value = bytes[from];
  let end = from + 1;
  while (end < bytes.length && bytes[end] === value) end++;
  return end;
}

interface Edits {
  readonly runs: number;
  /** Bytes that come over the wire. */
  readonly replaced: number;
  readonly encoded: Uint8Array;
}

/** The runs of an ADD. Joining two runs never pays: the equal byte between would cost as much as the token that it saves. */
function editsOf(fresh: Uint8Array, old: Uint8Array): Edits {
  const encoded = new ByteSink();
  let runs = 0;
  let replaced = 0;
  let copiedTo = 0;
  for (let at = 0; at < fresh.length; at++) {
    if (fresh[at] === old[at]) continue;
    const end = endOfDifference(fresh, old, at);
    writeRun(encoded, at - copiedTo, fresh.subarray(at, end));
    runs++;
    replaced += end - at;
    copiedTo = end;
    at = end;
  }
  return { runs, replaced, encoded: encoded.taken() };
}

function endOfDifference(fresh: Uint8Array, old: Uint8Array, from: number): number {
  let end = from + 1;
  while (end < fresh.length && fresh[end] !== old[end]) end++;
  return end;
}

function writeRun(sink: ByteSink, skip: number, bytes: Uint8Array): void {
  sink.byte(Math.min(skip, longSkip) | ((Math.min(bytes.length, longRun) - 1) << 5));
  if (skip >= longSkip) sink.varint(skip - longSkip);
  if (bytes.length >= longRun) sink.varint(bytes.length - longRun);
  sink.append(bytes);
}
