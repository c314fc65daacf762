/** The stub as one who carries out operations: begins a new stream after an error, asks again for replies that were lost. */
import type { Operations } from "../../../core/delta-ops.ts";
import { FlashError } from "../../../core/errors.ts";
import type { Hello, StubLink } from "./link.ts";
import { hash, parseHash, parseRead, parseRegister, ram, read, register } from "./operations.ts";
import { OperationStream, type Reply } from "./stream.ts";

/** How often something is asked whose answer was lost. */
const attempts = 4;
/** Bytes of one READ. */
const readBytes = 0x2000;

/** `count` pieces of `unitBytes`, one behind the other. */
export interface HashRange {
  readonly address: number;
  readonly count: number;
  /** 1 … 65536 */
  readonly unitBytes: number;
}

export class StubChannel {
  readonly link: StubLink;
  readonly hello: Hello;
  readonly flashBytes: number;
  #stream: OperationStream;

  /** Right after a HELLO, whose answer `hello` is. */
  constructor(link: StubLink, hello: Hello, flashBytes: number) {
    this.link = link;
    this.hello = hello;
    this.flashBytes = flashBytes;
    this.#stream = new OperationStream(link, hello.ringBytes);
  }

  get stream(): OperationStream {
    return this.#stream;
  }

  /** Drops whatever the stub is at, when its flash has finished its present work. @throws FlashError `timeout` */
  async restart(): Promise<OperationStream> {
    await this.link.flush();
    await this.link.hello(this.flashBytes);
    this.#stream = new OperationStream(this.link, this.hello.ringBytes);
    return this.#stream;
  }

  /**
   * Carries out operations that may be repeated, and hands over their replies.
   * @param operations each one of them
   * @throws FlashError as `OperationStream.reach`
   */
  async perform(operations: readonly Operations[], onReply: (reply: Reply, place: number) => void): Promise<void> {
    const stream = this.#stream;
    const places = new Map(operations.map((one, place) => [stream.append(one) - 1, place]));
    stream.onReply = (reply) => {
      const place = places.get(reply.index);
      if (place !== undefined && reply.status === 0) onReply(reply, place);
    };
    await stream.reach(Math.max(...places.keys(), -1) + 1);
  }

  /** CRC-32 of every unit of every range, in order. */
  async hashes(ranges: readonly HashRange[]): Promise<readonly (readonly number[])[]> {
    const found = ranges.map(({ count }) => new Array<number | undefined>(count).fill(undefined));
    await this.#insist(
      () => ranges.flatMap((range, place) => (found[place]?.includes(undefined) === true ? [{ range, place }] : [])),
      ({ range }) => hash(range.address, range.count, range.unitBytes),
      ({ place }, data) => {
        const { first, crcs } = parseHash(data);
        crcs.forEach((crc, index) => ((found[place] ?? [])[first + index] = crc));
      },
    );
    return found.map((crcs) => crcs.map((crc) => crc ?? 0));
  }

  async read(address: number, size: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(size);
    const pieces = Array.from({ length: Math.ceil(size / readBytes) }, (_, index) => {
      const from = index * readBytes;
      return { from, size: Math.min(readBytes, size - from), missing: Math.min(readBytes, size - from) };
    });
    await this.#insist(
      () => pieces.filter((piece) => piece.missing > 0).map((piece) => Object.assign(piece, { missing: piece.size })),
      (piece) => read(address + piece.from, piece.size),
      (piece, data) => {
        const part = parseRead(data);
        bytes.set(part.bytes, piece.from + part.offset);
        piece.missing -= part.bytes.length;
      },
    );
    return bytes;
  }

  async readRegister(address: number): Promise<number> {
    const found: number[] = [];
    await this.#insist(
      () => (found.length === 0 ? [address] : []),
      (at) => register(at),
      (_at, data) => found.push(parseRegister(data)),
    );
    return found[0] ?? 0;
  }

  async writeRam(pieces: readonly { readonly address: number; readonly data: Uint8Array }[]): Promise<void> {
    await this.perform(
      pieces.map(({ address, data }) => ram(address, data)),
      () => undefined,
    );
  }

  /** Asks for everything that is missing until nothing is. */
  async #insist<T>(
    missing: () => readonly T[],
    question: (one: T) => Operations,
    take: (one: T, data: Uint8Array) => void,
  ): Promise<void> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const open = missing();
      if (open.length === 0) return;
      await this.perform(open.map(question), (reply, place) => {
        const one = open[place];
        if (one !== undefined) take(one, reply.data);
      });
    }
    if (missing().length > 0)
      throw new FlashError("timeout", `answers of the stub on ${this.link.transport.name} are lost again and again`);
  }
}
