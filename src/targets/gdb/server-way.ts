/**
 * Flash that the GDB server's own driver writes, for chips that we have no driver for: only units that differ are given to it, and what
 * it wrote is digested afterwards, by our loader where the RAM is known, else by reading.
 */
import { hex } from "../../core/bytes.ts";
import type { Digest } from "../../core/digest.ts";
import { FlashError } from "../../core/errors.ts";
import type { Range } from "../../core/image.ts";
import type { WriteStep } from "../../core/plan.ts";
import { checkStop, type Context, type PatchWork } from "../target.ts";
import type { GdbClient } from "./client.ts";
import type { Digester, FlashWay } from "./flash-way.ts";
import { loaderDigest } from "./loader-abi.ts";
import { resetAndHalt, resetForFlash } from "./reset.ts";
import { writeByVFlash, type FlashUnit } from "./vflash.ts";

export interface ServerWayParts {
  readonly client: GdbClient;
  readonly context: Context;
  readonly digester: Digester & { invalidate?(): void; release?(): Promise<void> };
}

export class ServerWay implements FlashWay {
  readonly label = "the GDB server's flash driver";
  readonly patchWireRatio = undefined;
  readonly overlaps = false;
  readonly #parts: ServerWayParts;

  constructor(parts: ServerWayParts) {
    this.#parts = parts;
  }

  digests(ranges: readonly Range[]): Promise<readonly Digest[]> {
    return this.#parts.digester.digests(ranges);
  }

  async write(work: PatchWork): Promise<void> {
    const { client, context, digester } = this.#parts;
    checkStop(context);
    context.trace.enter("write", "server's flash driver");
    const units = work.writes.flatMap(unitsOf);
    if (client.traits.resetForFlash.length > 0) await resetForFlash(client);
    await writeByVFlash(client, units, (bytes) => {
      context.trace.addBytes(bytes);
      context.onProgress(bytes);
    });
    context.trace.enter("verify", "digests");
    digester.invalidate?.();
    if (client.traits.resetAndHalt.length > 0) await resetAndHalt(client); // whatever the server's driver left behind
    const held = await digester.digests(units.map(({ address, data }) => ({ address, size: data.length })));
    for (const [index, { address, data }] of units.entries()) {
      context.trace.addBytes(data.length);
      if (held[index] !== loaderDigest(data)) throw readsBackWrongly(client, address, data.length);
      work.onWritten({ address, size: data.length }, data.length);
    }
  }

  async release(): Promise<void> {
    await this.#parts.digester.release?.();
  }
}

function unitsOf({ address, data, erases }: WriteStep): readonly FlashUnit[] {
  return erases.map((erase) => {
    const from = erase.address - address;
    return { address: erase.address, data: data.subarray(from, from + erase.size) };
  });
}

function readsBackWrongly({ name }: GdbClient, address: number, size: number): FlashError {
  return new FlashError(
    "verify-failed",
    `the ${size} bytes at ${hex(address, 8)} that ${name} wrote read back differently`,
    {
      remedy: "Flash again; if it stays, check the flash bank in the server's configuration and the board's supply.",
    },
  );
}
