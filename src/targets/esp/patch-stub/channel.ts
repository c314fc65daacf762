/** The stub as one who carries out operations: begins a new stream after an error, asks again for replies that were lost. */
import type { Operations } from "../../../core/delta-ops.ts";
import { FlashError } from "../../../core/errors.ts";
import type { Hello, StubLink } from "./link.ts";
import { hash, partFeatures, parseHash, parseRead, ram, read } from "./operations.ts";
import { OperationStream, type Reply } from "./stream.ts";

/** How often something is asked without any answer. */
const attempts = 6;
/** Bytes of one READ: as many as fit into its reply, so that nothing is asked again that has arrived. */
const readBytes = 256;

/** `count` pieces of `unitBytes`, one behind the other. */
export interface HashRange {
  readonly address: number;
  readonly count: number;
  /** 1 … 65536 */
  readonly unitBytes: number;
}

export interface RamPiece {
  readonly address: number;
  readonly data: Uint8Array;
}

/** What the stub needs for more than looking at the flash. */
export interface LaterParts {
  readonly write: readonly RamPiece[];
  readonly inflate: readonly RamPiece[];
}

/** A part travels while the chip digests so much; at lower rates, or for less, it is sent when it is needed. */
const quickBaud = 460_800;
const longHashBytes = 0x10000;

export class StubChannel {
  readonly link: StubLink;
  readonly hello: Hello;
  readonly flashBytes: number;
  readonly #parts: LaterParts;
  readonly #loaded = new Set<keyof LaterParts>();
  /** The next operations take long enough for a part to travel meanwhile. */
  #loadsBehind = false;
  #stream: OperationStream;

  /** Right after a HELLO, whose answer `hello` is. */
  constructor(link: StubLink, parts: LaterParts, { hello, flashBytes }: { hello: Hello; flashBytes: number }) {
    this.link = link;
    this.hello = hello;
    this.flashBytes = flashBytes;
    this.#parts = parts;
    for (const [name, bit] of Object.entries(partFeatures) as [keyof LaterParts, number][])
      if ((hello.features & bit) !== 0) this.#loaded.add(name);
    this.#stream = new OperationStream(link, hello.ringBytes);
  }

  get stream(): OperationStream {
    return this.#stream;
  }

  /** Drops whatever the stub is at, when its flash has finished its present work. @throws FlashError `timeout` */
  async restart(): Promise<OperationStream> {
    await this.link.flush();
    const { features } = await this.link.hello(this.flashBytes);
    // A part that was under way may not have arrived.
    for (const name of this.#loaded) if ((features & partFeatures[name]) === 0) this.#loaded.delete(name);
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
    const last = Math.max(...places.keys(), -1);
    if (this.#loadsBehind) this.load("write");
    this.#loadsBehind = false;
    await stream.reach(last + 1);
  }

  has(part: keyof LaterParts): boolean {
    return this.#loaded.has(part);
  }

  partBytes(part: keyof LaterParts): number {
    return this.#parts[part].reduce((sum, { data }) => sum + data.length, 0);
  }

  /** Puts a part into the stream, before whatever needs it, unless it is there. */
  load(part: keyof LaterParts): void {
    if (this.#loaded.has(part)) return;
    this.#loaded.add(part);
    for (const { address, data } of this.#parts[part]) this.#stream.append(ram(address, data));
  }

  /** Resolves when the part is there. @throws as `OperationStream.reach` */
  async loaded(part: keyof LaterParts): Promise<void> {
    this.load(part);
    await this.#stream.reach(this.#stream.appended);
  }

  /** CRC-32 of every unit of every range, in order. What is needed to write travels meanwhile. */
  async hashes(ranges: readonly HashRange[]): Promise<readonly (readonly number[])[]> {
    const found = ranges.map(({ count }) => new Array<number | undefined>(count).fill(undefined));
    const bytes = ranges.reduce((sum, { count, unitBytes }) => sum + count * unitBytes, 0);
    this.#loadsBehind = this.link.baud >= quickBaud && bytes >= longHashBytes;
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
      return { from, size: Math.min(readBytes, size - from), isMissing: true };
    });
    this.load("write");
    await this.#insist(
      () => pieces.filter((piece) => piece.isMissing),
      (piece) => read(address + piece.from, piece.size),
      (piece, data) => {
        const part = parseRead(data);
        bytes.set(part.bytes, piece.from + part.offset);
        piece.isMissing = part.bytes.length < piece.size;
      },
    );
    return bytes;
  }

  /** Asks for everything that is missing until nothing is. */
  async #insist<T>(
    missing: () => readonly T[],
    question: (one: T) => Operations,
    take: (one: T, data: Uint8Array) => void,
  ): Promise<void> {
    let before = Infinity;
    for (let inVain = 0; inVain < attempts; inVain++) {
      const open = missing();
      if (open.length === 0) return;
      if (open.length < before) inVain = 0;
      before = open.length;
      await this.perform(open.map(question), (reply, place) => {
        const one = open[place];
        if (one !== undefined) take(one, reply.data);
      });
    }
    if (missing().length > 0)
      throw new FlashError("timeout", `answers of the stub on ${this.link.transport.name} are lost again and again`);
  }
}
