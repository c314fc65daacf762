/** Digests of memory that is read over the probe: slow, for chips in whose RAM nothing of ours may run. */
import type { Digest } from "../../core/digest.ts";
import type { Range } from "../../core/image.ts";
import type { GdbClient } from "./client.ts";
import type { Digester } from "./flash-way.ts";
import { loaderDigest } from "./loader-abi.ts";

export class ReadDigests implements Digester {
  readonly #client: GdbClient;

  constructor(client: GdbClient) {
    this.#client = client;
  }

  async digests(ranges: readonly Range[]): Promise<readonly Digest[]> {
    const digests: Digest[] = [];
    for (const range of ranges) {
      const [bytes = new Uint8Array()] = await this.#client.read([range]);
      digests.push(loaderDigest(bytes));
    }
    return digests;
  }
}
