/** A connected ESP board: answers digests, writes runs of sectors, reads back, resets. */
import { concat, hex } from "../../core/bytes.ts";
import { md5, type Digest } from "../../core/digest.ts";
import { FlashError } from "../../core/errors.ts";
import type { FlashMap } from "../../core/flash-map.ts";
import type { Range } from "../../core/image.ts";
import type { FlashCosts, MemoryStep } from "../../core/plan.ts";
import type { SerialTransport } from "../../transport/transport.ts";
import type { MemorySession } from "../target.ts";
import { changeStubBaud, startBaud } from "./baud.ts";
import type { Chip } from "./chips.ts";
import type { LoaderClient } from "./client.ts";
import { flashMd5, READ_FLASH, READ_FLASH_SLOW, readFlash, readFlashSlow, SPI_FLASH_MD5, word } from "./commands.ts";
import { FlashWriter } from "./flash-writer.ts";
import { resetIntoProgram, type ResetWay } from "./reset.ts";
import { encodeSlip } from "./slip.ts";

export interface EspSessionParts {
  readonly client: LoaderClient;
  readonly transport: SerialTransport;
  readonly chip: Chip;
  readonly identity: string;
  readonly flashBytes: number;
  readonly baud: number;
  readonly way: ResetWay;
}

/** One packet of READ_FLASH. Source: esptool. */
const readPacketBytes = 0x1000;
/** A ROM reads this much per command. */
const slowReadBytes = 64;

export class EspSession implements MemorySession {
  readonly kind = "memory";
  readonly digestOf = md5;
  readonly digestsBySector = false;
  readonly chip: string;
  readonly identity: string;
  readonly map: FlashMap;
  readonly costs: FlashCosts;
  readonly baud: number;
  readonly way: ResetWay;
  readonly #parts: EspSessionParts;
  readonly #writer: FlashWriter;

  constructor(parts: EspSessionParts) {
    this.#parts = parts;
    this.#writer = new FlashWriter(parts.client, parts.chip);
    this.chip = parts.chip.name;
    this.identity = parts.identity;
    this.baud = parts.baud;
    this.way = parts.way;
    this.map = espFlashMap(parts.flashBytes);
    this.costs = espCosts(parts.baud);
  }

  async digests(ranges: readonly Range[]): Promise<readonly Digest[]> {
    const { client, chip } = this.#parts;
    if (client.personality === "rom" && !chip.romIsComplete) {
      throw new FlashError("refused", `the ROM of the ${chip.title} cannot tell what the flash holds`, {
        remedy: "Flash without --no-stub.",
      });
    }
    const digests: Digest[] = [];
    for (const range of ranges) {
      const request = flashMd5.write({ address: range.address, size: range.size, reserved0: 0, reserved1: 0 });
      const dataBytes = client.personality === "stub" ? 16 : 32;
      const { body } = await client.request(SPI_FLASH_MD5, request, { flashBytes: range.size, dataBytes });
      client.context.trace.addBytes(range.size);
      digests.push(
        Buffer.from(body)
          .toString(client.personality === "stub" ? "hex" : "latin1")
          .toLowerCase(),
      );
    }
    return digests;
  }

  async read(range: Range): Promise<Uint8Array> {
    return this.#parts.client.personality === "stub" ? this.#readByStub(range) : this.#readByRom(range);
  }

  async run(step: MemoryStep, next?: MemoryStep): Promise<void> {
    const { client } = this.#parts;
    switch (step.kind) {
      case "write":
        await this.#writer.write({ run: step, next: next?.kind === "write" ? next : undefined });
        return;
      case "verify": {
        const { range, data } = step;
        client.context.trace.enter("verify", "digest of what was written");
        const [found] = await this.digests([range]);
        if (found !== md5(data)) {
          throw new FlashError(
            "verify-failed",
            `the ${range.size / 1024} KiB at ${hex(range.address)} read back differently than they were written`,
          );
        }
        return;
      }
    }
  }

  async reset(): Promise<void> {
    const { client, transport, way } = this.#parts;
    if (transport.hasModemLines) await resetIntoProgram(transport, client.context, way);
    else await changeStubBaud(client, transport, { from: this.baud, to: startBaud }); // where the next job looks for the loader
  }

  async #readByStub(range: Range): Promise<Uint8Array> {
    const { client } = this.#parts;
    const request = readFlash.write({
      address: range.address,
      size: range.size,
      packetSize: readPacketBytes,
      maxInFlight: 1,
    });
    await client.request(READ_FLASH, request);
    const parts: Uint8Array[] = [];
    let count = 0;
    while (count < range.size) {
      const packet = await this.#packet(range);
      parts.push(packet);
      count += packet.length;
      await client.transport.write(encodeSlip(word.write({ value: count })));
    }
    await this.#packet(range); // the stub's MD5 over it all; whoever needs certainty asks for a digest
    if (count !== range.size)
      throw new FlashError("protocol", `reading ${hex(range.address)}: ${count} of ${range.size} bytes came`);
    return concat(parts);
  }

  async #packet(range: Range): Promise<Uint8Array> {
    const packet = await this.#parts.client.nextFrame(READ_FLASH.ms);
    if (packet === undefined) throw new FlashError("timeout", `reading the flash at ${hex(range.address)} stalled`);
    return packet;
  }

  async #readByRom(range: Range): Promise<Uint8Array> {
    const { client } = this.#parts;
    const parts: Uint8Array[] = [];
    for (let at = 0; at < range.size; at += slowReadBytes) {
      const size = Math.min(slowReadBytes, range.size - at);
      const request = readFlashSlow.write({ address: range.address + at, size });
      const { body } = await client.request(READ_FLASH_SLOW, request, { dataBytes: slowReadBytes });
      parts.push(body.subarray(0, size));
    }
    return concat(parts);
  }
}

/** NOR flash of ESP boards: 4 KiB sectors, 64 KiB blocks. */
export function espFlashMap(flashBytes: number): FlashMap {
  return [{ name: "flash", start: 0, size: flashBytes, sectorSize: 0x1000, blockSize: 0x10000, erasedByte: 0xff }];
}

/**
 * Typical times: sector erase 45 ms and block erase 150 ms (W25Q32JV, W25Q64JV), page program 0.55 ms as the ROM routines
 * do it, digest 1.1 s per MiB on a chip that was not sped up, firmware deflated to 0.56.
 */
export function espCosts(baud: number): FlashCosts {
  return {
    sectorEraseMs: 45,
    blockEraseMs: 150,
    programMsPerByte: 0.55 / 256,
    wireMsPerByte: 10_000 / baud,
    wireRatio: 0.56,
    roundTripMs: 2.5,
    digestMsPerByte: 1_100 / 0x100000,
    overlaps: true,
  };
}
