/** A Cortex-M board that stands halted behind a GDB server, as jobs see it. */
import type { Digest } from "../../core/digest.ts";
import { FlashError } from "../../core/errors.ts";
import type { FlashMap } from "../../core/flash-map.ts";
import type { Range } from "../../core/image.ts";
import type { FlashCosts } from "../../core/plan.ts";
import { StoppedBetweenRequests, type MemorySession, type PatchWork } from "../target.ts";
import type { GdbClient } from "./client.ts";
import type { FlashWay } from "./flash-way.ts";
import { loaderDigest } from "./loader-abi.ts";
import { resetAndHalt, resetAndRun } from "./reset.ts";

export interface CortexParts {
  readonly client: GdbClient;
  readonly way: FlashWay;
  readonly chip: string;
  readonly identity: string;
  readonly map: FlashMap;
  readonly costs: FlashCosts;
}

export class CortexSession implements MemorySession {
  readonly kind = "memory";
  readonly digestOf = loaderDigest;
  readonly digestsBySector = true;
  /** A table of 256 pages takes the probe as long as the core takes for their digests. */
  readonly confirmsByRun = true;
  readonly chip: string;
  readonly identity: string;
  readonly map: FlashMap;
  readonly costs: FlashCosts;
  readonly #parts: CortexParts;

  constructor(parts: CortexParts) {
    this.#parts = parts;
    this.chip = parts.chip;
    this.identity = parts.identity;
    this.map = parts.map;
    this.costs = parts.costs;
  }

  digests(ranges: readonly Range[]): Promise<readonly Digest[]> {
    return this.#parts.way.digests(ranges);
  }

  async read(range: Range): Promise<Uint8Array> {
    const [bytes = new Uint8Array()] = await this.#parts.client.read([range]);
    return bytes;
  }

  run(): Promise<void> {
    return Promise.reject(new FlashError("protocol", "this board takes all writes at once, not step by step"));
  }

  async patch(work: PatchWork): Promise<void> {
    try {
      await this.#parts.way.write(work);
    } catch (error) {
      if (!(error instanceof StoppedBetweenRequests)) await this.#leaveHalted();
      throw error;
    }
  }

  /** Not even a cancelled job leaves the core halted. */
  reset(): Promise<void> {
    const { client, way } = this.#parts;
    return client.evenIfCancelled(async () => {
      await way.release();
      await resetAndRun(client);
      await client.disconnect();
    });
  }

  /** The flash holds half a program: nothing of it runs, and nothing of ours. Never throws, for there is an error already. */
  async #leaveHalted(): Promise<void> {
    const { client } = this.#parts;
    if (client.wire.broken !== undefined || client.traits.resetAndHalt.length === 0) return;
    try {
      await client.evenIfCancelled(() => resetAndHalt(client));
    } catch (error) {
      client.wire.context.log(`the core could not be reset: ${String(error)}`);
    }
  }
}
