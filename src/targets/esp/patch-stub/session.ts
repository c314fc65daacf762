/** A board that runs Deltaflash's own stub: digests by the table, sectors composed on the chip and checked there. */
import { crcDigits, crcTable, crcTableUnit, type Digest } from "../../../core/digest.ts";
import { FlashError } from "../../../core/errors.ts";
import type { FlashMap } from "../../../core/flash-map.ts";
import type { Range } from "../../../core/image.ts";
import type { FlashCosts } from "../../../core/plan.ts";
import type { SerialTransport } from "../../../transport/transport.ts";
import type { MemorySession, PatchWork } from "../../target.ts";
import { resetIntoProgram, type ResetWay } from "../reset.ts";
import { espFlashMap } from "../session.ts";
import type { HashRange, StubChannel } from "./channel.ts";
import { writeBlocks } from "./write-blocks.ts";

export interface PatchStubParts {
  readonly channel: StubChannel;
  readonly transport: SerialTransport;
  readonly chip: string;
  readonly identity: string;
  readonly baud: number;
  readonly way: ResetWay;
}

export class PatchStubSession implements MemorySession {
  readonly kind = "memory";
  readonly digestOf = crcTable;
  readonly digestsBySector = true;
  readonly chip: string;
  readonly identity: string;
  readonly map: FlashMap;
  readonly costs: FlashCosts;
  readonly baud: number;
  readonly #parts: PatchStubParts;

  constructor(parts: PatchStubParts) {
    this.#parts = parts;
    this.chip = parts.chip;
    this.identity = parts.identity;
    this.baud = parts.baud;
    this.map = espFlashMap(parts.channel.flashBytes);
    this.costs = patchStubCosts(parts.baud);
  }

  async digests(ranges: readonly Range[]): Promise<readonly Digest[]> {
    const { channel } = this.#parts;
    const { pieces, questions } = questionsFor(ranges);
    const answers = await channel.hashes(questions);
    for (const range of ranges) channel.link.context.trace.addBytes(range.size);
    return pieces.map((own) => crcDigits(own.map(({ question, unit }) => answers[question]?.[unit] ?? 0)));
  }

  read(range: Range): Promise<Uint8Array> {
    return this.#parts.channel.read(range.address, range.size);
  }

  run(): Promise<void> {
    return Promise.reject(new FlashError("protocol", "this board takes patches, not steps"));
  }

  patch(work: PatchWork): Promise<void> {
    return writeBlocks(this.#parts.channel, work);
  }

  getReady(): Promise<void> {
    return this.#parts.channel.loaded("write");
  }

  async reset(): Promise<void> {
    const { transport, channel, way } = this.#parts;
    await resetIntoProgram(transport, channel.link.context, way);
  }
}

interface Piece {
  readonly question: number;
  readonly unit: number;
}

/** As few questions as there are rows of whole units behind one another, and one for each shorter rest. */
function questionsFor(ranges: readonly Range[]): {
  pieces: readonly (readonly Piece[])[];
  questions: readonly HashRange[];
} {
  const questions: { address: number; count: number; unitBytes: number }[] = [];
  const pieces = ranges.map((range) => {
    const own: Piece[] = [];
    for (let at = 0; at < range.size; at += crcTableUnit) {
      const address = range.address + at;
      const unitBytes = Math.min(crcTableUnit, range.size - at);
      const last = questions.at(-1);
      const goesOn = last?.unitBytes === unitBytes && last.address + last.count * unitBytes === address;
      if (goesOn) last.count++;
      else questions.push({ address, count: 1, unitBytes });
      own.push({ question: questions.length - 1, unit: (questions.at(-1)?.count ?? 1) - 1 });
    }
    return own;
  });
  return { pieces, questions };
}

/**
 * Typical times: sector erase 45 ms and block erase 150 ms (W25Q32JV, W25Q64JV), page program 0.5 ms in commands of 64 bytes, reading
 * 2.5 MB/s, twice over (compose, read back) for what is written. Firmware deflates to 0.56, a patch is about a twentieth of what it makes.
 */
function patchStubCosts(baud: number): FlashCosts {
  const readMsPerByte = 1 / 2500;
  return {
    sectorEraseMs: 45,
    blockEraseMs: 150,
    programMsPerByte: 0.5 / 256 + 2 * readMsPerByte,
    wireMsPerByte: 10_000 / baud,
    wireRatio: 0.56,
    patchWireRatio: 0.05,
    roundTripMs: 2.5,
    digestMsPerByte: readMsPerByte + 0.2 / 1000,
    overlaps: true,
  };
}
