/** Our loader on a board of these rigs, and the smallest session that flashes by it: digests of all units, then those that differ. */
import { readFileSync } from "node:fs";
import { loadSegments, readElf } from "../../../src/core/elf.ts";
import type { Range } from "../../../src/core/image.ts";
import { identifyChip } from "../../../src/targets/gdb/chips/identify.ts";
import { GdbClient } from "../../../src/targets/gdb/client.ts";
import { loaderDigest, loaderFlag, type LoaderRecord } from "../../../src/targets/gdb/loader-abi.ts";
import { recordsOf } from "../../../src/targets/gdb/loader-batches.ts";
import { loadLoader, type LoaderProgram } from "../../../src/targets/gdb/loader-blobs.ts";
import { Loader } from "../../../src/targets/gdb/loader.ts";
import { resetAndHalt } from "../../../src/targets/gdb/reset.ts";
import type { ServerTraits } from "../../../src/targets/gdb/servers.ts";
import { mixedBytes } from "../transport-helpers.ts";
import { GdbSession } from "./gdb-session.ts";

interface Place {
  readonly driver: string;
  readonly ram: Range;
  readonly flash: Range;
  readonly unitBytes: number;
  readonly driverWords: readonly number[];
}

/** The chips of these rigs, without asking them. */
export const places = {
  microbit: {
    driver: "nrf",
    ram: { address: 0x20000000, size: 0x4000 },
    flash: { address: 0, size: 0x40000 },
    unitBytes: 1024,
    driverWords: [1024],
  },
  ast1030: {
    driver: "aspeed-fmc",
    ram: { address: 0x10000, size: 0x10000 },
    flash: { address: 0x80000000, size: 0x400000 },
    unitBytes: 4096,
    driverWords: [],
  },
  rp2040Ssi: {
    driver: "rp2040-ssi",
    ram: { address: 0x20000000, size: 0x40000 },
    flash: { address: 0x10000000, size: 0x200000 },
    unitBytes: 4096,
    driverWords: [],
  },
  rp2040Rom: {
    driver: "rp2040-rom",
    ram: { address: 0x20000000, size: 0x40000 },
    flash: { address: 0x10000000, size: 0x200000 },
    unitBytes: 4096,
    driverWords: [],
  },
} satisfies Record<string, Place>;

const { verify, skipEqual } = loaderFlag;
const noStop = { onDone: () => undefined, shouldStop: () => false };

export class LoaderRig implements AsyncDisposable {
  readonly session: GdbSession;
  readonly loader: Loader;
  readonly #place: Place;

  private constructor(session: GdbSession, loader: Loader, place: Place) {
    this.session = session;
    this.loader = loader;
    this.#place = place;
  }

  /** Connects; the core is reset and halted where the server can. @param otherTraits instead of what is known of the server */
  static async open(port: number, place: Place, otherTraits: Partial<ServerTraits> = {}): Promise<LoaderRig> {
    const session = await GdbSession.open(port);
    try {
      if (session.client.traits.resetAndHalt.length > 0) await resetAndHalt(session.client);
      const program = await programOf(place.driver);
      const { wire, traits, features, memory, registers } = session.client;
      const client = new GdbClient(wire, { traits: { ...traits, ...otherTraits }, features, memory, registers });
      return new LoaderRig(session, new Loader(client, { ...place, program }), place);
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** @param image from the flash's start on, whole units @returns the addresses of the units that differed */
  async differing(image: Uint8Array): Promise<readonly number[]> {
    const { flash, unitBytes } = this.#place;
    const units = unitsOf(flash, image, unitBytes);
    const held = await this.loader.digests(units.map(({ address }) => ({ address, size: unitBytes })));
    return units.filter(({ data }, index) => loaderDigest(data) !== held[index]).map(({ address }) => address);
  }

  /** Writes what differs. @returns the addresses of the units that did */
  async flash(image: Uint8Array): Promise<readonly number[]> {
    const differing = await this.differing(image);
    await this.write(this.recordsFor(image, differing));
    return differing;
  }

  /** An erase and a write for each unit of the image, or for those that are named. */
  recordsFor(image: Uint8Array, addresses?: readonly number[]): readonly LoaderRecord[] {
    const { flash, unitBytes } = this.#place;
    return unitsOf(flash, image, unitBytes)
      .filter(({ address }) => addresses?.includes(address) ?? true)
      .flatMap(({ address, data }) =>
        recordsOf({ address, data, erases: [{ address, size: unitBytes, unit: "sector" }] }),
      );
  }

  async write(records: readonly LoaderRecord[]): Promise<void> {
    await this.loader.write(records, { flags: verify | skipEqual, ...noStop });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.session[Symbol.asyncDispose]();
  }
}

async function programOf(driver: string): Promise<LoaderProgram> {
  const program = await loadLoader(driver);
  if (program === undefined) throw new Error(`no loader ${driver}`);
  return program;
}

function unitsOf(flash: Range, image: Uint8Array, unitBytes: number) {
  return Array.from({ length: image.length / unitBytes }, (_, index) => ({
    address: flash.address + index * unitBytes,
    data: image.subarray(index * unitBytes, (index + 1) * unitBytes),
  }));
}

/** The firmware in an image of so many bytes, which differ from each other everywhere else. */
export function imageWith(elfPath: string, base: number, bytes: number): Uint8Array {
  const image = mixedBytes(bytes);
  for (const { address, data } of loadSegments(readElf(readFileSync(elfPath), elfPath)))
    image.set(data, address - base);
  return image;
}

/** What our catalogue says of the chip behind a server. */
export async function identified(port: number): Promise<string> {
  await using session = await GdbSession.open(port);
  const chip = await identifyChip(async (address) => {
    try {
      return (await session.client.readWords(address, 1))[0];
    } catch {
      return undefined;
    }
  });
  return chip.kind === "known" ? `${chip.row.name} ${chip.driver} ${chip.memory.flash[0]?.size ?? 0}` : chip.kind;
}
