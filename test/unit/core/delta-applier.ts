/** The stub's side of `stubs/README.md` in the plainest way: carries out operations on a simulated flash and checks everything. */
import { crc32 } from "../../../src/core/crc32.ts";

const sectorBytes = 0x1000;

export interface Stub {
  /** Changed by each COMMIT. */
  readonly flash: Uint8Array;
  /** The save area; what was never saved is undefined. */
  readonly saved: (number | undefined)[];
  readonly saveBytes: number;
  readonly blockBytes: number;
}

/** What an operation stream is refused for, as the status byte. */
export class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(`status ${status}: ${message}`);
    this.status = status;
  }
}

interface Block {
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly crc: number;
  filled: number;
}

export interface Applied {
  readonly operations: number;
  /** Address, size and `blockFrom` of each COMMIT. */
  readonly commits: readonly { readonly address: number; readonly size: number; readonly blockFrom: number }[];
}

/** @throws Refused as the stub would say it; RangeError when the stream ends inside an operation */
export function apply(stub: Stub, stream: Uint8Array): Applied {
  const machine = new Machine(stub, stream);
  let operations = 0;
  while (machine.step()) operations++;
  return { operations, commits: machine.commits };
}

class Machine {
  readonly commits: { address: number; size: number; blockFrom: number }[] = [];
  private at = 0;
  private cursor: number | undefined;
  private block: Block | undefined;

  constructor(
    private readonly stub: Stub,
    private readonly stream: Uint8Array,
  ) {}

  /** One operation; false at the end. */
  step(): boolean {
    if (this.at === this.stream.length) {
      if (this.block !== undefined) throw new RangeError("the stream ends before a COMMIT");
      return false;
    }
    const op = this.u8();
    switch (op) {
      case 0x20:
        this.begin();
        return true;
      case 0x21:
        this.compose(this.fromFlash());
        return true;
      case 0x22:
        this.compose(this.replaced(this.fromFlash()));
        return true;
      case 0x23:
        this.compose(this.take(this.varint()));
        return true;
      case 0x24: {
        const length = this.varint();
        this.compose(new Uint8Array(length).fill(this.varint()));
        return true;
      }
      case 0x25:
        this.compose(this.fromSaved());
        return true;
      case 0x28:
        this.commit();
        return true;
      case 0x29:
        this.save();
        return true;
      default:
        throw new Refused(1, `operation ${op}`);
    }
  }

  private begin(): void {
    if (this.block !== undefined) throw new Refused(2, "a block inside a block");
    const address = this.varint() * sectorBytes;
    const size = this.varint() * sectorBytes;
    if (size === 0 || size > this.stub.blockBytes) throw new Refused(2, `a block of ${size} bytes`);
    if (Math.floor(address / 0x10000) !== Math.floor((address + size - 1) / 0x10000))
      throw new Refused(2, "a block across a 64 KiB border");
    if (address + size > this.stub.flash.length) throw new Refused(3, "a block outside the flash");
    this.block = { address, bytes: new Uint8Array(size), crc: this.varint(), filled: 0 };
    this.cursor = address;
  }

  private fromFlash(): Uint8Array {
    const length = this.varint();
    const from = this.moved(length);
    return this.stub.flash.slice(from, from + length);
  }

  private moved(length: number): number {
    if (this.cursor === undefined) throw new Refused(2, "no block and so no cursor to rely on");
    const from = this.cursor + this.zigzag();
    if (length === 0) throw new Refused(2, "nothing to copy");
    if (from < 0 || from + length > this.stub.flash.length) throw new Refused(3, "a source outside the flash");
    this.cursor = from + length;
    return from;
  }

  private replaced(bytes: Uint8Array): Uint8Array {
    let to = 0;
    for (let runs = this.varint(); runs > 0; runs--) {
      const token = this.u8();
      to += (token & 31) === 31 ? 31 + this.varint() : token & 31;
      const count = token >> 5 === 7 ? 8 + this.varint() : (token >> 5) + 1;
      if (to + count > bytes.length) throw new Refused(2, "a run behind the end of its ADD");
      bytes.set(this.take(count), to);
      to += count;
    }
    return bytes;
  }

  private fromSaved(): Uint8Array {
    const offset = this.varint();
    const length = this.varint();
    if (offset + length > this.stub.saveBytes) throw new Refused(2, "outside the save area");
    return Uint8Array.from({ length }, (_, index) => {
      const byte = this.stub.saved[offset + index];
      if (byte === undefined) throw new Refused(2, "nothing was saved there");
      return byte;
    });
  }

  private save(): void {
    const offset = this.varint();
    const length = this.varint();
    if (offset + length > this.stub.saveBytes) throw new Refused(2, "outside the save area");
    const from = this.moved(length);
    for (let index = 0; index < length; index++) this.stub.saved[offset + index] = this.stub.flash[from + index];
  }

  private compose(bytes: Uint8Array): void {
    const { block } = this;
    if (block === undefined) throw new Refused(2, "no block to compose");
    if (bytes.length === 0 || block.filled + bytes.length > block.bytes.length)
      throw new Refused(2, "longer than what is left of the block");
    block.bytes.set(bytes, block.filled);
    block.filled += bytes.length;
  }

  private commit(): void {
    const blockFrom = this.varint();
    const { block } = this;
    if (block === undefined) throw new Refused(2, "nothing to commit");
    if (block.filled !== block.bytes.length || crc32(block.bytes) !== block.crc)
      throw new Refused(4, "not what was announced");
    this.stub.flash.set(block.bytes, block.address);
    this.commits.push({ address: block.address, size: block.bytes.length, blockFrom });
    this.block = undefined;
    this.cursor = undefined;
  }

  private u8(): number {
    const byte = this.stream[this.at++];
    if (byte === undefined) throw new RangeError("the stream ends inside an operation");
    return byte;
  }

  private varint(): number {
    let value = 0;
    for (let count = 0; count < 5; count++) {
      const byte = this.u8();
      value += (byte & 0x7f) * 2 ** (7 * count);
      if (byte < 0x80) return value;
    }
    throw new Refused(2, "a number of more than 5 bytes");
  }

  private zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  private take(length: number): Uint8Array {
    const bytes = this.stream.slice(this.at, this.at + length);
    if (bytes.length < length) throw new RangeError("the stream ends inside an operation");
    this.at += length;
    return bytes;
  }
}
